"""Nothing is addressed to nobody: who answers for a role when a post is empty, away, or has returned the case."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.people.responsibility import AWAY, DECLINED, VACANT, Found, Holder, find, recipients
from engine.core.people.roles import Roles
from tests.shipped_roles import TREE

CLASS, SCHOOL, VILLAGE, COMMUNE, PROVINCE, ASSOCIATION = range(1, 7)
LAN, HIEN, OFFICER, LEADER, OFFICE, ADMIN, COLLEAGUE = range(101, 108)


@dataclass
class Place:
    class_id: int = CLASS
    school_id: int = SCHOOL
    village_id: int | None = VILLAGE
    commune_id: int | None = COMMUNE
    province_id: int | None = PROVINCE
    association_id: int | None = None


@dataclass
class Posts:
    """A directory of who holds what."""

    held: Mapping[tuple[str, int], tuple[Holder, ...]] = field(default_factory=dict)
    tree: Roles = TREE
    line: tuple[int, ...] = ()

    def roles(self, place: object) -> Roles:
        return self.tree

    def own_line(self, school_id: int) -> tuple[int, ...]:
        return self.line

    def holders(self, role: str, unit_id: int) -> tuple[Holder, ...]:
        return self.held.get((role, unit_id), ())

    def above(self, unit_id: int) -> tuple[int, ...]:
        return (COMMUNE, PROVINCE)

    def associations(self, unit_id: int) -> tuple[int, ...]:
        return (ASSOCIATION,)

    def admins(self) -> tuple[Holder, ...]:
        return (Holder(ADMIN),)

    def person(self, person_id: int) -> Holder:
        return next(
            (h for holders in self.held.values() for h in holders if h.person_id == person_id), Holder(person_id)
        )

    def seat(self, role: str, code: str) -> Found | None:
        return None


FULL: dict[tuple[str, int], tuple[Holder, ...]] = {
    ("teacher", CLASS): (Holder(LAN),),
    ("head", SCHOOL): (Holder(HIEN),),
    ("commune_officer", VILLAGE): (Holder(OFFICER),),
    ("commune_leader", COMMUNE): (Holder(LEADER),),
    ("education_office", COMMUNE): (Holder(OFFICE),),
}


def without(*posts: tuple[str, int]) -> Posts:
    return Posts({post: holders for post, holders in FULL.items() if post not in posts})


def test_the_class_decides_the_teacher_and_the_village_the_officer() -> None:
    assert find("teacher", Place(), Posts(FULL)) == Found("teacher", CLASS, (LAN,))
    assert find("commune_officer", Place(), Posts(FULL)) == Found("commune_officer", VILLAGE, (OFFICER,))


def test_a_vacant_post_routes_to_the_next_one_up_and_says_so() -> None:
    found = find("commune_officer", Place(), without(("commune_officer", VILLAGE)))
    assert found == Found("commune_leader", COMMUNE, (LEADER,), (("commune_officer", VILLAGE, VACANT),))


def test_a_village_without_officer_in_a_commune_without_leader_goes_to_the_education_office() -> None:
    found = find("commune_officer", Place(), without(("commune_officer", VILLAGE), ("commune_leader", COMMUNE)))
    assert (found.role, found.people) == ("education_office", (OFFICE,))
    assert [why for _, _, why in found.passed_over] == [VACANT, VACANT]


def test_the_administrator_is_told_when_nobody_is_left() -> None:
    found = find("teacher", Place(), Posts())
    assert (found.role, found.people) == ("admin", (ADMIN,))


def test_while_somebody_is_away_the_delegate_acts() -> None:
    posts = Posts(FULL | {("teacher", CLASS): (Holder(LAN, away=True, delegates=(COLLEAGUE,)),)})
    assert find("teacher", Place(), posts).people == (COLLEAGUE,)


def test_somebody_away_who_delegated_nobody_is_passed_over() -> None:
    posts = Posts(FULL | {("commune_officer", VILLAGE): (Holder(OFFICER, away=True),)})
    found = find("commune_officer", Place(), posts)
    assert (found.role, found.passed_over) == ("commune_leader", (("commune_officer", VILLAGE, AWAY),))


def test_a_post_that_returned_the_case_is_not_asked_again() -> None:
    found = find("commune_officer", Place(), Posts(FULL), declined={("commune_officer", VILLAGE)})
    assert (found.role, found.passed_over) == ("commune_leader", (("commune_officer", VILLAGE, DECLINED),))


def test_the_next_one_up_is_asked_from_where_the_case_was() -> None:
    found = find("commune_officer", Place(), Posts(FULL), start=("commune_leader", COMMUNE))
    assert found.role == "education_office"


def test_a_pupil_whose_village_is_not_known_is_the_commune_leaders() -> None:
    assert find("commune_officer", Place(village_id=None), Posts(FULL)).role == "commune_leader"


def test_a_notice_to_the_assignee_goes_to_who_acts_for_them() -> None:
    posts = Posts({("teacher", CLASS): (Holder(LAN, away=True, delegates=(COLLEAGUE,)),)})
    assert recipients("assignee", Place(), LAN, posts) == ("assignee", (COLLEAGUE,))
    assert recipients("assignee", Place(), None, posts) == ("assignee", ())
