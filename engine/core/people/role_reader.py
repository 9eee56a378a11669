"""Reads role files and refuses those that break a guarantee; all faults of a file are listed at once.

The guarantees: nobody sees children without a seat that reaches them; an administrator sees none; a referred role sees
no pupil; every way up ends at an office or an administrator and never comes back to where it was; only superiors urge,
and nobody is their own superior, not even by way of others; a stand-in sees and may do no more than the post beside
which they act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.core.people.roles import (
    ACCEPT,
    ADMIN,
    ADMINISTER,
    AREA,
    CAPABILITIES,
    DECIDE,
    GIVEN_BY_CODE,
    HELD,
    NONE,
    NUDGE,
    OF_A_SCHOOL,
    OFFICE,
    OPEN,
    REGISTER,
    ROOT,
    SIGHTS,
    Role,
    Roles,
)
from engine.core.toml_reader import Reader, format_of, read_toml
from engine.core.words import Fault, Faulty, Sentence

KEYS = frozenset({"district", "roles"})  # at the top of a role file
_CAN = (REGISTER, OPEN, ACCEPT, "assign", NUDGE, "hold", "give", DECIDE, ADMINISTER)
_SIGHTS = ("knows", "referred", "figures", NONE)
RESERVED = frozenset({"rule", "assignee", "difficulty"})  # rules and workflows mean something else by them
SEAT, SIGHT, CAPABILITY = Sentence("seat"), Sentence("sight"), Sentence("capability")
ROLE, UNIT_KIND = Sentence("role"), Sentence("kind of unit")


def load_roles(text: str, file: str) -> Roles:
    """Returns the roles of a TOML text.

    Args:
        text: the file's content.
        file: its name, for the faults.

    Raises:
        Faulty: lists every fault of the file.
    """
    reader = read_toml(text, file)
    format_of(reader)
    tables = reader.named("roles", required=True)
    roles = Roles(
        name=reader.text("name"),
        version=reader.whole("version", least=1),
        label=reader.label("label"),
        district=reader.flag("district", None),
        roles={code: _role(code, table, tuple(tables)) for code, table in tables.items()},
        text=text,
    )
    reader.close()
    if not reader.faults:  # a role that was not read well would only cause more faults
        for code, key, sentence in _broken(roles):
            reader.fault(".".join(part for part in ("roles", code, key) if part), sentence)
    if reader.faults:
        raise Faulty(reader.faults)
    return roles


def _role(code: str, reader: Reader, codes: tuple[str, ...]) -> Role:
    if code in RESERVED:
        reader.fault("", Sentence("The name “{name}” means something else already; choose another.", name=code))
    if len(code) > 24:
        reader.fault("", Sentence("A role's name has at most {most} letters.", most=24))
    seat = reader.one_of("seat", HELD, SEAT)
    kinds = HELD.get(seat, ())
    held_in = reader.some_of("held_in", kinds, UNIT_KIND) or kinds
    return Role(
        code=code,
        label=reader.label("label"),
        seat=seat,
        sight=reader.one_of("sight", _SIGHTS, SIGHT),
        can=frozenset(reader.some_of("can", _CAN, CAPABILITY)),
        held_in=held_in,
        above=reader.some_of("above", codes, ROLE),
        difficulty=reader.some_of("difficulty", codes, ROLE),
        superiors=frozenset(reader.some_of("superiors", codes, ROLE)),
        stands_in=reader.one_of("stands_in", codes, ROLE, default="") or None,
        optional=reader.flag("optional"),
        contact=reader.flag("contact"),
        assigns_first=reader.flag("assigns_first"),
    )


# --- what no file can break -------------------------------------------------------------------------------------------

_Fault = tuple[str, str, Sentence]  # of which role, at which key, what


def _broken(roles: Roles) -> Iterable[_Fault]:
    for code in sorted(GIVEN_BY_CODE - roles.roles.keys()):
        yield "", "", Sentence("The role “{role}” is missing: every way up ends there.", role=code)
    for role in roles.roles.values():
        yield from _sight(role)
        yield from _way(roles, role, "above", role.above, ACCEPT)
        yield from _way(roles, role, "difficulty", role.difficulty, DECIDE)
        yield from _superiors(roles, role)
        yield from _stand_in(roles, role)
    yield from _rings(roles, "above", lambda role: role.above)
    yield from _rings(roles, "difficulty", lambda role: role.difficulty)
    yield from _rings(roles, "superiors", lambda role: sorted(role.superiors))


def _sight(role: Role) -> Iterable[_Fault]:
    if role.sight not in SIGHTS[role.seat]:
        known = sorted(SIGHTS[role.seat])
        sentence = Sentence(
            "A seat “{seat}” sees one of: {known}; not “{sight}”.", seat=role.seat, known=known, sight=role.sight
        )
        yield role.code, "sight", sentence
        return
    for capability in sorted(role.can - CAPABILITIES[role.sight]):
        words = Sentence("Somebody with the sight “{sight}” cannot {can}.", sight=role.sight, can=capability)
        yield role.code, "can", words
    for capability in sorted(role.can & {REGISTER, OPEN}):
        if role.seat not in OF_A_SCHOOL:
            yield role.code, "can", Sentence("Only a seat in a class or a school can {can}.", can=capability)
    if (role.seat == ROOT) != (role.code == ADMIN) or (ADMINISTER in role.can) != (role.code == ADMIN):
        yield role.code, "can", Sentence("The administrator, and nobody else, has the seat “root” and administers.")
    if role.code == OFFICE and (role.seat, role.sight) != (AREA, "knows"):
        yield role.code, "seat", Sentence("The education office has the seat “area” and the sight “knows”.")


def _way(roles: Roles, role: Role, key: str, rungs: tuple[str, ...], needs: str) -> Iterable[_Fault]:
    for rung in rungs:
        if needs not in roles[rung].can:
            yield (
                role.code,
                key,
                Sentence("“{role}” cannot {can}, so nothing can be asked of it.", role=rung, can=needs),
            )
    if role.code in rungs and (role.seat != AREA or key == "above"):
        yield role.code, key, Sentence("A role does not stand above itself.")
    if rungs and roles[rungs[-1]].seat != AREA:
        yield (
            role.code,
            key,
            Sentence("A way up ends at an office that answers for an area, not at “{role}”.", role=rungs[-1]),
        )


def _superiors(roles: Roles, role: Role) -> Iterable[_Fault]:
    for superior in sorted(role.superiors):
        if NUDGE not in roles[superior].can:
            yield (
                role.code,
                "superiors",
                Sentence("“{role}” cannot {can}, so it is nobody's superior.", role=superior, can=NUDGE),
            )


def _stand_in(roles: Roles, role: Role) -> Iterable[_Fault]:
    if role.stands_in is None:
        return
    beside = roles[role.stands_in]
    if beside.stands_in is not None or beside.code == role.code:
        yield role.code, "stands_in", Sentence("“{role}” is no post of its own to act beside.", role=beside.code)
    if (role.seat, role.sight) != (beside.seat, beside.sight) or role.can - beside.can:
        sentence = Sentence(
            "It acts beside “{role}”, so it has the same seat and sight, and can do no more.", role=beside.code
        )
        yield role.code, "stands_in", sentence


def _rings(roles: Roles, key: str, ways: Callable[[Role], Iterable[str]]) -> Iterable[_Fault]:
    """Every role from which a way up comes back to it; an area's next office is a higher unit of the same role."""
    above = {role.code: {code for code in ways(role) if code != role.code} for role in roles.roles.values()}
    for code, first in above.items():
        seen: set[str] = set()
        waiting = set(first)
        while waiting:
            seen |= waiting
            waiting = {further for one in waiting for further in above[one]} - seen
        if code in seen or (key == "superiors" and code in roles[code].superiors):
            yield code, key, Sentence("This way up comes back to “{role}”.", role=code)


def check_together(trees: Mapping[str, Roles]) -> list[Fault]:
    """Returns what is wrong with role files (by file name) that an installation has together.

    One holds where communes lie in a district and one where none do. A role that stands in both sees and may do the
    same in both.
    """
    faults = []
    for district in (False, True):
        found = [file for file, tree in trees.items() if tree.district == district]
        if len(found) != 1:
            words = Sentence("where communes lie in a district") if district else Sentence("where no district is")
            sentence = Sentence("One role file must hold {where}; there are {number}.", where=words, number=len(found))
            faults.append(Fault(found[-1] if found else "rules/roles", "district", sentence))
    first: dict[str, tuple[str, Role]] = {}
    for file, tree in trees.items():
        for code, role in tree.roles.items():
            earlier, known = first.setdefault(code, (file, role))
            if _same(known) != _same(role):
                sentence = Sentence(
                    "The seat, sight, capabilities and stand-in of a role are the same in {file}.", file=earlier
                )
                faults.append(Fault(file, f"roles.{code}", sentence))
    return faults


def _same(role: Role) -> tuple[object, ...]:
    return role.seat, role.sight, role.can, role.stands_in, role.optional, role.assigns_first
