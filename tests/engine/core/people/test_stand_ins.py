"""Who acts for whom: chains go on, rings end with nobody, a closed account acts for nobody."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.people.stand_ins import Absences

PEOPLE = st.integers(1, 6)
ABSENCES = st.builds(
    Absences, st.dictionaries(PEOPLE, st.lists(PEOPLE, max_size=2, unique=True)), st.frozensets(PEOPLE, max_size=2)
)


def test_who_stands_in_for_a_stand_in_acts_for_both() -> None:
    absences = Absences({1: (2,), 2: (3,)})
    assert (absences.acting(1), absences.acting(2), absences.acting(3)) == ((3,), (3,), (3,))
    assert (absences.lending(3), absences.lending(2)) == ((1, 2), ())


def test_a_ring_of_absences_ends_with_nobody() -> None:
    absences = Absences({1: (2,), 2: (3,), 3: (1,)})
    assert [absences.acting(person) for person in (1, 2, 3)] == [(), (), ()]
    assert [absences.lending(person) for person in (1, 2, 3)] == [(), (), ()]


def test_a_closed_account_acts_for_nobody_and_nothing_goes_on_beyond_it() -> None:
    assert Absences({1: (2,)}, frozenset({2})).acting(1) == ()
    assert Absences({1: (2,), 2: (3,)}, frozenset({2})).acting(1) == ()
    assert Absences({}, frozenset({1})).acting(1) == ()


def test_two_stand_ins_act_both_and_one_of_them_alone_while_the_other_is_away() -> None:
    assert Absences({1: (2, 3)}).acting(1) == (2, 3)
    assert Absences({1: (2, 3), 2: ()}).acting(1) == (3,)


@given(ABSENCES, PEOPLE, PEOPLE)
def test_who_acts_is_there_and_lending_is_the_same_seen_from_the_other_end(
    absences: Absences, one: int, other: int
) -> None:
    acting = absences.acting(one)
    assert not [person for person in acting if person in absences.away or person in absences.closed]
    assert len(acting) == len(set(acting))
    if one in absences.away:
        assert (other in acting) == (one in absences.lending(other))
