"""Nobody gives themselves power, there is always an administrator, and whoever is concerned is told of each change."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, insert, select

from engine.core.people.access import Viewer
from engine.core.people.account_events import BESIDE, By
from engine.core.refusals import Invalid, NotAllowed, Refused
from engine.store import tables as t
from engine.store.people.powers import Span, administrators
from engine.store.people.staff import viewer_of
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.context import Context
from engine.usecases.people import absences, accounts, powers, signin_codes
from engine.usecases.people.accounts import leave
from engine.usecases.units.merger_undo import undo
from engine.usecases.units.mergers import Merger, UnitMove, merge_units
from tests.playing import Playing, at, definitions, playing
from tests.shipped_roles import ROLES

NOW = at("2026-03-02 08:00")
TODAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)
NOBODY_GIVES = "Nobody gives themselves"
NO_ADMINISTRATOR = "there would be no administrator"


@pytest.fixture
def here(store: Store) -> Playing:
    return playing(store, "2026-03-02 08:00")


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All that says who may do what, and all that was written down about it."""
    tables = (t.Person, t.Appointment, t.Delegation, t.SignInCode, t.StaffAct, t.Notice)
    with store.reading("test") as session:
        found: dict[str, list[tuple[object, ...]]] = {
            table.__tablename__: [tuple(row) for row in session.execute(select(*table.__table__.c).order_by("id"))]
            for table in tables
            if "id" in table.__table__.c
        }
        found["codes"] = [tuple(row) for row in session.execute(select(t.SignInCode.person_id))]
        return found


def refused(store: Store, why: str, act: Callable[[], object]) -> None:
    """The act is refused and nothing is kept of it."""
    before = rows(store)
    with pytest.raises(NotAllowed, match=why):
        act()
    assert rows(store) == before


def appoint(here: Playing, member: str, role: str, unit: str, **more: dt.date) -> None:
    with here.context.store.writing("test") as session:
        post = {"person_id": here.installed.people[member], "role": role, "unit_id": here.installed.units[unit]}
        session.execute(insert(t.Appointment).values(**post, **({"valid_from": TODAY - 9 * DAY} | more)))


def units_of(here: Playing, member: str, day: dt.date = TODAY) -> set[str]:
    with here.context.store.reading("test") as session:
        return set(viewer_of(session, here.installed.people[member], day, ROLES).units)


# --- nobody gives it to themselves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "unit"), [("teacher", "class"), ("admin", "root"), ("education_office", "province")])
def test_nobody_appoints_themselves(here: Playing, role: str, unit: str) -> None:
    admin, store = here.installed.people["admin"], here.context.store
    appoint(here, "outsider_admin", "admin", "root")
    other = here.installed.people["outsider_admin"]
    for person, login in ((other, "outsider_admin"), (admin, "admin")):
        for first in (TODAY, TODAY + 30 * DAY):  # nor for later
            with pytest.raises(Refused):
                accounts.appoint(here.context, login, role, unit, first, now=NOW, by=person)
    assert units_of(here, "admin") == units_of(here, "outsider_admin") == {"admin"}
    refused(
        store,
        NOBODY_GIVES,
        lambda: accounts.appoint(here.context, "admin", "teacher", "class", TODAY, now=NOW, by=admin),
    )


def test_nobody_makes_a_post_that_has_ended_their_own_again(here: Playing) -> None:
    store, admin = here.context.store, here.installed.people["admin"]
    appoint(here, "admin", "teacher", "class", valid_to=TODAY - 5 * DAY)
    with store.reading("test") as session:
        post = session.scalars(
            select(t.Appointment.id).where(t.Appointment.role == "teacher", t.Appointment.person_id == admin)
        ).one()
    before = rows(store)
    for by in (admin, "root", here.installed.people["head"]):  # a post that has ended is given anew, by whomever
        with pytest.raises(Invalid, match="The post ends with 24/02/2026: for later days appoint anew"):
            accounts.end_post(here.context, admin, post, TODAY + DAY, now=NOW, by=by)
    assert rows(store) == before


def test_nobody_hands_everything_of_somebody_over_to_themselves(here: Playing) -> None:
    admin = here.installed.people["admin"]
    refused(here.context.store, NOBODY_GIVES, lambda: accounts.hand_over(here.context, "teacher", "admin", NOW, admin))


def test_nobody_stands_in_by_their_own_word(here: Playing) -> None:
    teacher, head, admin = (here.installed.people[name] for name in ("teacher", "head", "admin"))
    store, days = here.context.store, (TODAY, TODAY + 4 * DAY)
    refused(store, NOBODY_GIVES, lambda: absences.enter(here.context, teacher, admin, *days, "", NOW, by=admin))
    absences.enter(here.context, teacher, head, *days, "", NOW, by=admin)  # another one may
    assert units_of(here, "head") == {"head", "teacher"}
    absences.go_away(here.context, Viewer(head), teacher, *days, "", NOW)  # and one chooses oneself who acts for one
    assert units_of(here, "teacher") == {"teacher"}  # who is away as well: nobody acts for either of them
    assert units_of(here, "head") == {"head"}


def test_nobody_gets_duties_over_a_stand_in_of_theirs_by_their_own_word(here: Playing) -> None:
    teacher, head, admin = (here.installed.people[name] for name in ("teacher", "head", "admin"))
    store, days = here.context.store, (TODAY, TODAY + 4 * DAY)
    with store.writing("test") as session:
        seed.send_away(session, head, *days, admin)
    refused(store, NOBODY_GIVES, lambda: absences.enter(here.context, teacher, head, *days, "", NOW, by=admin))


def test_who_stands_in_for_somebody_gives_them_no_post_to_have_it_too(here: Playing) -> None:
    store, admin = here.context.store, here.installed.people["admin"]
    lan = on_stage_person(store, "lan")
    with store.writing("test") as session:
        seed.send_away(session, lan, TODAY, TODAY + 4 * DAY, admin)
    refused(
        store, NOBODY_GIVES, lambda: accounts.appoint(here.context, "lan", "teacher", "class", TODAY, now=NOW, by=admin)
    )
    refused(store, NOBODY_GIVES, lambda: accounts.hand_over(here.context, "teacher", "lan", NOW, admin))
    accounts.appoint(here.context, "lan", "teacher", "class", TODAY + 5 * DAY, now=NOW, by=admin)  # when they are back
    accounts.disable(here.context, "teacher", NOW, admin)
    with store.writing("test") as session:
        seed.send_away(session, here.installed.people["teacher"], TODAY, TODAY + 4 * DAY, admin)
    refused(store, NOBODY_GIVES, lambda: accounts.enable(here.context, "teacher", NOW, admin))


def on_stage_person(store: Store, login: str) -> int:
    accounts.add_person(store, login, "Y Lan", NOW, by="root")
    with store.reading("test") as session:
        return session.scalars(select(t.Person.id).where(t.Person.login == login)).one()


def test_nobody_makes_a_code_or_a_one_time_password_for_themselves(here: Playing) -> None:
    store, admin = here.context.store, here.installed.people["admin"]
    refused(store, "Nobody makes a code", lambda: signin_codes.make(store, " ADMIN ", admin, DAY, NOW))
    refused(store, "Nobody makes a code", lambda: accounts.reset_password(store, "Admin", NOW, admin))
    assert signin_codes.make(store, "teacher", admin, DAY, NOW).login == "teacher"
    assert signin_codes.make(store, "admin", "root", DAY, NOW).login == "admin"


def test_nobody_merges_units_to_see_other_pupils(here: Playing) -> None:
    store, admin = here.context.store, here.installed.people["admin"]
    appoint(here, "admin", "commune_leader", "commune")
    move = [UnitMove("outsider_village", "commune")]
    refused(
        store,
        "By this merger you would see pupils",
        lambda: merge_units(here.context, [], TODAY, NOW, moves=move, by=admin),
    )
    other = here.installed.people["outsider_admin"]
    assert merge_units(here.context, [], TODAY, NOW, moves=move, by=other).came_over


# --- there is always an administrator ---------------------------------------------------------------------------------


def the_post(here: Playing) -> int:
    with here.context.store.reading("test") as session:
        return session.scalars(select(t.Appointment.id).where(t.Appointment.role == "admin")).first() or 0


ENDS: dict[str, Callable[[Playing, By], object]] = {
    "shut": lambda here, by: accounts.disable(here.context, "admin", NOW, by),
    "post ended today": lambda here, by: accounts.end_post(
        here.context, here.installed.people["admin"], the_post(here), TODAY, now=NOW, by=by
    ),
    "post given a last day": lambda here, by: accounts.end_post(
        here.context, here.installed.people["admin"], the_post(here), TODAY + 300 * DAY, now=NOW, by=by
    ),
    "dismissed": lambda here, by: accounts.end_appointment(
        here.context, "admin", "admin", "root", TODAY, now=NOW, by=by
    ),
    "left": lambda here, by: leave(here.context, here.installed.people["admin"], NOW, by),
}


@pytest.mark.parametrize("by", ["admin", "root", "head"])
@pytest.mark.parametrize("way", ENDS)
def test_the_last_administrator_cannot_be_ended(here: Playing, way: str, by: str) -> None:
    actor = here.installed.people.get(by, by)
    refused(here.context.store, NO_ADMINISTRATOR, lambda: ENDS[way](here, actor))
    appoint(here, "head", "admin", "root", valid_to=TODAY + 400 * DAY)  # not for good
    refused(here.context.store, NO_ADMINISTRATOR, lambda: ENDS[way](here, actor))
    appoint(here, "outsider_admin", "admin", "root")
    ENDS[way](here, actor)


def test_everything_of_the_last_administrator_goes_only_to_who_can_sign_in(here: Playing) -> None:
    accounts.disable(here.context, "head", NOW, "root")
    refused(
        here.context.store, NO_ADMINISTRATOR, lambda: accounts.hand_over(here.context, "admin", "head", NOW, "root")
    )
    accounts.hand_over(here.context, "admin", "teacher", NOW, here.installed.people["admin"])
    assert (units_of(here, "teacher"), units_of(here, "admin")) == ({"teacher", "admin"}, set())


def test_a_merger_of_the_root_leaves_an_administrator(here: Playing) -> None:
    """An administrator's post goes on with its unit, or the merger is refused."""
    with here.context.store.writing("test") as session:
        other = t.Unit(kind="root", code="r2", name="Gốc khác", search_key="goc khac", valid_from=seed.ALWAYS)
        session.add(other)
    merge_units(here.context, [Merger("root", "r2")], TODAY, NOW, by="root")
    assert "admin" in units_of(here, "admin")
    with here.context.store.writing("test") as session:
        head = here.installed.people["head"]
        session.add(t.Unit(kind="root", code="r3", name="Gốc ba", search_key="goc ba", valid_from=seed.ALWAYS))
        session.flush()
        third = session.scalars(select(t.Unit.id).where(t.Unit.code == "r3")).one()
        post = {"person_id": head, "role": "admin", "unit_id": third, "valid_from": TODAY - 9 * DAY}
        session.execute(insert(t.Appointment).values(post | {"valid_to": TODAY + 9 * DAY}))
    # The post in r3 is given until Wednesday next week: the other one would end for good with its unit.
    refused(
        here.context.store,
        NO_ADMINISTRATOR,
        lambda: merge_units(here.context, [Merger("r2", "r3")], TODAY + DAY, NOW + DAY, by="root"),
    )


def test_undoing_a_merger_leaves_an_administrator(here: Playing) -> None:
    """The post before the merger was given an earlier end since: it is not held again when the new one goes."""
    store, kept = here.context.store, list[str]()
    first = the_post(here)
    with store.writing("test") as session:
        session.add(t.Unit(kind="root", code="r2", name="Gốc khác", search_key="goc khac", valid_from=seed.ALWAYS))
    merge_units(here.context, [Merger("root", "r2")], TODAY, NOW, by="root", keep_undo=kept.append)
    accounts.end_post(here.context, here.installed.people["admin"], first, TODAY - 3 * DAY, now=NOW, by="root")
    refused(store, NO_ADMINISTRATOR, lambda: undo(here.context, kept[0], NOW, by="root"))
    assert "admin" in units_of(here, "admin")


def test_two_administrators_who_end_each_other_at_once_do_not_both_succeed(here: Playing) -> None:
    people = here.installed.people
    appoint(here, "outsider_admin", "admin", "root")
    for _ in range(5):
        ready = threading.Barrier(2)

        def end(login: str, by: str, ready: threading.Barrier = ready) -> str:
            ready.wait()
            try:
                accounts.disable(here.context, login, NOW, people[by])
            except NotAllowed as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(end, ("admin", "outsider_admin"), ("outsider_admin", "admin")))
        assert sorted(map(bool, said)) == [False, True]
        assert NO_ADMINISTRATOR in "".join(said)
        for login in ("admin", "outsider_admin"):
            accounts.enable(here.context, login, NOW, "root")


def test_where_there_is_no_administrator_the_command_line_makes_the_first_one(store: Store) -> None:
    with store.writing("test") as session:
        root = t.Unit(kind="root", code="VN", name="Việt Nam", search_key="viet nam", valid_from=seed.ALWAYS)
        session.add(root)
    accounts.add_person(store, "quantri", "Quản trị", NOW, by="root")
    accounts.appoint(Context(store, definitions()), "quantri", "admin", "VN", TODAY, now=NOW, by="root")
    with store.reading("test") as session:
        assert [first for first, _ in administrators(session)] == [TODAY]


D = [TODAY + days * DAY for days in range(10)]


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ([], [], None),
        ([(D[0], D[9])], [], D[1]),  # from the day it is looked at on
        ([(D[0], D[9])], [(D[0], D[5])], D[5]),
        ([(D[0], D[9])], [(D[0], D[5]), (D[5], D[9])], None),
        ([(D[0], D[9])], [(D[0], D[4]), (D[6], D[9])], D[4]),
        ([(D[0], D[4]), (D[6], D[9])], [(D[0], D[4])], D[6]),  # a gap that was there is no loss
        ([(D[0], D[1])], [], None),  # what is past is past
        ([(D[3], D[9])], [(D[5], D[9])], D[3]),
    ],
)
def test_the_first_day_that_loses_its_administrator(
    before: list[Span], after: list[Span], lost: dt.date | None
) -> None:
    assert powers.lost_day(before, after, D[1]) == lost


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        ((D[0], D[5]), (D[0], D[5]), False),
        ((D[0], D[5]), (D[1], D[4]), False),
        ((D[0], D[5]), (D[0], D[6]), True),
        ((D[2], D[5]), (D[1], D[5]), True),
        (None, (D[0], D[1]), True),
        (None, (D[1], D[1]), False),
    ],
)
def test_what_is_held_on_another_day_is_more(before: Span | None, after: Span, more: bool) -> None:
    assert powers.grown({("post", 1, 0): before} if before else {}, {("post", 1, 0): after}) == more


# --- who is told ------------------------------------------------------------------------------------------------------


def told(here: Playing) -> set[tuple[str, str]]:
    """Who was told what, by the names of the cast."""
    with here.context.store.reading("test") as session:
        query = select(t.Notice.person_id, t.Notice.kind, t.Notice.act_id).where(t.Notice.act_id.is_not(None))
        found = session.execute(query).all()
        logins = dict(session.execute(select(t.Person.id, t.Person.login)).all())
    assert len({(person, act) for person, _kind, act in found}) == len(found), "told twice"
    return {(logins[person], kind) for person, kind, _act in found}


INSTALLATION_ACTS: dict[str, Callable[[Context, dict[str, int]], object]] = {
    "code_made": lambda context, people: signin_codes.make(context.store, "teacher", people["admin"], DAY, NOW),
    "password_reset": lambda context, people: accounts.reset_password(context.store, "teacher", NOW, people["admin"]),
    "account_shut": lambda context, people: accounts.disable(context, "teacher", NOW, people["admin"]),
    "appointed": lambda context, people: accounts.appoint(
        context, "teacher", "volunteer", "association", TODAY, now=NOW, by=people["admin"]
    ),
    "post_ended": lambda context, people: accounts.end_appointment(
        context, "teacher", "teacher", "class", TODAY, now=NOW, by="root"
    ),
    "absence_entered": lambda context, people: absences.enter(
        context, people["teacher"], None, TODAY, TODAY, "", NOW, by=people["admin"]
    ),
}


@pytest.mark.parametrize("kind", INSTALLATION_ACTS)
def test_the_person_concerned_and_the_office_over_them_are_told(here: Playing, kind: str) -> None:
    INSTALLATION_ACTS[kind](here.context, here.installed.people)
    assert told(here) == {("teacher", kind), ("education_office", BESIDE + kind)}


def test_where_there_is_no_office_the_administrators_are_told(here: Playing) -> None:
    with here.context.store.writing("test") as session:
        session.execute(delete(t.Appointment).where(t.Appointment.role == "education_office"))
    signin_codes.make(here.context.store, "teacher", "root", DAY, NOW)
    assert told(here) == {("teacher", "code_made"), ("admin", BESIDE + "code_made")}


def test_what_an_office_does_itself_or_has_done_to_itself_the_administrators_are_told(here: Playing) -> None:
    appoint(here, "education_office", "admin", "root")
    accounts.disable(here.context, "teacher", NOW, here.installed.people["education_office"])
    assert told(here) == {
        ("teacher", "account_shut"),
        ("education_office", BESIDE + "account_shut"),
        ("admin", BESIDE + "account_shut"),
    }


def test_the_nearest_office_is_told_and_the_next_one_only_where_that_is_who_acts(here: Playing) -> None:
    appoint(here, "outsider_admin", "education_office", "province")
    signin_codes.make(here.context.store, "teacher", here.installed.people["admin"], DAY, NOW)
    assert told(here) == {("teacher", "code_made"), ("education_office", BESIDE + "code_made")}
    accounts.disable(here.context, "head", NOW, here.installed.people["education_office"])
    assert told(here) >= {("head", "account_shut"), ("outsider_admin", BESIDE + "account_shut")}
    assert ("outsider_admin", BESIDE + "code_made") not in told(here)
    assert ("admin", BESIDE + "account_shut") not in told(here)


def test_a_new_account_without_a_post_is_told_to_the_administrators(here: Playing) -> None:
    accounts.add_person(here.context.store, "lan", "Y Lan", NOW, by=here.installed.people["admin"])
    assert told(here) == {("lan", "account_made"), ("admin", BESIDE + "account_made")}


def test_who_stands_in_is_told_and_the_office_hears_of_it_once(here: Playing) -> None:
    absences.go_away(
        here.context, Viewer(here.installed.people["head"]), here.installed.people["teacher"], TODAY, TODAY, "", NOW
    )
    assert told(here) == {
        ("head", "absence_entered"),
        ("teacher", "stands_in"),
        ("education_office", BESIDE + "absence_entered"),
    }


def test_who_goes_away_and_leaves_nobody_their_duties_is_told_nothing(here: Playing) -> None:
    absences.go_away(here.context, Viewer(here.installed.people["head"]), None, TODAY, TODAY, "", NOW)
    assert told(here) == set()


def test_standing_in_that_ends_with_a_leaver_is_written_down_and_told(here: Playing) -> None:
    people = here.installed.people
    absences.enter(here.context, people["teacher"], people["head"], TODAY, TODAY + 3 * DAY, "", NOW, by="root")
    leave(here.context, people["teacher"], NOW, people["admin"])
    assert {("teacher", "absence_ended"), ("head", "stood_in")} <= told(here)
    assert units_of(here, "head") == {"head"}


def test_posts_that_move_with_their_units_are_written_down_and_told(here: Playing) -> None:
    merge_units(here.context, [], TODAY, NOW, moves=[UnitMove("village", "outsider_commune")], by="root")
    assert {("commune_officer", "post_moved"), ("outsider_education_office", BESIDE + "post_moved")} <= told(here)
    again = rows(here.context.store)
    merge_units(here.context, [], TODAY, NOW, moves=[UnitMove("village", "outsider_commune")], by="root")
    assert rows(here.context.store) == again


def noted(store: Store) -> list[tuple[object, ...]]:
    """Kind, role, by whom at the command line, of what was written down about posts."""
    act = t.StaffAct
    with store.reading("test") as session:
        query = select(act.kind, act.role, act.operator, act.person_id, act.unit_id)
        return [tuple(row) for row in session.execute(query.order_by(act.id))]


def test_posts_that_an_undone_merger_moves_back_are_written_down_and_told(here: Playing) -> None:
    store, kept, moves = here.context.store, list[str](), [UnitMove("village", "outsider_commune")]
    merge_units(here.context, [], TODAY, NOW, moves=moves, by="root", keep_undo=kept.append)
    with store.writing("test") as session:
        session.execute(delete(t.Notice))
    before, merged = rows(store), len(noted(store))
    undo(here.context, kept[0], NOW, by="root", dry_run=True)
    assert rows(store) == before
    undo(here.context, kept[0], NOW, by="root")
    officer, village = here.installed.people["commune_officer"], here.installed.units["village"]
    assert ("post_moved", "commune_officer", "root", officer, village) in noted(store)[merged:]
    assert {("commune_officer", "post_moved"), ("education_office", BESIDE + "post_moved")} <= told(here)


def test_a_post_that_had_ended_with_a_merger_is_given_again_and_one_not_held_again_ends(here: Playing) -> None:
    store, kept, people = here.context.store, list[str](), here.installed.people
    merger = [Merger("village", "outsider_village")]
    appoint(here, "head", "commune_officer", "outsider_village")
    merge_units(here.context, merger, TODAY, NOW, by="root", keep_undo=kept.append)
    merged = noted(store)
    assert ("post_ended", people["commune_officer"]) in {(row[0], row[3]) for row in merged}
    undo(here.context, kept[0], NOW, by="root")
    assert ("appointed", people["commune_officer"]) in {(row[0], row[3]) for row in noted(store)[len(merged) :]}


def test_a_moved_post_whose_first_one_was_ended_earlier_since_ends_when_the_merger_is_undone(here: Playing) -> None:
    store, kept, officer = here.context.store, list[str](), here.installed.people["commune_officer"]
    moves = [UnitMove("village", "outsider_commune")]
    with store.reading("test") as session:
        own = t.Appointment.person_id == officer, t.Appointment.unit_id == here.installed.units["village"]
        first = session.scalars(select(t.Appointment.id).where(*own)).one()
    merge_units(here.context, [], TODAY, NOW, moves=moves, by="root", keep_undo=kept.append)
    accounts.end_post(here.context, officer, first, TODAY - 3 * DAY, now=NOW, by="root")
    before = len(noted(store))
    undo(here.context, kept[0], NOW, by="root")
    assert [(row[0], row[3]) for row in noted(store)[before:]] == [("post_ended", officer)]
    assert "commune_officer" not in units_of(here, "commune_officer")


def test_nobody_undoes_a_merger_to_see_other_pupils(here: Playing) -> None:
    store, admin, kept = here.context.store, here.installed.people["admin"], list[str]()
    merge_units(
        here.context, [], TODAY, NOW, moves=[UnitMove("village", "outsider_commune")], by="root", keep_undo=kept.append
    )
    appoint(here, "admin", "commune_leader", "commune")
    refused(store, "By this merger you would see pupils", lambda: undo(here.context, kept[0], NOW, by=admin))
