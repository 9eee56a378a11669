"""Days without class: who may announce them, and the deadlines that are counted anew with an entry for each."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select

from engine.core.cases.act import Act
from engine.core.cases.casework import Actor, Casework, Entry
from engine.core.people.access import Viewer
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound, Refused
from engine.store import tables as t
from engine.store.calendar.closures import Plan, Touched
from engine.store.cases import verify
from engine.store.simulation import seed
from engine.usecases.calendar.closures import announce_closure, change_closure, lift_closure, preview
from engine.usecases.cases import case_acts
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]

NOW = at("2026-03-09 08:00")
FIRST, LAST = dt.date(2026, 3, 10), dt.date(2026, 3, 11)


def announce(
    installed: CastInstallation, member: str | None, scope: str = "school", reason: str = "Bão", **more: object
) -> int:
    held = (
        {"pupil_id": installed.cast.pupils["pupil"]} if scope == "pupil" else {"unit_id": installed.cast.units[scope]}
    )
    viewer = installed.viewer(member) if member else None
    when = {"first_day": FIRST, "last_day": LAST, **more}
    return announce_closure(installed.context, viewer, reason=reason, now=NOW, **held, **when)  # type: ignore[arg-type]


def refusal(installed: CastInstallation, member: str, scope: str) -> str:
    try:
        announce(installed, member, scope)
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize(
    ("member", "pupil", "class_", "school", "commune"),
    [
        ("teacher", "", "", "not_allowed", "not_allowed"),
        ("head", "", "", "", "not_allowed"),
        ("commune_officer", "no_access", "no_access", "no_access", "not_allowed"),
        ("commune_leader", "", "", "", ""),
        ("volunteer", "no_access", "no_access", "no_access", "not_allowed"),
        ("admin", "not_allowed", "", "", ""),  # any unit, no pupil
        ("education_office", "", "", "", ""),
        ("outsider_head", "no_access", "no_access", "no_access", "no_access"),
        ("outsider_education_office", "no_access", "no_access", "no_access", "no_access"),
    ],
)
def test_who_may_announce_what(
    installed: CastInstallation, member: str, pupil: str, class_: str, school: str, commune: str
) -> None:
    asked = {"pupil": pupil, "class": class_, "school": school, "commune": commune}
    assert {scope: refusal(installed, member, scope) for scope in asked} == asked


def test_a_recount_is_an_entry_that_says_what_moved_and_why_without_the_reason(installed: CastInstallation) -> None:
    code = installed.open(NOW)
    closure = announce(installed, "head", "class", reason="Cả lớp bị sởi")
    with installed.store.reading("test") as session:
        entry = session.scalars(select(t.Event).where(t.Event.kind == "recounted")).one()
    assert entry.role == "head"
    assert entry.data == {
        "because": "closure",
        "closure": closure,
        "scope": "class",
        "first": "2026-03-10",
        "last": "2026-03-11",
        "due_before": "2026-03-10T10:00:00+00:00",
        "due": "2026-03-12T10:00:00+00:00",
    }
    assert installed.kinds(code) == ["opened", "recounted"]
    assert list(verify.breaks(installed.store)) == []


def test_where_no_deadline_moves_there_is_no_entry(installed: CastInstallation) -> None:
    code = installed.open(NOW)
    announce(installed, "head", first_day=dt.date(2026, 4, 1), last_day=dt.date(2026, 4, 1))
    assert installed.kinds(code) == ["opened"]


def test_closed_cases_and_those_of_others_are_left_alone(installed: CastInstallation) -> None:
    ended, other = installed.open(NOW), installed.open(NOW, pupil="saturday_pupil")
    case_acts.step(installed.context, Act(installed.viewer("head"), ended, {"reason": "Nhầm"}, NOW), "mark_error")
    announce(installed, "head", "class")
    assert (installed.kinds(ended), installed.kinds(other)) == (["opened", "mark_error"], ["opened"])


def test_more_cases_than_one_batch_are_all_counted_anew(installed: CastInstallation) -> None:
    codes = [installed.open(NOW, pupil=pupil) for pupil in ("pupil", "classmate", "saturday_pupil")]
    announce(installed, None, "province", batch=1)
    assert [installed.kinds(code) for code in codes] == [["opened", "recounted"]] * 3


def test_a_case_whose_rules_count_no_school_days_is_touched_but_not_looked_at(
    installed: CastInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = installed.open(at("2026-03-02 08:00"))
    case_acts.step(
        installed.context, Act(installed.viewer("head"), code, {}, NOW), "ask_commune"
    )  # the commune's days are working days
    installed.open(NOW, pupil="classmate")
    looked: list[str] = []
    recount = Casework.recount

    def looking(work: Casework, kind: str, actor: Actor, data: dict[str, object]) -> bool:
        looked.append(work.facts.code)
        return recount(work, kind, actor, data)

    monkeypatch.setattr(Casework, "recount", looking)
    closure = announce(installed, None, "province")
    with installed.store.reading("test") as session:
        act = session.scalars(select(t.ClosureAct).where(t.ClosureAct.closure_id == closure)).one()
    assert (act.recounted, act.moved, looked) == (2, 1, ["RL-2026-000002"])


def test_the_next_look_moves_with_the_deadline(installed: CastInstallation) -> None:
    code = installed.open(NOW)
    before = installed.case(code).next_look_at
    closure = announce(installed, "teacher", "pupil")
    moved = installed.case(code).next_look_at
    lift_closure(installed.context, installed.viewer("teacher"), closure, dt.date(2026, 3, 9), NOW)
    assert (before, moved, installed.case(code).next_look_at) == (
        at("2026-03-10 17:00"),
        at("2026-03-12 17:00"),
        at("2026-03-10 17:00"),
    )


def test_a_closure_is_lifted_by_those_who_may_announce_it_and_never_made_longer(installed: CastInstallation) -> None:
    closure = announce(installed, "head")
    with pytest.raises(NotAllowed):
        lift_closure(installed.context, installed.viewer("teacher"), closure, FIRST, NOW)
    with pytest.raises(NoAccess):
        lift_closure(installed.context, installed.viewer("outsider_head"), closure, FIRST, NOW)
    with pytest.raises(Invalid, match="The closure ends on 11/03/2026 already"):
        lift_closure(installed.context, installed.viewer("head"), closure, dt.date(2026, 3, 12), NOW)
    lift_closure(installed.context, installed.viewer("commune_leader"), closure, FIRST, NOW)
    with installed.store.reading("test") as session:
        row = session.get_one(t.Closure, closure)
        assert (row.last_day, row.lifted_at) == (FIRST, NOW)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"last_day": dt.date(2026, 3, 9)}, {"last_day": "The last day is before the first one."}),
        ({"reason": "  "}, {"reason": "Give a reason: families and offices read it."}),
        ({"reason": "x" * 201}, {"reason": "The reason is 201 characters long; 200 is the most."}),
    ],
)
def test_what_is_filled_in_wrongly_is_told_and_nothing_is_stored(
    installed: CastInstallation, wrong: dict[str, object], said: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        announce(installed, "head", **wrong)  # type: ignore[arg-type]
    assert {name: str(sentence) for name, sentence in refused.value.fields.items()} == said
    with installed.store.reading("test") as session:
        assert session.scalars(select(t.Closure)).all() == []


def test_there_is_nothing_to_announce_for_or_to_lift(installed: CastInstallation) -> None:
    days = {"first_day": FIRST, "last_day": LAST, "reason": "Bão", "now": NOW}
    for held in ({"unit_id": 999_999}, {"pupil_id": 999_999}):
        with pytest.raises(NotFound):
            announce_closure(installed.context, Viewer(1), **held, **days)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        lift_closure(installed.context, None, 999_999, FIRST, NOW)


# --- preview, changing, twice the same request ------------------------------------------------------------------------


def acts(installed: CastInstallation) -> list[tuple[str, str, int, int]]:
    with installed.store.reading("test") as session:
        found = session.execute(
            select(t.ClosureAct.kind, t.ClosureAct.last_day, t.ClosureAct.recounted, t.ClosureAct.moved).order_by(
                t.ClosureAct.id
            )
        )
        return [(kind, last.isoformat(), touched, moved) for kind, last, touched, moved in found]


def test_a_preview_tells_what_announcing_would_do_and_stores_nothing(installed: CastInstallation) -> None:
    codes = [installed.open(NOW, pupil=pupil) for pupil in ("pupil", "classmate", "saturday_pupil")]
    head, school = installed.viewer("head"), installed.cast.units["school"]
    assert preview(installed.context, head, Plan(FIRST, LAST, "Bão"), NOW, unit_id=school) == Touched(3, 3)
    april = dt.date(2026, 4, 1)
    assert preview(installed.context, head, Plan(april, april, "Bão"), NOW, unit_id=school) == Touched(3, 0)
    assert [installed.kinds(code) for code in codes] == [["opened"]] * 3
    announce(installed, "head")
    assert acts(installed) == [("announced", "2026-03-11", 3, 3)]


def test_a_preview_of_a_change_looks_at_the_closure_as_it_would_be(installed: CastInstallation) -> None:
    installed.open(NOW)
    closure = announce(installed, "head")
    head = installed.viewer("head")
    same = preview(installed.context, head, Plan(FIRST, LAST, "Bão"), NOW, closure_id=closure)
    longer = preview(installed.context, head, Plan(FIRST, dt.date(2026, 3, 12), "Bão"), NOW, closure_id=closure)
    gone = preview(installed.context, head, Plan(FIRST, dt.date(2026, 3, 9), "Bão"), NOW, closure_id=closure)
    assert (same, longer, gone) == (Touched(1, 0), Touched(1, 1), Touched(1, 1))


def test_a_preview_stops_when_it_has_seen_enough(installed: CastInstallation) -> None:
    for pupil in ("pupil", "classmate"):
        installed.open(NOW, pupil=pupil)
    found = preview(
        installed.context,
        installed.viewer("head"),
        Plan(FIRST, LAST, "Bão"),
        NOW,
        unit_id=installed.cast.units["school"],
        most=1,
        batch=1,
    )
    assert found == Touched(1, 1, all=False)


def test_a_preview_is_refused_as_announcing_would_be(installed: CastInstallation) -> None:
    with pytest.raises(NoAccess):
        preview(
            installed.context,
            installed.viewer("outsider_head"),
            Plan(FIRST, LAST, "Bão"),
            NOW,
            unit_id=installed.cast.units["school"],
        )
    with pytest.raises(Invalid):
        preview(
            installed.context,
            installed.viewer("head"),
            Plan(FIRST, LAST, ""),
            NOW,
            unit_id=installed.cast.units["school"],
        )


def test_a_closure_can_be_made_longer_and_the_deadlines_move_again(installed: CastInstallation) -> None:
    code = installed.open(NOW)
    closure = announce(installed, "head")
    change_closure(
        installed.context, installed.viewer("head"), closure, Plan(FIRST, dt.date(2026, 3, 12), "Bão", "zalo"), NOW
    )
    assert installed.kinds(code) == ["opened", "recounted", "recounted"]
    assert installed.case(code).due_at == at("2026-03-13 17:00")
    assert acts(installed) == [("announced", "2026-03-11", 1, 1), ("changed", "2026-03-12", 1, 1)]
    change_closure(
        installed.context, installed.viewer("head"), closure, Plan(FIRST, dt.date(2026, 3, 12), "Bão", "zalo"), NOW
    )
    assert len(acts(installed)) == 2  # the same again is no change
    with pytest.raises(NoAccess):
        change_closure(installed.context, installed.viewer("outsider_head"), closure, Plan(FIRST, LAST, "Bão"), NOW)
    with pytest.raises(Invalid):
        change_closure(installed.context, installed.viewer("head"), closure, Plan(LAST, FIRST, "Bão"), NOW)


def test_the_same_request_again_announces_and_lifts_nothing_more(installed: CastInstallation) -> None:
    code = installed.open(NOW)
    head, school = installed.viewer("head"), installed.cast.units["school"]
    same = {"unit_id": school, "first_day": FIRST, "last_day": LAST, "reason": "Bão", "now": NOW, "key": "k1"}
    first, second = (announce_closure(installed.context, head, **same) for _ in range(2))  # type: ignore[arg-type]
    assert first == second
    for _ in range(2):
        lift_closure(installed.context, head, first, FIRST, NOW, key="k2")
    assert [kind for kind, *_ in acts(installed)] == ["announced", "lifted"]
    assert installed.kinds(code) == ["opened", "recounted", "recounted"]
    with pytest.raises(Conflict):
        announce_closure(installed.context, installed.viewer("commune_leader"), **same)  # type: ignore[arg-type]


def test_two_requests_with_one_key_at_the_same_moment_announce_once(installed: CastInstallation) -> None:
    head, school = installed.viewer("head"), installed.cast.units["school"]

    def announced(_number: int) -> int:
        return announce_closure(
            installed.context, head, unit_id=school, first_day=FIRST, last_day=LAST, reason="Bão", now=NOW, key="k"
        )

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(announced, range(4)))) == 1
    with installed.store.reading("test") as session:
        assert len(session.scalars(select(t.Closure)).all()) == 1


def test_a_closed_village_holds_those_who_live_there_wherever_they_learn(installed: CastInstallation) -> None:
    here, boarder = installed.open(NOW), installed.open(NOW, pupil="boarder")  # the boarder lives in the other commune
    announce(installed, "outsider_commune_leader", "outsider_village")
    assert (installed.kinds(here), installed.kinds(boarder)) == (["opened"], ["opened", "recounted"])
    assert refusal(installed, "commune_leader", "outsider_village") == "no_access"
    assert refusal(installed, "commune_leader", "village") == ""
    assert refusal(installed, "commune_officer", "village") == "not_allowed"


def test_a_closure_of_more_than_a_year_is_a_slip_of_the_pen(installed: CastInstallation) -> None:
    with pytest.raises(Invalid, match="too long"):
        announce(installed, "head", last_day=dt.date(2027, 3, 11))
    with pytest.raises(Invalid, match="from the list"):
        announce_closure(
            installed.context,
            None,
            unit_id=installed.cast.units["school"],
            first_day=FIRST,
            last_day=LAST,
            reason="Bão",
            study_mode="radio",
            now=NOW,
        )


# --- who is told ------------------------------------------------------------------------------------------------------


def told(installed: CastInstallation) -> list[tuple[str, str, str, int, int | None]]:
    """Who was told of closures, as what, of what, of how many cases, of which closure; the oldest first."""
    names = {id: name for name, id in installed.cast.people.items()}
    with installed.store.reading("test") as session:
        rows = session.scalars(select(t.Notice).where(t.Notice.closure_id.is_not(None)).order_by(t.Notice.id))
        return [(names[row.person_id], row.role, row.kind, row.cases, row.closure_id) for row in rows]


def test_who_is_to_act_is_told_once_of_all_cases_whose_deadlines_moved(installed: CastInstallation) -> None:
    first, _ = installed.open(NOW), installed.open(NOW, pupil="classmate")
    closure = announce(installed, "head")
    assert told(installed) == [("teacher", "assignee", "closure_announced", 2, closure)]
    with installed.store.reading("test") as session:
        notice = session.scalars(select(t.Notice).where(t.Notice.closure_id == closure)).one()
        moved = session.get_one(t.Event, (notice.case_id, notice.seq))
        assert (moved.kind, notice.urgent, notice.planned_at) == ("recounted", False, None)
    assert installed.case(first).id == notice.case_id


def test_who_entered_it_is_not_told_nor_anybody_where_no_deadline_moved(installed: CastInstallation) -> None:
    installed.open(NOW)
    announce(installed, "teacher", "class")
    announce(installed, "head", first_day=dt.date(2026, 4, 1), last_day=dt.date(2026, 4, 1))
    assert told(installed) == []


def test_a_change_and_an_early_end_are_told_each_once(installed: CastInstallation) -> None:
    installed.open(NOW)
    closure, head = announce(installed, "head"), installed.viewer("head")
    for _ in range(2):
        change_closure(installed.context, head, closure, Plan(FIRST, dt.date(2026, 3, 13), "Bão"), NOW, key="change")
    for _ in range(2):
        lift_closure(installed.context, head, closure, FIRST, NOW, key="lift")
    assert [row[2] for row in told(installed)] == ["closure_announced", "closure_changed", "closure_lifted"]


def test_who_stands_in_is_told_instead(installed: CastInstallation) -> None:
    installed.open(NOW)
    people = installed.cast.people
    with installed.store.writing("test") as session:
        seed.send_away(session, people["teacher"], dt.date(2026, 3, 9), LAST, people["volunteer"])
    announce(installed, "head")
    assert [row[:2] for row in told(installed)] == [("volunteer", "assignee")]


def test_those_in_the_post_that_a_case_waits_for_are_told(
    installed: CastInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.usecases.calendar.closures._concerned", lambda *_given: lambda *_state: True)
    code = installed.open(NOW)
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, {"note": "Nhà xa"}, NOW), "ask_commune")
    monkeypatch.setattr(Casework, "recount", _moved)
    announce(installed, "head")
    assert [row[:2] for row in told(installed)] == [("commune_officer", "commune_officer")]


def _moved(work: Casework, kind: str, actor: Actor, data: dict[str, object]) -> bool:
    work.entries.append(Entry(kind, work.now, actor.person_id, actor.role(), dict(data)))
    return True


def test_telling_takes_no_statement_more_for_more_cases(installed: CastInstallation) -> None:
    seen: list[str] = []
    event.listen(installed.store.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    installed.open(NOW)
    counts = []
    for pupil in ("classmate", "saturday_pupil"):
        seen.clear()
        closure = announce(installed, "head")
        counts.append(len(seen))
        lift_closure(installed.context, None, closure, FIRST - dt.timedelta(days=1), NOW)
        installed.open(NOW, pupil=pupil)
    seen.clear()
    announce(installed, "head")
    assert counts == [len(seen)] * 2
    assert told(installed)[-1][3] == 3
