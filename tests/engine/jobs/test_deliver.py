"""Every notice is sent at least once, and never while somebody sleeps: on both databases, by real SMTP."""

import datetime as dt
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from engine.channels import Channel, Message, NotSent, Send, Unreachable
from engine.channels.email import EmailChannel
from engine.channels.outbox import Outbox
from engine.core.cases.act import Act
from engine.core.notices.planning import MOST_ATTEMPTS, ChosenChannel, ToldWhen
from engine.core.scenario.cast import PEOPLE, PUPILS
from engine.core.words import Label
from engine.jobs.deliver import CLAIM, REST, Delivered, deliver
from engine.jobs.plan_notices import send_trial
from engine.jobs.sweep import run_due
from engine.store import tables as t
from engine.store.notices import deliveries as log
from engine.store.notices.deliveries import Logged
from engine.store.notices.notices import put_choices
from engine.usecases.calendar.closures import announce_closure
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from engine.usecases.people import accounts, signin_codes
from tests.installation import CALLED, OPENED, CastInstallation, at, installed
from tests.mailbox import Mailbox, serving
from tests.shipped_roles import ROLES

__all__ = ["installed"]

URL = "https://ralop.example.vn"
MONDAY_16 = at("2026-03-02 16:00")
THURSDAY_17 = at("2026-03-05 17:00")  # contact-failed fires: the commune's officer is offered the case
THURSDAY_18 = at("2026-03-05 18:00")
FRIDAY_DIGEST = at("2026-03-06 06:30")
AT_ONCE = ChosenChannel("fake", enabled=True, digest=False, address="x")
MINUTE = dt.timedelta(minutes=1)


class Fake:
    """A channel that notes what it was given, and then does what it was told to do."""

    name, label, ask = "fake", Label("giả", "fake"), None

    def __init__(self) -> None:
        self.given: list[tuple[str, Message]] = []
        self.then: Callable[[str], None] = lambda address: None

    @contextmanager
    def connect(self) -> Iterator[Send]:
        def send(address: str, message: Message) -> None:
            self.given.append((address, message))
            self.then(address)

        yield send

    @property
    def keys(self) -> list[str]:
        return [message.key for _, message in self.given]


def context_with(installed: CastInstallation, *channels: Channel) -> Context:
    return replace(installed.context, outbox=Outbox(URL, {channel.name: channel for channel in channels}))


def choose(installed: CastInstallation, member: str, *choices: ChosenChannel, hours: ToldWhen = ToldWhen()) -> None:  # noqa: B008 - frozen
    with installed.store.writing("test") as session:
        put_choices(session, installed.cast.people[member], hours, choices)


def give_addresses(installed: CastInstallation, *members: str) -> None:
    with installed.store.writing("test") as session:
        for member in members:
            whose = t.Person.id == installed.cast.people[member]
            session.execute(update(t.Person).where(whose).values(email=f"{member}@example.vn"))


def offered(installed: CastInstallation, pupil: str = "pupil") -> str:
    """A case that the commune officer is offered on Thursday at closing; the head is told, too."""
    code = installed.open(pupil=pupil)
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, CALLED, MONDAY_16), "contact")
    run_due(installed.context, THURSDAY_17)
    return code


def logged(installed: CastInstallation, **narrowed: str) -> list[Logged]:
    with installed.store.reading("test") as session:
        return log.log_of(session, **narrowed)  # type: ignore[arg-type]


def only(installed: CastInstallation) -> Logged:
    (found,) = logged(installed)
    return found


def test_a_closure_goes_out_by_itself_or_in_the_digest_with_its_own_page(installed: CastInstallation) -> None:
    give_addresses(installed, "teacher")
    choose(installed, "teacher", AT_ONCE)
    installed.open()
    installed.open(pupil="classmate")
    closure = announce_closure(
        installed.context,
        installed.viewer("head"),
        unit_id=installed.cast.units["school"],
        first_day=dt.date(2026, 3, 3),
        last_day=dt.date(2026, 3, 4),
        reason="Lũ",
        now=MONDAY_16,
    )
    fake = Fake()
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings), fake)
        deliver(context, MONDAY_16)
        deliver(context, at("2026-03-03 06:30"))
    ((_, message),) = fake.given
    assert message.subject == "[Ra Lớp] Có ngày tạm dừng đến lớp, hạn xử lý dời đi: 2 hồ sơ"
    assert message.url == f"{URL}/closures/{closure}"
    (mail,) = mailbox.mails
    assert f"2 hồ sơ.\n  {URL}/closures/{closure}" in mail.get_content().replace("\r\n", "\n")


def test_an_act_on_an_account_goes_to_its_person_at_once_and_to_the_office_in_the_digest(
    installed: CastInstallation,
) -> None:
    give_addresses(installed, "teacher", "education_office", "admin")
    night = at("2026-03-02 23:30")
    for _ in range(2):
        signin_codes.make(installed.store, "teacher", installed.cast.people["admin"], dt.timedelta(hours=1), night)
    appointed = ("teacher", "volunteer", "association", night.date())
    accounts.appoint(installed.store, ROLES, *appointed, now=night, by=installed.cast.people["admin"])
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings))
        deliver(context, night)
        assert [str(mail["To"]) for mail in mailbox.mails] == ["teacher@example.vn"] * 2
        mail = mailbox.mails[0]
        assert mail["Subject"] == "[Ra Lớp] KHẨN: Có mã đăng nhập mới cho tài khoản của anh/chị"
        assert "báo ngay cho quản trị viên" in mail.get_content()
        deliver(context, at("2026-03-03 06:30"))
    digests = {str(mail["To"]): mail.get_content() for mail in mailbox.mails[2:]}
    assert sorted(digests) == ["education_office@example.vn", "teacher@example.vn"]
    assert "- Thay đổi tài khoản, vị trí: Tạo mã đăng nhập một lần: 2" in digests["education_office@example.vn"]
    assert "- Thay đổi tài khoản, vị trí: Giao vị trí: 1" in digests["education_office@example.vn"]
    assert "- Anh/chị được giao một vị trí: 1" in digests["teacher@example.vn"]
    said = "".join(str(mail["Subject"]) + mail.get_content() for mail in mailbox.mails)
    assert not [name for name in (*PEOPLE.values(), *(it.name for it in PUPILS.values())) if name in said]
    assert f"{URL}/notices" in said


# --- when -------------------------------------------------------------------------------------------------------------


def test_who_never_chose_finds_the_cases_of_a_day_in_one_mail_in_the_morning(installed: CastInstallation) -> None:
    give_addresses(installed, "commune_officer")
    codes = [offered(installed), offered(installed, "classmate")]
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings))
        assert deliver(context, THURSDAY_18) == Delivered(planned=4)
        assert deliver(context, FRIDAY_DIGEST - MINUTE) == Delivered()
        assert deliver(context, FRIDAY_DIGEST) == Delivered(sent=1)
    (mail,) = mailbox.mails
    assert mail["To"] == "commune_officer@example.vn"
    assert mail["Subject"] == "[Ra Lớp] Việc của anh/chị ngày 06/03/2026"
    assert [code in mail.get_content() for code in codes] == [True, True]


def test_a_notice_by_itself_goes_out_at_once_by_day_and_after_six_by_night(installed: CastInstallation) -> None:
    fake, code = Fake(), offered(installed)
    choose(installed, "commune_officer", AT_ONCE)
    choose(installed, "head", AT_ONCE, hours=ToldWhen(quiet_from=17 * 60, quiet_to=7 * 60))
    context = context_with(installed, fake)
    deliver(context, THURSDAY_18)
    ((_, message),) = fake.given
    assert message.subject.startswith(f"[Ra Lớp] {code}: ")
    assert message.url == f"{URL}/cases/{code}"
    deliver(context, at("2026-03-06 06:59"))
    assert len(fake.given) == 1
    deliver(context, at("2026-03-06 07:00"))
    assert len(fake.given) == 2


def test_what_a_worker_that_was_down_finds_at_night_waits_for_the_morning(installed: CastInstallation) -> None:
    fake = Fake()
    offered(installed)
    choose(installed, "commune_officer", AT_ONCE)
    fake.then = _raise(NotSent("busy"))
    deliver(context_with(installed, fake), THURSDAY_18)
    context = context_with(installed, quiet := Fake())
    deliver(context, at("2026-03-05 23:00"))
    assert (quiet.given, only(installed).attempts) == ([], 1)
    deliver(context, at("2026-03-06 06:00"))
    assert len(quiet.given) == 1


def _raise(error: BaseException) -> Callable[[str], None]:
    def then(address: str) -> None:
        raise error

    return then


def test_an_urgent_notice_goes_out_in_the_middle_of_the_night_though_a_digest_was_chosen(
    installed: CastInstallation,
) -> None:
    give_addresses(installed, "teacher", "head")
    now = at("2026-03-02 23:30")
    causes = installed.context.definitions.workflow("dropout").fields["causes"].choices
    values = OPENED | {"causes": [next(it.code for it in causes if it.flag == "safety")]}
    case_acts.open_case(
        installed.context, installed.viewer("teacher"), installed.cast.pupils["pupil"], values, at("2026-03-02 08:00")
    )
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings))
        run_due(context, now)  # safety-first: four working hours without contact
        deliver(context, now)
    assert {str(mail["To"]) for mail in mailbox.mails} == {"teacher@example.vn", "head@example.vn"}
    assert all("KHẨN" in subject for subject in mailbox.subjects)


def test_in_the_app_a_notice_stands_once_and_without_channels_nothing_leaves_the_installation(
    installed: CastInstallation,
) -> None:
    give_addresses(installed, "commune_officer")
    offered(installed)
    for _ in range(2):
        deliver(installed.context, THURSDAY_18)
    assert logged(installed) == []
    with installed.store.reading("test") as session:
        told = session.execute(select(t.Notice.person_id, t.Notice.kind)).all()
        assert len(told) == len(set(told)) == 2
    with serving(Mailbox()) as mailbox:  # mail is switched on later: what is old by then is not sent
        deliver(context_with(installed, EmailChannel(mailbox.settings)), FRIDAY_DIGEST)
    assert mailbox.mails == []


def test_words_are_in_the_persons_language(installed: CastInstallation) -> None:
    fake = Fake()
    with installed.store.writing("test") as session:
        session.execute(update(t.Person).values(language="en"))
    offered(installed)
    choose(installed, "commune_officer", AT_ONCE)
    deliver(context_with(installed, fake), THURSDAY_18)
    assert "Deadline: 17:00 06/03/2026" in fake.given[0][1].body


# --- at least once ----------------------------------------------------------------------------------------------------


def test_killed_between_sending_and_marking_it_is_sent_again_under_the_same_id(installed: CastInstallation) -> None:
    give_addresses(installed, "commune_officer")
    offered(installed)
    with serving(Mailbox()) as mailbox:

        class Killed(EmailChannel):
            @contextmanager
            def connect(self) -> Iterator[Send]:
                with super().connect() as line:

                    def send(address: str, message: Message) -> None:
                        line(address, message)
                        raise SystemExit

                    yield send

        deliver(context_with(installed, EmailChannel(mailbox.settings)), THURSDAY_18)
        with pytest.raises(SystemExit):
            deliver(context_with(installed, Killed(mailbox.settings)), FRIDAY_DIGEST)
        context = context_with(installed, EmailChannel(mailbox.settings))
        deliver(context, FRIDAY_DIGEST + CLAIM - MINUTE)
        assert len(mailbox.mails) == 1  # it may be that the other worker is still at it
        deliver(context, FRIDAY_DIGEST + CLAIM)
        deliver(context, FRIDAY_DIGEST + 2 * CLAIM)
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert (only(installed).state, only(installed).attempts) == ("sent", 1)


def test_killed_before_sending_it_is_sent_later(installed: CastInstallation) -> None:
    fake = Fake()
    offered(installed)
    choose(installed, "commune_officer", AT_ONCE)

    class Dying(Fake):
        @contextmanager
        def connect(self) -> Iterator[Send]:
            raise SystemExit
            yield  # type: ignore[unreachable]

    with pytest.raises(SystemExit):
        deliver(context_with(installed, Dying()), THURSDAY_18)
    deliver(context_with(installed, fake), THURSDAY_18 + CLAIM)
    assert len(fake.given) == 1


def test_whatever_moment_it_dies_at_each_notice_arrives_at_least_once(installed: CastInstallation) -> None:
    """A hundred notices, and a death after every third message on average, before or after it left."""
    dice, arrived, now = random.Random(11), set(), THURSDAY_18
    person = installed.cast.people["commune_officer"]
    offered(installed)
    choose(installed, "commune_officer", AT_ONCE, hours=ToldWhen(0, 0))
    with installed.store.writing("test") as session:
        notice = session.scalars(select(t.Notice).where(t.Notice.person_id == person)).one()
        case, seq = notice.case_id, notice.seq
        for number in range(99):
            row = {"seq": seq + 100 + number, "role": "commune_officer", "kind": "offered", "urgent": True}
            session.add(t.Notice(case_id=case, person_id=person, at=now, **row))
    fake = Fake()

    def then(address: str) -> None:
        if dice.random() < 0.2:
            fake.given.pop()  # it died before the message left
            raise SystemExit
        arrived.add(fake.keys[-1])
        if dice.random() < 0.2:
            raise SystemExit

    fake.then = then
    for _ in range(200):
        try:
            deliver(context_with(installed, fake), now)
        except SystemExit:
            now += CLAIM
    assert len(arrived) == 100
    with installed.store.reading("test") as session:
        assert session.scalar(select(func.count()).where(t.Delivery.state == "sent")) == 100


def test_two_workers_at_once_send_each_message_once(installed: CastInstallation) -> None:
    fake = Fake()
    offered(installed)
    for member in ("commune_officer", "head"):
        choose(installed, member, AT_ONCE)
    context, start = context_with(installed, fake), threading.Barrier(4)

    def work(_: int) -> None:
        start.wait()
        deliver(context, THURSDAY_18)
        deliver(context, THURSDAY_18)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(fake.keys) == len(set(fake.keys)) == 2


# --- trying again -----------------------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_later_and_later_and_then_left_to_the_operator(installed: CastInstallation) -> None:
    fake, now = Fake(), THURSDAY_18
    fake.then = _raise(NotSent("452 mailbox full"))
    offered(installed)
    choose(installed, "commune_officer", AT_ONCE, hours=ToldWhen(0, 0))
    context, waited = context_with(installed, fake), []
    for _ in range(MOST_ATTEMPTS):
        deliver(context, now, jitter=lambda: 0.5)
        waited.append(round((only(installed).next_try_at - now).total_seconds() / 60))
        assert deliver(context, now) == Delivered()
        now = only(installed).next_try_at
    assert waited[:-1] == [2, 6, 18, 54, 162, 360, 360]
    dead = only(installed)
    assert (dead.state, dead.attempts, dead.last_error) == ("dead", MOST_ATTEMPTS, "452 mailbox full")
    assert deliver(context, now + dt.timedelta(days=9)).failed == 0
    fake.then = lambda address: None
    with installed.store.writing("test") as session:
        assert log.revive(session, now) == 1
    assert deliver(context, now).sent == 1


def test_an_address_that_is_wrong_for_good_is_not_tried_eight_times(installed: CastInstallation) -> None:
    give_addresses(installed, "commune_officer", "head")
    offered(installed)
    with serving(Mailbox()) as mailbox:
        mailbox.refused["head@example.vn"] = "550 no such user"
        context = context_with(installed, EmailChannel(mailbox.settings))
        deliver(context, THURSDAY_18)
        assert deliver(context, FRIDAY_DIGEST) == Delivered(sent=1, failed=1)
    assert [(it.name, it.last_error) for it in logged(installed, state="dead")] == [
        ("Trần Văn Mẫu", "550 no such user")
    ]


def test_while_nobody_can_be_reached_one_attempt_is_lost_and_not_all(installed: CastInstallation) -> None:
    fake = Fake()
    fake.then = _raise(Unreachable("no connection"))
    offered(installed)
    for member in ("commune_officer", "head"):
        choose(installed, member, AT_ONCE)
    context = context_with(installed, fake)
    assert deliver(context, THURSDAY_18) == Delivered(planned=2, failed=1)
    assert sorted(it.attempts for it in logged(installed)) == [0, 1]
    assert deliver(context, THURSDAY_18 + MINUTE) == Delivered()
    fake.then = lambda address: None
    deliver(context, THURSDAY_18 + REST)
    deliver(context, THURSDAY_18 + 2 * REST)
    assert {it.state for it in logged(installed)} == {"sent"}


def test_a_fault_of_ours_in_one_message_does_not_keep_the_others(installed: CastInstallation) -> None:
    fake, faults = Fake(), [RuntimeError("ours")]
    fake.then = lambda address: _raise(faults.pop())(address) if faults else None
    offered(installed)
    for member in ("commune_officer", "head"):
        choose(installed, member, AT_ONCE)
    assert deliver(context_with(installed, fake), THURSDAY_18) == Delivered(planned=2, sent=1, failed=1)
    assert [it.last_error for it in logged(installed, state="failed")] == ["RuntimeError"]


def test_a_channel_that_was_switched_off_leaves_dead_letters_that_say_so(installed: CastInstallation) -> None:
    offered(installed)
    choose(installed, "head", AT_ONCE, hours=ToldWhen(17 * 60, 7 * 60))
    deliver(context_with(installed, Fake()), THURSDAY_18)
    deliver(installed.context, at("2026-03-06 07:00"))
    assert (only(installed).state, only(installed).last_error) == ("dead", "this channel is switched off")


def test_when_asked_to_stop_it_gives_back_what_it_has_not_sent(installed: CastInstallation) -> None:
    fake = Fake()
    offered(installed)
    for member in ("commune_officer", "head"):
        choose(installed, member, AT_ONCE)
    context = context_with(installed, fake)
    deliver(context, THURSDAY_18, lambda: bool(fake.given))
    assert sorted((it.state, it.attempts) for it in logged(installed)) == [("pending", 0), ("sent", 1)]
    deliver(context, THURSDAY_18)
    assert len(set(fake.keys)) == len(fake.keys) == 2


# --- what leaders urge on ---------------------------------------------------------------------------------------------


def test_a_leader_gets_numbers_each_working_day_that_something_is_to_be_urged_on(installed: CastInstallation) -> None:
    give_addresses(installed, "commune_leader")
    code = offered(installed)
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings))
        deliver(context, FRIDAY_DIGEST - MINUTE)
        deliver(context, FRIDAY_DIGEST)
        deliver(context, FRIDAY_DIGEST + MINUTE)
        (mail,) = mailbox.mails
        assert "Việc cần đôn đốc:" in mail.get_content()
        assert "chờ tiếp nhận: 1" in mail.get_content()
        assert code not in mail.get_content()
        deliver(context, at("2026-03-07 06:30"))  # Saturday
        assert len(mailbox.mails) == 1
        case_acts.accept(context, Act(installed.viewer("commune_officer"), code, {}, at("2026-03-07 08:00")))
        deliver(context, at("2026-03-09 06:30"))  # Monday: accepted, not overdue
        assert len(mailbox.mails) == 1


def test_a_digest_that_has_nothing_to_say_any_more_is_not_sent(installed: CastInstallation) -> None:
    give_addresses(installed, "commune_leader")
    code = offered(installed)
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings))
        deliver(context, at("2026-03-06 06:00"))
        case_acts.accept(context, Act(installed.viewer("commune_officer"), code, {}, at("2026-03-06 06:10")))
        deliver(context, FRIDAY_DIGEST)
    assert (mailbox.mails, only(installed).state) == ([], "void")


def test_an_office_counts_by_commune(installed: CastInstallation) -> None:
    give_addresses(installed, "education_office")
    offered(installed)
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings))
        deliver(context, at("2026-03-06 06:00"))
        deliver(context, FRIDAY_DIGEST)
    with installed.store.reading("test") as session:
        commune = session.scalar(select(t.Unit.name).where(t.Unit.id == installed.cast.units["commune"]))
    assert f"- {commune}: chờ tiếp nhận: 1" in mailbox.mails[0].get_content()


def test_a_digest_that_is_out_already_leaves_the_news_to_the_next_one(installed: CastInstallation) -> None:
    give_addresses(installed, "commune_officer")
    offered(installed)
    with serving(Mailbox()) as mailbox:
        context = context_with(installed, EmailChannel(mailbox.settings))
        deliver(context, THURSDAY_18)
        deliver(context, FRIDAY_DIGEST)
        choose(installed, "commune_officer", hours=ToldWhen(digest_at=18 * 60))  # the second digest of Friday would be
        offered_again = installed.open(now=at("2026-03-06 07:00"), pupil="classmate")
        case_acts.step(
            context, Act(installed.viewer("teacher"), offered_again, {}, at("2026-03-06 08:00")), "ask_commune"
        )
        deliver(context, at("2026-03-06 08:00"))
        deliver(context, at("2026-03-06 18:00"))
        assert len(mailbox.mails) == 1
        deliver(context, at("2026-03-09 18:00"))
    assert offered_again in mailbox.mails[1].get_content()


# --- a trial ----------------------------------------------------------------------------------------------------------


def test_a_trial_goes_out_at_once_by_day_and_by_night_and_once_a_minute(installed: CastInstallation) -> None:
    fake, night = Fake(), at("2026-03-05 23:00")
    choose(installed, "head", replace(AT_ONCE, digest=True))
    context, head = context_with(installed, fake), installed.cast.people["head"]
    for _ in range(3):
        assert send_trial(context, head, ["fake", "email"], night) == ["fake"]
    deliver(context, night)
    assert [message.subject for _, message in fake.given] == ["[Ra Lớp] Tin thử"]
