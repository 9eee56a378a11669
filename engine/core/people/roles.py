"""Roles as data: what a role file can say, and what no role file can change.

Files combine what is closed here: seat kinds (which column of a case a post looks at), sights (what its holder learns
of a pupil) and capabilities (what its holder may do). `engine.core.people.role_reader` reads the files and refuses what
breaks a guarantee. `Roles` are those of one file: one administrative tree. `RoleBook` holds the files of an
installation. A role has the same seat and sight in every file, so what somebody may see never depends on the tree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from engine.core.toml_reader import digest_of
from engine.core.words import Label

ADMIN = "admin"  # the last step of every way up: it exists wherever the program runs
OFFICE = "education_office"  # the office that answers for an area: pages of its own are made for it
ASSIGNEE = "assignee"  # no role: whoever has the case now
PROVINCE_OFFICE = "province_office"  # no role: the education office of the province, over all others
_ADDRESSED = {
    ASSIGNEE: Label("Người phụ trách", "Assignee"),
    PROVINCE_OFFICE: Label("Cơ quan giáo dục của tỉnh", "The province's education office"),
}

CLASS, SCHOOL, VILLAGE, COMMUNE, PROVINCE = "class", "school", "village", "commune", "province"
ASSOCIATION, AREA, ROOT, INVITED = "association", "area", "root", "invited"
KNOWS, REFERRED, FIGURES, NONE = "knows", "referred", "figures", "none"

# Each seat kind and the column of a case that must lie in the units of a post. An area has three columns of its own
# (`AREAS`), an invited post the case itself, the root none.
COLUMNS: Mapping[str, str] = {
    CLASS: "class_id",
    SCHOOL: "school_id",
    VILLAGE: "village_id",
    COMMUNE: "commune_id",
    PROVINCE: "province_id",
    ASSOCIATION: "association_id",
}
AREAS: Mapping[str, str] = {
    "area_communes": "commune_id",
    "area_provinces": "province_id",
    "area_schools": "school_id",
}
# In which kinds of units a post of each seat kind can be held; the first ones if its file names none.
HELD: Mapping[str, tuple[str, ...]] = {
    CLASS: ("class",),
    SCHOOL: ("school",),
    VILLAGE: ("village",),
    COMMUNE: ("commune",),
    PROVINCE: ("province",),
    ASSOCIATION: ("association",),
    AREA: ("commune", "district", "province"),
    ROOT: ("root",),
    INVITED: ("school", "class", "commune", "village", "organisation"),
}
SIGHTS: Mapping[str, frozenset[str]] = {
    CLASS: frozenset({KNOWS, NONE}),
    SCHOOL: frozenset({KNOWS, FIGURES, NONE}),
    VILLAGE: frozenset({KNOWS, FIGURES, NONE}),
    COMMUNE: frozenset({KNOWS, FIGURES, NONE}),
    PROVINCE: frozenset({KNOWS, FIGURES, NONE}),
    ASSOCIATION: frozenset({REFERRED, NONE}),
    AREA: frozenset({KNOWS, FIGURES, NONE}),
    ROOT: frozenset({NONE}),
    INVITED: frozenset({KNOWS, NONE}),
}
REGISTER, OPEN, ACCEPT, ASSIGN, NUDGE = "register", "open", "accept", "assign", "nudge"
HOLD, GIVE, DECIDE, ADMINISTER = "hold", "give", "decide", "administer"
# What a post can do with each sight. Taking the register and opening a case need the pupils of a school.
CAPABILITIES: Mapping[str, frozenset[str]] = {
    KNOWS: frozenset({REGISTER, OPEN, ACCEPT, ASSIGN, NUDGE, HOLD, GIVE, DECIDE}),
    REFERRED: frozenset({ACCEPT, ASSIGN, GIVE}),
    FIGURES: frozenset({NUDGE, DECIDE}),
    NONE: frozenset({ADMINISTER}),
}
# Where somebody knows pupils by name: what the units are called, and the column of a case that lies in them.
KNOWING: Mapping[str, str] = {
    **{kind: column for kind, column in COLUMNS.items() if kind != ASSOCIATION},
    **AREAS,
    INVITED: "id",
}
OF_A_SCHOOL = frozenset({CLASS, SCHOOL})
OF_A_COMMUNE = frozenset({VILLAGE, COMMUNE})
GIVEN_BY_CODE = frozenset({ADMIN, OFFICE})


@dataclass(frozen=True, slots=True)
class Role:
    """One role of a file.

    `above` is the way up of a request, `difficulty` that of a difficulty: the posts that are asked one after the other.
    `stands_in` names the role beside which this one acts: it may do the same steps, and comes next to it on each way
    up. `superiors` may urge this role. `optional`: not every place has one, so no empty post is told as passed over.
    `contact`: a case names who holds it and how to reach them. `assigns_first`: it hands a case to somebody first.
    """

    code: str
    label: Label
    seat: str
    sight: str
    can: frozenset[str] = frozenset()
    held_in: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    difficulty: tuple[str, ...] = ()
    superiors: frozenset[str] = frozenset()
    stands_in: str | None = None
    optional: bool = False
    contact: bool = False
    assigns_first: bool = False

    @property
    def column(self) -> str | None:
        """The column of a case that lies in the units of a post; None for areas, invited posts and the root."""
        return COLUMNS.get(self.seat)


class _Asked:
    """What code asks of a set of roles, by code."""

    roles: Mapping[str, Role]

    def __getitem__(self, code: str) -> Role:
        return self.roles[code]

    def get(self, code: str | None) -> Role | None:
        """Returns a role; None for a code that these files do not have."""
        return self.roles.get(code or "")

    @cached_property
    def _able(self) -> Mapping[str, frozenset[str]]:
        every = frozenset().union(*(role.can for role in self.roles.values()))
        return {one: frozenset(role.code for role in self.roles.values() if one in role.can) for one in every}

    def able(self, capability: str) -> frozenset[str]:
        """The roles that have a capability."""
        return self._able.get(capability, frozenset())

    def seated(self, *kinds: str, sight: str | None = None) -> tuple[str, ...]:
        """The roles with a seat of these kinds, in file order; only those with one sight, if it is given."""
        found = (role for role in self.roles.values() if role.seat in kinds and sight in {None, role.sight})
        return tuple(role.code for role in found)

    def stand_ins(self, code: str) -> tuple[str, ...]:
        """The roles that act beside a role."""
        return tuple(role.code for role in self.roles.values() if role.stands_in == code)

    def beside(self, codes: Iterable[str]) -> tuple[str, ...]:
        """The roles, each followed by those that act beside it."""
        return tuple(dict.fromkeys(one for code in codes for one in (code, *self.stand_ins(code))))

    @property
    def announcers(self) -> frozenset[str]:
        """The roles that announce days without class: who takes a register or may stop a clock, and administrators."""
        return self.able(REGISTER) | self.able(HOLD) | self.able(ADMINISTER)

    @property
    def leaders(self) -> frozenset[str]:
        """The roles that answer for many cases and urge others on: they get numbers and places, not single cases."""
        return self.able(NUDGE) & {*self.seated(COMMUNE, AREA, sight=KNOWS)}

    @cached_property
    def referred(self) -> frozenset[str]:
        """The roles that see what a pupil needs, but not who the pupil is or why (Luật Trẻ em 2016 Art. 6(11))."""
        return frozenset(role.code for role in self.roles.values() if role.sight == REFERRED)

    def tends(self, roles: Collection[str]) -> bool:
        """Whether somebody with these roles on a case has a duty of their own towards the pupil, and knows them.

        Who was only invited reads and writes notes.
        """
        return self.knows([code for code in roles if (role := self.get(code)) and role.seat != INVITED])

    def knows(self, roles: Collection[str]) -> bool:
        """Whether somebody with these roles on a case may know the pupil's name, address and causes."""
        return any((role := self.get(code)) is not None and role.sight in {KNOWS, FIGURES} for code in roles)


@dataclass(frozen=True, eq=False)
class Roles(_Asked):
    """The roles of one file, in its order. `district`: they hold where a commune lies in a district."""

    name: str
    version: int
    label: Label
    district: bool
    roles: Mapping[str, Role]
    text: str = ""

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the file, in hex."""
        return digest_of(self.text)

    def ladder(self, code: str) -> tuple[str, ...]:
        """The way up of a request to a role: the role itself, then the posts above; none for an administrator."""
        role = self.get(code)
        if role is None:  # another tree has it: what is asked of it here is asked of the office
            return (OFFICE,)
        return () if role.seat == ROOT else self.beside((code, *role.above))

    def climbs(self, code: str) -> tuple[str, ...]:
        """The posts that decide about a difficulty of somebody in a role, the nearest first."""
        role = self.get(code)
        return self.beside(role.difficulty) if role else ()

    def superiors(self, code: str | None) -> frozenset[str]:
        """The roles that may urge on somebody in a role; all others ask for attention."""
        role = self.get(code)
        return frozenset(self.beside(sorted(role.superiors))) - {code} if role else frozenset()


@dataclass(frozen=True, eq=False)
class RoleBook(_Asked):
    """The role files of an installation.

    `roles` are all that a file ever named. Those that only an earlier version named keep their label, and nobody sees
    or may do anything by them.
    """

    trees: tuple[Roles, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)

    def tree(self, *, district: bool) -> Roles:
        """The roles of a place: where its commune lies in a district, or where no district is."""
        return next(tree for tree in self.trees if tree.district == district)

    @cached_property
    def labels(self) -> Mapping[str, Label]:
        """What each role is called where no place is meant, and whom else a notice can go to."""
        return {**{code: role.label for code, role in self.roles.items()}, **_ADDRESSED}

    @cached_property
    def _labels(self) -> Mapping[bool, Mapping[str, Label]]:
        own = {tree.district: {code: role.label for code, role in tree.roles.items()} for tree in self.trees}
        return {district: {**self.labels, **labels} for district, labels in own.items()}

    def called(self, *, district: bool) -> Mapping[str, Label]:
        """What each role is called in a place: an earlier event of a case may name a role of another tree."""
        return self._labels.get(district, self.labels)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The roles that a workflow or a rule may name: those that see something, and the administrator."""
        return tuple(code for code, role in self.roles.items() if role.sight != NONE or code == ADMIN)

    @cached_property
    def held_in(self) -> Mapping[str, tuple[str, ...]]:
        """The roles to which people are appointed, and the kinds of unit of each."""
        return {code: role.held_in for code, role in self.roles.items() if role.held_in}


NO_ROLES = RoleBook()


def book_of(trees: Iterable[Roles], earlier: Iterable[Roles] = ()) -> RoleBook:
    """Puts role files together; what only `earlier` versions name stays known by its label alone."""
    trees = tuple(sorted(trees, key=lambda tree: tree.district))
    found: dict[str, Role] = {}
    for tree in trees:
        for code, role in tree.roles.items():
            known = found.get(code)
            held = (*(known.held_in if known else ()), *role.held_in)
            found[code] = replace(known or role, held_in=tuple(dict.fromkeys(held)))
    for tree in earlier:
        for code, role in tree.roles.items():
            if code not in found:
                found[code] = Role(code, role.label, role.seat, NONE)
    return RoleBook(trees, found)
