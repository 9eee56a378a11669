"""A role file says how roles combine what is closed in the program; no file can break a guarantee."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.people.access import Viewer, reach
from engine.core.people.responsibility import Holder, above, find
from engine.core.people.role_reader import check_together, load_roles
from engine.core.people.roles import CAPABILITIES, HELD, SIGHTS, RoleBook, Roles, book_of
from engine.core.words import Faulty
from tests.engine.core.people.test_responsibility import ADMIN, Place, Posts
from tests.shipped_roles import ROLES

ROOT = Path(__file__).parents[4]
SHIPPED = {name: (ROOT / "rules" / "roles" / f"{name}.toml").read_text(encoding="utf-8") for name in ("2022", "2026")}
File = dict[str, Any]


def written(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def text_of(file: File) -> str:
    return "\n".join(f"{key} = {written(value)}" for key, value in file.items())


def shipped(name: str = "2026") -> File:
    return tomllib.loads(SHIPPED[name])


def faults(file: File) -> list[str]:
    with pytest.raises(Faulty) as raised:
        load_roles(text_of(file), "r.toml")
    return [str(fault) for fault in raised.value.faults]


def changed(role: str, **keys: object) -> File:
    """The file of 2026 with some keys of a role set, or (None) taken out."""
    file = shipped()
    file["roles"].setdefault(role, {"label": {"vi": "Vai", "en": "Role"}, "seat": "school", "sight": "knows"})
    file["roles"][role] |= keys
    file["roles"][role] = {key: value for key, value in file["roles"][role].items() if value is not None}
    return file


def test_the_shipped_files_are_sound_alone_and_together() -> None:
    trees = {name: load_roles(text, name) for name, text in SHIPPED.items()}
    assert check_together(trees) == []
    assert [tree.name for tree in book_of(trees.values()).trees] == ["2026", "2022"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            changed("head", seat="schol"),
            "r.toml: roles.head.seat: There is no seat “schol”; did you mean “school”?",
        ),
        (changed("head", sight=None), "r.toml: roles.head.sight: This is missing; it must be text in quotes."),
        (changed("head", can=["asign"]), "There is no capability “asign”; did you mean “assign”?"),
        (changed("head", held_in=["province"]), "r.toml: roles.head.held_in: There is no kind of unit “province”"),
        (changed("head", above=["heed"]), "r.toml: roles.head.above: There is no role “heed”; did you mean “head”?"),
        (changed("head", speed=1), "r.toml: roles.head.speed: There is no key “speed”"),
        (changed("rule"), "r.toml: roles.rule: The name “rule” means something else already; choose another."),
        (changed("a" * 25), "A role's name has at most 24 letters."),
    ],
)
def test_each_fault_says_where_it_is_and_what_is_right(file: File, said: str) -> None:
    assert said in "\n".join(faults(file))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (changed("teacher", sight="figures"), "A seat “class” sees one of: knows, none; not “figures”."),
        (changed("volunteer", sight="knows"), "A seat “association” sees one of: none, referred; not “knows”."),
        (changed("admin", sight="knows"), "A seat “root” sees one of: none; not “knows”."),
        (changed("association", can=["register"]), "Somebody with the sight “referred” cannot register."),
        (changed("parents_board", can=["accept"]), "Somebody with the sight “none” cannot accept."),
        (changed("child_protection", can=["hold"]), "Somebody with the sight “figures” cannot hold."),
        (changed("commune_leader", can=["open"]), "Only a seat in a class or a school can open."),
        (changed("clerk", seat="root", sight="none"), "The administrator, and nobody else, has the seat “root”"),
        (changed("admin", can=[]), "The administrator, and nobody else, has the seat “root” and administers."),
        (
            changed("education_office", seat="commune"),
            "The education office has the seat “area” and the sight “knows”.",
        ),
        (changed("teacher", above=["child_protection"]), "“child_protection” cannot accept, so nothing can be asked"),
        (
            changed("teacher", difficulty=["commune_officer"]),
            "“commune_officer” cannot decide, so nothing can be asked",
        ),
        (changed("teacher", above=["head"]), "A way up ends at an office that answers for an area, not at “head”."),
        (changed("head", above=["head", "education_office"]), "A role does not stand above itself."),
        (
            changed("head", difficulty=["commune_leader", "head", "education_office"]),
            "A role does not stand above itself.",
        ),
        (
            changed("commune_leader", difficulty=["commune_office", "education_office"]),
            "r.toml: roles.commune_leader.difficulty: This way up comes back to “commune_leader”.",
        ),
        (changed("head", superiors=["teacher"]), "“teacher” cannot nudge, so it is nobody's superior."),
        (changed("commune_leader", superiors=["commune_office"]), "This way up comes back to “commune_leader”."),
        (changed("teacher", stands_in="head"), "It acts beside “head”, so it has the same seat and sight"),
        (changed("vice", stands_in="deputy_head"), "“deputy_head” is no post of its own to act beside."),
    ],
)
def test_a_file_that_breaks_a_guarantee_is_refused(file: File, said: str) -> None:
    assert said in "\n".join(faults(file))


def test_a_file_without_the_roles_at_which_every_way_up_ends_is_refused() -> None:
    file = shipped()
    file["roles"] = {code: role for code, role in file["roles"].items() if code == "parents_board"}
    assert faults(file) == [
        "r.toml: roles: The role “admin” is missing: every way up ends there.",
        "r.toml: roles: The role “education_office” is missing: every way up ends there.",
    ]


def test_a_role_sees_and_may_do_the_same_in_every_tree() -> None:
    other = shipped("2022")
    other["roles"]["commune_leader"]["sight"] = "figures"
    other["roles"]["commune_leader"]["can"] = ["decide", "nudge"]
    for role in other["roles"].values():
        role.pop("above", None)
    trees = {"2026.toml": load_roles(SHIPPED["2026"], "a"), "2022.toml": load_roles(text_of(other), "b")}
    said = "The seat, sight, capabilities and stand-in of a role are the same in 2026.toml."
    assert [str(fault) for fault in check_together(trees)] == [f"2022.toml: roles.commune_leader: {said}"]


def test_one_file_holds_with_districts_and_one_without() -> None:
    only = {"2026.toml": load_roles(SHIPPED["2026"], "a")}
    assert [str(fault) for fault in check_together(only)] == [
        "rules/roles: district: One role file must hold where communes lie in a district; there are 0."
    ]


def test_a_role_that_no_file_has_any_more_keeps_its_name_and_shows_nothing() -> None:
    earlier = load_roles(text_of(changed("clerk")), "earlier")
    book = book_of(ROLES.trees, [earlier])
    assert book.labels["clerk"].en == "Role"
    assert "clerk" not in book.codes
    assert "clerk" not in book.held_in
    viewer = Viewer(1, {"clerk": frozenset({2})}, roles=book)
    assert reach(viewer, Place(school_id=2)) == frozenset()


# --- files that say anything ------------------------------------------------------------------------------------------

CODES = st.sampled_from([*shipped()["roles"]])
ANY: dict[str, st.SearchStrategy[Any]] = {
    "seat": st.sampled_from([*HELD]),
    "sight": st.sampled_from(["knows", "referred", "figures", "none"]),
    "can": st.lists(st.sampled_from(sorted({one for found in CAPABILITIES.values() for one in found})), unique=True),
    "above": st.lists(CODES, unique=True, max_size=4),
    "difficulty": st.lists(CODES, unique=True, max_size=4),
    "superiors": st.lists(CODES, unique=True, max_size=3),
    "stands_in": CODES,
    "optional": st.booleans(),
    "contact": st.booleans(),
    "assigns_first": st.booleans(),
}


@st.composite
def files(draw: st.DrawFn) -> File:
    """A shipped file in which somebody has changed, added or taken out some things."""
    file = shipped(draw(st.sampled_from(["2022", "2026"])))
    for _change in range(draw(st.integers(0, 3))):
        role = file["roles"].get(draw(CODES))
        key = draw(st.sampled_from([*ANY]))
        if role is not None:
            role[key] = draw(ANY[key])
            if key == "seat":
                role.pop("held_in", None)
    if draw(st.booleans()):
        file["roles"].pop(draw(CODES), None)
    return file


def read(file: File) -> Roles | None:
    try:
        return load_roles(text_of(file), "r.toml")
    except Faulty:
        return None


@given(file=files())
def test_whatever_a_file_says_no_guarantee_is_broken(file: File) -> None:
    tree = read(file)
    if tree is None:
        return
    everywhere = frozenset(range(1, 10))
    for code, role in tree.roles.items():
        viewer = Viewer(1, {code: everywhere}, {code: {}}, roles=RoleBook(roles=tree.roles))
        if role.sight == "none":
            assert reach(viewer, Place(), 1) == frozenset()
        assert role.sight in SIGHTS[role.seat]
        assert (role.seat == "root") == (code == "admin")
        if role.sight == "referred":
            assert not tree.knows([code])
            assert role.can <= {"accept", "assign", "give"}
        if role.sight == "figures":
            assert viewer.seated(role.seat) == frozenset()
    empty = Posts(tree=tree)
    for code in tree.roles:
        assert find(code, Place(), empty).people == (ADMIN,)
        assert above(code, 4, Place(), empty).people == (ADMIN,)
        assert code not in tree.superiors(code)


@given(file=files())
def test_every_way_up_is_walked_once_and_ends(file: File) -> None:
    """Whoever is asked passes it on to who is above them, until nobody is."""
    tree = read(file)
    if tree is None:
        return
    everybody = {(code, unit): (Holder(unit * 100 + n),) for n, code in enumerate(tree.roles) for unit in range(1, 7)}
    posts = Posts(held=everybody, tree=tree)
    for code in tree.roles:
        asked, seen = above(code, None, Place(), posts), set[tuple[str, int]]()
        while asked.role != "admin":
            assert (asked.role, asked.unit_id) not in seen
            seen.add((asked.role, asked.unit_id))
            asked = above(asked.role, asked.unit_id, Place(), posts)
