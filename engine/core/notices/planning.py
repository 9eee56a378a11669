"""Decides where each notice goes, and when: channels, quiet hours, daily digest, urgency, and what is only counted.

Everything is pure: `now` and the calendar come in, moments and values go out. `engine.jobs.deliver` carries out these
decisions; `engine.core.notices.texts` has the words.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.core.calendar import Calendar
from engine.core.cases.definitions import Definitions
from engine.core.people.account_events import notice_words
from engine.core.refusals import NotFound
from engine.core.words import Label
from engine.core.workflow.requests import REQUESTS

EMAIL, PUSH = "email", "push"
DAY = 24 * 60  # minutes
MOST_ATTEMPTS = 8  # then it is a dead letter, which the operator handles
FIRST_WAIT = dt.timedelta(minutes=2)
LONGEST_WAIT = dt.timedelta(hours=6)

CAME, CAME_MANY, BESIDE = (
    "came",
    "came_many",
    "asked_beside",
)  # why the seat of a case was told that people came or went

KINDS: Mapping[str, Label] = {
    "offered": Label("Có hồ sơ chờ anh/chị tiếp nhận", "A case is waiting for your acceptance"),
    "opened_by_watch": Label("Có dấu hiệu vắng học, hồ sơ được lập tự động", "Signs of absence: a case was opened"),
    "marks_corrected": Label("Điểm danh của học sinh đã được sửa", "The pupil's attendance was corrected"),
    "error_proposed": Label(
        "Điểm danh đã sửa: hồ sơ có thể lập nhầm, mời anh/chị quyết định",
        "Attendance was corrected: perhaps the case was opened in error; please decide",
    ),
    "relapsed_by_watch": Label("Học sinh lại vắng sau khi ra lớp", "The pupil is absent again after the return"),
    "invited": Label("Anh/chị được mời cùng vận động một học sinh", "You are invited to help with a case"),
    "handed_over": Label("Có hồ sơ vừa chuyển đến anh/chị", "A case has come to you"),
    "assigned": Label("Anh/chị được phân công phụ trách hồ sơ", "A case was assigned to you"),
    "relieved": Label("Hồ sơ đã chuyển cho người phụ trách khác", "The case has gone to somebody else"),
    "nudged": Label("Đôn đốc xử lý hồ sơ", "A reminder: please act on this case"),  # by a superior
    "attention_asked": Label("Đề nghị quan tâm xử lý hồ sơ", "Your attention is asked for this case"),
    "difficulty_asked": Label("Có khó khăn, vướng mắc chờ anh/chị giải quyết", "A difficulty waits for your decision"),
    "difficulty_late": Label(
        "Khó khăn, vướng mắc quá hạn trả lời, chờ anh/chị giải quyết",
        "A difficulty was not answered in time and waits for your decision",
    ),
    "taken_back": Label(
        "Việc đã báo với anh/chị vừa được lấy lại, hồ sơ như trước đó", "What you were told of was taken back"
    ),
    "difficulty_answered": Label("Khó khăn, vướng mắc đã có ý kiến", "A difficulty was answered"),
    CAME: Label("Có hồ sơ nay chờ anh/chị xử lý", "A case waits for you now"),
    BESIDE: Label(
        "Người phụ trách đang vắng, đề nghị anh/chị cùng xử lý hồ sơ",
        "Whoever has the case is away: you are asked beside them",
    ),
    **{
        f"asked_{name}": Label(f"Đến lượt anh/chị: {said.vi}", f"It is your turn: {said.en}")
        for name, said in REQUESTS.items()
    },
}
# These say that a case came to somebody, or has gone: nobody else needs to hear it in their place.
CAME_KINDS = frozenset(
    {"offered", "handed_over", "assigned", "relieved", "opened_by_watch", "relapsed_by_watch", CAME, CAME_MANY, BESIDE}
)
# Notices about many cases: something moved their deadlines.
CLOSURES: Mapping[str, Label] = {
    "closure_announced": Label("Có ngày tạm dừng đến lớp, hạn xử lý dời đi", "Days without class moved deadlines"),
    "closure_changed": Label(
        "Ngày tạm dừng đến lớp được sửa, hạn xử lý tính lại", "Days without class were changed, deadlines moved"
    ),
    "closure_lifted": Label(
        "Đợt tạm dừng đến lớp kết thúc sớm hoặc bị hủy, hạn xử lý tính lại",
        "Days without class were lifted, deadlines moved",
    ),
    "shut_announced": Label("Có ngày cơ quan nghỉ, hạn xử lý dời đi", "Days of a shut office moved deadlines"),
    "shut_changed": Label(
        "Ngày cơ quan nghỉ được sửa, hạn xử lý tính lại", "Days of a shut office were changed, deadlines moved"
    ),
    "shut_lifted": Label(
        "Ngày cơ quan nghỉ kết thúc sớm hoặc bị hủy, hạn xử lý tính lại",
        "Days of a shut office were lifted, deadlines moved",
    ),
    "harvest_announced": Label("Vào mùa thu hoạch, hạn xử lý còn một nửa", "A harvest made deadlines earlier"),
    "harvest_changed": Label("Mùa thu hoạch được sửa, hạn xử lý tính lại", "A harvest was changed, deadlines moved"),
    "harvest_lifted": Label(
        "Mùa thu hoạch kết thúc sớm hoặc bị hủy, hạn xử lý tính lại", "A harvest was lifted, deadlines moved"
    ),
}
CHANGED = Label("Hồ sơ có thay đổi", "Something has changed in a case")


@dataclass(frozen=True, slots=True)
class ToldWhen:
    """When a person wants to be told, in local minutes after midnight.

    Quiet hours last from `quiet_from` to `quiet_to`; the digest comes at `digest_at`.

    Equal ends mean no quiet hours. 22:00 to 06:00 goes over midnight.
    """

    quiet_from: int = 22 * 60
    quiet_to: int = 6 * 60
    digest_at: int = 6 * 60 + 30

    def quiet(self, minute: int) -> bool:
        """Whether a minute of the day lies in the quiet hours."""
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= minute < self.quiet_to
        return minute >= self.quiet_from or minute < self.quiet_to


@dataclass(frozen=True, slots=True)
class ChosenChannel:
    """One channel of one person.

    `digest`: once a day, unless urgent. Without an address the channel finds it by itself.
    """

    channel: str
    enabled: bool
    digest: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """What notices need to know of a person: language, channels, hours. `email` is the address of the account."""

    person_id: int
    language: str = "vi"
    email: str = ""
    disabled: bool = False
    hours: ToldWhen = field(default_factory=ToldWhen)
    stored: tuple[ChosenChannel, ...] = ()
    devices: int = 0  # browsers that take push messages

    def choices(self, available: Collection[str]) -> tuple[ChosenChannel, ...]:
        """Returns the channels of the person beside the app: those they chose, or the digest by e-mail if they never
        chose.

        The result has only channels that this installation has (`available`) and that can reach the person.
        """
        if self.disabled:
            return ()
        chosen = {choice.channel: choice for choice in self.stored}
        chosen.setdefault(EMAIL, ChosenChannel(EMAIL, enabled=True, digest=True))
        return tuple(
            choice for choice in chosen.values() if choice.enabled and choice.channel in available and self._has(choice)
        )

    def _has(self, choice: ChosenChannel) -> bool:
        if choice.channel == PUSH:
            return self.devices > 0
        return bool(choice.address or (choice.channel == EMAIL and self.email))

    def address(self, channel: str) -> str:
        """Returns the address at which the channel reaches the person; "" if it no longer can."""
        own = next((choice.address for choice in self.stored if choice.channel == channel), "")
        return own or (self.email if channel == EMAIL else "")


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message to send: by this channel, not before this moment; in the digest of a day, or alone (None)."""

    channel: str
    at: dt.datetime
    digest_of: dt.date | None = None


def plan(
    reader: Recipient, available: Collection[str], now: dt.datetime, calendar: Calendar, *, urgent: bool
) -> list[PlannedMessage]:
    """Returns where and when a new notice goes. An urgent one goes at once to every channel of the person."""
    planned = []
    for choice in reader.choices(available):
        if urgent:
            planned.append(PlannedMessage(choice.channel, now))
        elif choice.digest:
            at, day = next_digest(now, reader.hours, calendar)
            planned.append(PlannedMessage(choice.channel, at, day))
        else:
            planned.append(PlannedMessage(choice.channel, after_quiet(now, reader.hours, calendar)))
    return planned


def after_quiet(moment: dt.datetime, hours: ToldWhen, calendar: Calendar) -> dt.datetime:
    """Returns the moment itself, or the end of the quiet hours that contain it."""
    local = calendar.local(moment)
    minute = local.hour * 60 + local.minute
    if not hours.quiet(minute):
        return moment
    day = local.date() + dt.timedelta(days=1) if minute >= hours.quiet_to else local.date()
    return calendar.instant(day, hours.quiet_to)


def next_digest(now: dt.datetime, hours: ToldWhen, calendar: Calendar) -> tuple[dt.datetime, dt.date]:
    """Returns the moment and the day of the next digest after `now`; the day is a working day of the office."""
    day = calendar.local(now).date()
    for _ in range(60):  # no break is longer
        at = digest_on(day, hours, calendar)
        if at is not None and at > now:
            return at, day
        day += dt.timedelta(days=1)
    return after_quiet(calendar.instant(day, hours.digest_at), hours, calendar), day


def digest_on(day: dt.date, hours: ToldWhen, calendar: Calendar) -> dt.datetime | None:
    """Returns the moment of a day's digest; None on a day on which the office does not work."""
    if calendar.why_no_work(day) is not None:
        return None
    return after_quiet(calendar.instant(day, hours.digest_at), hours, calendar)


def wait(attempts: int, jitter: float) -> dt.timedelta:
    """Returns how long to wait after so many failed attempts: 2, 6, 18, 54, 162 minutes, then 6 hours.

    `jitter` from 0 to 1 changes it to between three and five quarters, so that not all try again at once. Eight
    attempts take about sixteen hours: longer than a mail server that fails for a night.
    """
    plain = min(LONGEST_WAIT, FIRST_WAIT * math.pow(3, attempts - 1))
    return plain * (0.75 + jitter / 2)


def reason(definitions: Definitions, workflow: str, rules_version: int, kind: str, cases: int = 1) -> Label:
    """Returns why a person is told, in words.

    The words are those of the rule, or of what happened, with the number of cases if there are many. An act on an
    account or a post belongs to no case and no workflow (""); the words say what was done.
    """
    if not workflow:
        return notice_words(kind) or CHANGED
    if found := CLOSURES.get(kind):
        return Label(f"{found.vi}: {cases} hồ sơ", f"{found.en}: {cases} {'case' if cases == 1 else 'cases'}")
    if kind == CAME_MANY:
        return Label(f"Có {cases} hồ sơ nay chờ anh/chị xử lý", f"{cases} cases wait for you now")
    if kind in KINDS:
        return KINDS[kind]
    try:
        rule = definitions.rules(workflow, rules_version).rule(kind)
    except NotFound:
        rule = None
    return rule.why if rule else CHANGED


# --- what a digest says -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DigestItem:
    """A notice in a digest: the case's code, why, until when (local), the role told, and the place that counts it.

    `closure`: the notice is about days without class that moved the deadlines of this case and perhaps of others.
    `act`: the notice is about an act on an account or a post, not about a case.
    """

    code: str
    why: Label
    due: dt.datetime | None
    role: str
    place: str
    closure: int | None = None
    act: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """The cases of one commune or school: with news, overdue, waiting for somebody to accept them."""

    place: str
    news: int = 0
    overdue: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class HeadToKeep:
    """The head of a checkpoint, and when it was made (local): kept outside, it shows that nothing was changed."""

    head: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Digest:
    """The content of one digest.

    People who work on cases get single cases; people who answer for many get numbers by place. Closures and acts on
    accounts and posts follow, with the number of each kind.
    """

    items: tuple[DigestItem, ...] = ()
    counts: tuple[PlaceCount, ...] = ()
    closures: tuple[DigestItem, ...] = ()
    acts: tuple[tuple[Label, int], ...] = ()
    keep: HeadToKeep | None = None

    def __bool__(self) -> bool:
        return bool(self.items or self.counts or self.closures or self.acts or self.keep)


def gather(
    items: Sequence[DigestItem],
    urging: Iterable[PlaceCount] = (),
    keep: HeadToKeep | None = None,
    leaders: Collection[str] = frozenset(),
) -> Digest:
    """Builds the digest of these notices (oldest first) and of the cases that the reader should urge on (D2.3).

    `leaders` are the roles that answer for many cases.

    A case comes once, with its latest news; the nearest deadline is first. Notices to a leader are only counted.
    Everybody is told of a closure, once. Acts on accounts and posts are counted by kind. `keep` comes once a week.
    """
    acts = Counter(item.why for item in items if item.act is not None)
    items = [item for item in items if item.act is None]
    closures = {item.closure: item for item in items if item.closure is not None}
    items = [item for item in items if item.closure is None]
    latest = {item.code: item for item in items if item.role not in leaders}
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    single = sorted(latest.values(), key=lambda item: (item.due or far, item.code))
    counted: dict[str, set[str]] = {}
    for item in items:
        if item.role in leaders and item.code not in latest:
            counted.setdefault(item.place, set()).add(item.code)
    counts = {count.place: count for count in urging}
    for place, codes in counted.items():
        counts[place] = replace(counts.get(place, PlaceCount(place)), news=len(codes))
    return Digest(
        tuple(single),
        tuple(counts[place] for place in sorted(counts)),
        tuple(closures.values()),
        tuple(acts.items()),
        keep,
    )
