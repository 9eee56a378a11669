"""Which notice goes where and when, and that its words name no pupil."""

import datetime as dt
import itertools

import pytest

from engine.core.notices.planning import (
    CLOSURES,
    KINDS,
    MOST_ATTEMPTS,
    ChosenChannel,
    DigestItem,
    PlaceCount,
    PlannedMessage,
    Recipient,
    ToldWhen,
    after_quiet,
    digest_on,
    gather,
    next_digest,
    plan,
    reason,
    wait,
)
from engine.core.notices.texts import case_url, closure_text, digest_text, notice_text, trial_text, zalo_text
from engine.core.scenario.cast import PEOPLE, PUPILS
from engine.core.words import Label
from tests.installation import HERE, at, definitions
from tests.shipped_roles import ROLES

CALENDAR = definitions().calendar("")
URL = "https://ralop.example.vn"
HOURS = ToldWhen()  # quiet from 22:00 to 06:00, digest at 06:30
AT_ONCE = (ChosenChannel("email", enabled=True, digest=False),)
ALL = ("email", "push", "zalo")


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-02 21:59", "2026-03-02 21:59"),
        ("2026-03-02 22:00", "2026-03-03 06:00"),
        ("2026-03-02 23:59", "2026-03-03 06:00"),
        ("2026-03-03 00:00", "2026-03-03 06:00"),
        ("2026-03-03 05:59", "2026-03-03 06:00"),
        ("2026-03-03 06:00", "2026-03-03 06:00"),
    ],
)
def test_what_comes_into_the_quiet_hours_waits_for_their_end(now: str, until: str) -> None:
    assert after_quiet(at(now), HOURS, CALENDAR) == at(until)


def test_quiet_hours_may_lie_within_a_day_or_not_be_at_all() -> None:
    noon = ToldWhen(quiet_from=11 * 60, quiet_to=13 * 60)
    assert after_quiet(at("2026-03-02 12:00"), noon, CALENDAR) == at("2026-03-02 13:00")
    assert after_quiet(at("2026-03-02 23:00"), noon, CALENDAR) == at("2026-03-02 23:00")
    never = ToldWhen(quiet_from=0, quiet_to=0)
    assert after_quiet(at("2026-03-02 03:00"), never, CALENDAR) == at("2026-03-02 03:00")


@pytest.mark.parametrize(
    ("now", "digest"),
    [
        ("2026-03-02 06:29", "2026-03-02 06:30"),  # Monday
        ("2026-03-02 06:30", "2026-03-03 06:30"),
        ("2026-03-06 15:00", "2026-03-09 06:30"),  # Friday: not at the weekend
        ("2026-04-29 15:00", "2026-05-04 06:30"),  # 30 April and 1 May are holidays, then a weekend
    ],
)
def test_a_digest_comes_on_the_next_working_day(now: str, digest: str) -> None:
    moment, day = next_digest(at(now), HOURS, CALENDAR)
    assert (moment, day) == (at(digest), at(digest).astimezone(HERE).date())


def test_a_digest_in_the_quiet_hours_waits_for_their_end() -> None:
    assert digest_on(dt.date(2026, 3, 2), ToldWhen(digest_at=5 * 60), CALENDAR) == at("2026-03-02 06:00")
    assert digest_on(dt.date(2026, 3, 1), HOURS, CALENDAR) is None  # a Sunday


def planned(reader: Recipient, now: str, *, urgent: bool = False) -> list[PlannedMessage]:
    return plan(reader, ALL, at(now), CALENDAR, urgent=urgent)


def test_who_never_chose_gets_the_digest_by_email_if_there_is_an_address_and_else_the_app_alone() -> None:
    moment = at("2026-03-03 06:30")
    told = planned(Recipient(1, email="a@example.vn"), "2026-03-02 10:00")
    assert told == [PlannedMessage("email", moment, dt.date(2026, 3, 3))]
    assert planned(Recipient(1), "2026-03-02 10:00") == []


def test_an_urgent_notice_waits_for_no_digest_and_no_morning() -> None:
    night = "2026-03-02 23:30"
    assert planned(Recipient(1, email="a@example.vn"), night, urgent=True) == [PlannedMessage("email", at(night))]
    at_once = Recipient(1, email="a@example.vn", stored=AT_ONCE)
    assert planned(at_once, night) == [PlannedMessage("email", at("2026-03-03 06:00"))]
    assert planned(at_once, night, urgent=True) == [PlannedMessage("email", at(night))]


def test_only_channels_that_the_installation_has_and_that_reach_the_person_count() -> None:
    choices = (
        ChosenChannel("email", enabled=False, digest=True),
        ChosenChannel("push", enabled=True, digest=False),
        ChosenChannel("zalo", enabled=True, digest=False, address="42"),
        ChosenChannel("pigeon", enabled=True, digest=False, address="roof"),
    )
    reader = Recipient(1, email="a@example.vn", stored=choices)
    assert [it.channel for it in planned(reader, "2026-03-02 10:00")] == ["zalo"]
    with_phone = Recipient(1, email="a@example.vn", stored=choices, devices=1)
    assert [it.channel for it in planned(with_phone, "2026-03-02 10:00")] == ["push", "zalo"]
    assert planned(Recipient(1, email="a@example.vn", disabled=True), "2026-03-02 10:00", urgent=True) == []


def test_each_attempt_waits_longer_up_to_six_hours_and_all_of_them_outlast_a_night() -> None:
    minutes = [round(wait(attempts, 0.5).total_seconds() / 60) for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert minutes == [2, 6, 18, 54, 162, 360, 360, 360]
    assert sum(minutes[:-1]) > 12 * 60
    assert (wait(3, 0), wait(3, 1)) == (dt.timedelta(minutes=13.5), dt.timedelta(minutes=22.5))


# --- words ------------------------------------------------------------------------------------------------------------

WHY = Label("Quá 1 ngày học chưa liên hệ gia đình", "No contact with the family within 1 school day")
DUE = dt.datetime(2026, 3, 3, 17, tzinfo=HERE)


def test_a_notice_says_which_case_why_until_when_and_where_to_go() -> None:
    text = notice_text("RL-2026-000042", WHY, DUE, case_url(URL, "RL-2026-000042"), "vi")
    assert text.subject == "[Ra Lớp] RL-2026-000042: Quá 1 ngày học chưa liên hệ gia đình"
    assert text.body.splitlines()[:5] == [
        "Quá 1 ngày học chưa liên hệ gia đình.",
        "Hồ sơ: RL-2026-000042",
        "Hạn xử lý: 17:00 03/03/2026",
        "",
        "Xem và xử lý tại: https://ralop.example.vn/cases/RL-2026-000042",
    ]


def test_an_urgent_notice_says_so_in_its_subject_in_the_persons_language() -> None:
    assert notice_text("RL-1", WHY, None, URL, "vi", urgent=True).subject.startswith("[Ra Lớp] KHẨN: RL-1")
    assert notice_text("RL-1", WHY, None, URL, "en", urgent=True).subject.startswith("[Ra Lớp] Urgent: RL-1")
    assert "Deadline" not in notice_text("RL-1", WHY, None, URL, "en").body


def test_the_text_for_zalo_is_two_lines_that_can_be_copied() -> None:
    standing = (
        Label("Vắng học", "Absent"),
        Label("Giáo viên liên hệ gia đình ngay.", "The teacher contacts the family."),
    )
    said = zalo_text("RL-1", "https://x.vn/cases/RL-1", standing, DUE)
    assert said == (
        "[Ra Lớp] RL-1: Vắng học. Giáo viên liên hệ gia đình ngay. Hạn xử lý: 17:00 03/03/2026.\n"
        "https://x.vn/cases/RL-1"
    )


def test_no_text_of_any_rule_names_a_pupil_a_school_a_class_or_a_cause() -> None:
    rules, workflow = definitions().rules("dropout"), definitions().workflow("dropout")
    names = {pupil.name for pupil in PUPILS.values()} | set(PEOPLE.values())
    causes = {choice.label.in_(language) for choice in workflow.fields["causes"].choices for language in ("vi", "en")}
    kinds = [*KINDS, *CLOSURES, *(rule.id for rule in rules.rules), "a-rule-of-long-ago"]
    for kind, language, urgent in itertools.product(kinds, ("vi", "en"), (False, True)):
        why = reason(definitions(), "dropout", rules.version, kind)
        text = notice_text("RL-1", why, DUE, case_url(URL, "RL-1"), language, urgent=urgent)
        digest = digest_text(gather([DigestItem("RL-1", why, DUE, "teacher", "")]), DUE.date(), URL, language)
        for said in (
            text.subject,
            text.body,
            digest.subject,
            digest.body,
            zalo_text("RL-1", URL, (why,), DUE, language),
        ):
            assert not [name for name in names | causes if name in said]


def test_a_trial_says_nothing_about_any_case() -> None:
    assert "RL-" not in trial_text(URL, "vi").body


# --- digests ----------------------------------------------------------------------------------------------------------


def item(code: str, role: str = "teacher", *, due: int = 3, why: str = "x", place: str = "Trường A") -> DigestItem:
    return DigestItem(code, Label(why, why), dt.datetime(2026, 3, due, 17, tzinfo=HERE), role, place)


def test_a_digest_tells_each_case_once_with_its_latest_news_the_nearest_deadline_first() -> None:
    digest = gather([item("RL-1", due=5, why="old"), item("RL-2", due=4), item("RL-1", due=5, why="new")])
    assert [(it.code, it.why.en) for it in digest.items] == [("RL-2", "x"), ("RL-1", "new")]


def test_a_leader_is_told_numbers_by_place_and_no_codes() -> None:
    told = [item(f"RL-{n}", "commune_leader", place="Trường A") for n in range(20)]
    told += [item("RL-0", "commune_leader"), item("RL-30", "commune_leader", place="Trường B")]
    urging = [PlaceCount("Trường A", overdue=7, waiting=2), PlaceCount("Trường C", overdue=1)]
    digest = gather(told, urging, leaders=ROLES.leaders)
    assert digest.counts == (
        PlaceCount("Trường A", news=20, overdue=7, waiting=2),
        PlaceCount("Trường B", news=1),
        PlaceCount("Trường C", overdue=1),
    )
    body = digest_text(digest, dt.date(2026, 3, 2), URL, "vi").body
    assert "RL-" not in body
    assert "- Trường A: quá hạn: 7; chờ tiếp nhận: 2; có tin mới: 20" in body


def test_a_leader_who_has_a_case_in_hand_gets_it_by_its_code() -> None:
    digest = gather([item("RL-1", "assignee"), item("RL-2", "commune_leader")], leaders=ROLES.leaders)
    assert ([it.code for it in digest.items], digest.counts) == (["RL-1"], (PlaceCount("Trường A", news=1),))


def test_a_closure_is_told_once_with_its_page_beside_the_news_of_the_same_case() -> None:
    moved = reason(definitions(), "dropout", 1, "closure_announced", 3)
    told = [
        item("RL-1"),
        *(DigestItem("RL-1", moved, DUE, role, "Trường A", 7) for role in ("assignee", "commune_leader")),
    ]
    digest = gather(told)
    assert ([it.code for it in digest.items], digest.counts, len(digest.closures)) == (["RL-1"], (), 1)
    assert digest_text(digest, dt.date(2026, 3, 2), URL, "vi").body.count(f"{URL}/closures/7") == 1
    alone = digest_text(gather(told[1:]), dt.date(2026, 3, 2), URL, "vi")
    assert "- Có ngày tạm dừng đến lớp, hạn xử lý dời đi: 3 hồ sơ." in alone.body
    assert "RL-" not in alone.body


def test_a_notice_about_a_closure_says_how_many_cases_and_names_none() -> None:
    assert [reason(definitions(), "dropout", 1, "closure_lifted", n).en for n in (1, 2)] == [
        "Days without class were lifted, deadlines moved: 1 case",
        "Days without class were lifted, deadlines moved: 2 cases",
    ]
    text = closure_text(reason(definitions(), "dropout", 1, "closure_changed", 2), f"{URL}/closures/7", "vi")
    assert text.subject == "[Ra Lớp] Ngày tạm dừng đến lớp được sửa, hạn xử lý tính lại: 2 hồ sơ"
    assert f"{URL}/closures/7" in text.body


def test_a_digest_of_nothing_is_nothing() -> None:
    assert not gather([])


def test_a_long_digest_says_how_many_it_leaves_out() -> None:
    body = digest_text(gather([item(f"RL-{n:03}") for n in range(60)]), dt.date(2026, 3, 2), URL, "en").body
    assert body.count("RL-049") == 2  # its line and its link
    assert "RL-050" not in body
    assert "… and 10 more" in body
