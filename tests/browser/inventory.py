"""The pages of the site, one list for every check that looks at them all: who opens which, and what is next on it.

`filled` has something to show on each: cases in every hand, one of them late, one about a child in danger; a register
that was taken and corrected; a file that was looked at and one that was brought in; notices, messages, devices.
A new route that gives HTML fails in tests/web/test_html.py until it stands here.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import update

from engine.channels.email import EmailChannel
from engine.channels.outbox import Outbox
from engine.channels.push import PushChannel, kept_key
from engine.core.cases.act import Act
from engine.core.notices.settings import MailSettings
from engine.store import tables as t
from engine.usecases.attendance import import_jobs
from engine.usecases.calendar.closures import announce_closure
from engine.usecases.cases import companions
from engine.usecases.cases.difficulties import raise_difficulty
from engine.usecases.context import Context
from engine.usecases.people.signin_settings import SignInSettings
from engine.usecases.support import acts, gifts
from engine.usecases.support.acts import BookAct, Moved
from tests.cast import Cast
from tests.engine.usecases.attendance.test_importing import ALIASES, LIST, REGISTER
from tests.pages import csrf
from web.site.request_context import EXTENSION

STRANGER = ""
PRIMARY = "main .button:not(.second)"


@dataclass(frozen=True)
class Shown:
    """A page: its address, who opens it, what on it is to be done next, if anything is.

    `{name}` in an address is filled in from `Filled.names`. `press` is a button that is pressed at once, nothing having
    been filled in: the page is then the same form with its faults.
    """

    address: str
    who: str
    next: str = ""
    press: str = ""
    status: int = 200


PAGES = (
    Shown("/login", STRANGER, PRIMARY),
    Shown("/login", STRANGER, "main .faults", press=PRIMARY, status=422),
    Shown("/login/code?login=hanh", STRANGER, PRIMARY),
    Shown("/login/code", STRANGER, "main .faults", press=PRIMARY, status=422),
    Shown("/help", STRANGER),
    Shown("/nowhere", STRANGER, status=404),
    # a teacher
    Shown("/work", "teacher", PRIMARY),
    Shown("/cases", "teacher", "main .rows a"),
    Shown("/cases?q=khong&which=all&level=1&from=1/2/2026", "teacher"),
    Shown("/cases?from=hom+qua", "teacher"),
    Shown("/cases/new", "teacher", PRIMARY),
    Shown("/cases/new?q=thu", "teacher", "main .pick a"),
    Shown("/cases/new?pupil={pupil}", "teacher", "main .field input"),
    Shown("/cases/new?pupil={pupil}", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/cases/new/blank", "teacher", "main .field select, main .field input"),
    Shown("/cases/new/blank", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/cases/{own}", "teacher", PRIMARY),
    Shown("/cases/{own}?done=1", "teacher", PRIMARY),
    Shown("/cases/{danger}", "teacher", PRIMARY),
    Shown("/cases/{own}/contact", "teacher", "main .field fieldset"),
    Shown("/cases/{own}/contact", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/cases/{own}/note", "teacher"),
    Shown("/cases/{own}/transfer", "teacher"),
    Shown("/cases/{danger}?show=notes", "teacher", PRIMARY),
    Shown("/cases/{danger}/contact", "teacher"),
    Shown("/cases/{danger}/companion", "teacher", "main .choice"),
    Shown("/cases/{danger}/companion", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/cases/{danger}/companions/2/off", "teacher", "main .field"),
    Shown("/cases/{danger}/entries/1/correct", "teacher", "main .field"),
    Shown("/cases/{danger}/entries/1/correct", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/cases/{danger}/entries/2/withdraw", "teacher", "main .field"),
    Shown("/cases/{danger}/difficulty", "teacher", "main .choice"),
    Shown("/cases/RL-2026-999999", "teacher", status=404),
    Shown("/attendance", "teacher", "main a.button, main .card a"),
    Shown("/attendance/{class}", "teacher", "main .roll"),
    Shown("/attendance/{class}/blank", "teacher", "#day"),
    Shown("/attendance/{class}/blank", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/imports", "teacher", "main .field"),
    Shown("/imports", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/imports/{register}", "teacher"),
    Shown("/notices", "teacher", "main .card"),
    Shown("/me/notices", "teacher"),
    Shown("/password", "teacher"),
    Shown("/offline", "teacher"),
    Shown("/offline/left", STRANGER, PRIMARY),
    Shown("/help/offline", "teacher"),
    Shown("/password", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/help/school", "teacher"),
    Shown("/simulate", "teacher", status=403),
    Shown("/closures", "teacher", PRIMARY),
    Shown("/closures?which=past", "teacher"),
    Shown("/closures/new", "teacher", "main .pick a"),
    Shown("/closures/new?pupil={pupil}", "teacher", "main .field input"),
    Shown("/closures/new?pupil={pupil}", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/closures/{closure}", "teacher", PRIMARY),
    Shown("/closures/{closure}/change", "teacher", "main .field input"),
    Shown("/closures/{closure}/change", "teacher", "#preview .button", press=PRIMARY),
    Shown("/calendar", "teacher"),
    Shown("/welcome", "teacher", "main .pick a"),
    Shown("/class", "teacher", "main .lines a"),
    Shown("/me/away", "teacher", "main .field input"),
    Shown("/me/away", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/work?show=new", "teacher"),
    Shown("/proposals/{proposal}/dismiss", "teacher", "main .choice"),
    Shown("/proposals/{proposal}/dismiss", "teacher", "main .faults", press=PRIMARY, status=422),
    Shown("/print/work", "teacher"),
    Shown("/print/handover/{offered}", "teacher"),
    Shown("/help/work", "teacher"),
    Shown("/rules", "teacher"),
    Shown("/workflow", "teacher"),
    # the head of the school
    Shown("/work", "head"),
    Shown("/cases", "head", "main .rows a"),
    Shown("/cases?which=overdue&level=0", "head"),
    Shown("/cases/filters", "head", "main .field"),
    Shown("/cases/{own}", "head"),
    Shown("/cases/{own}/drop_out", "head"),
    Shown("/cases/{danger}", "head"),
    Shown("/cases/{danger}/difficulties/3", "head", "main .choice"),
    Shown("/cases/{danger}/difficulties/3", "head", "main .faults", press=PRIMARY, status=422),
    Shown("/school", "head", "main .card a"),
    Shown("/class?unit={class}", "head"),
    Shown("/imports/{list}", "head"),
    # the commune
    Shown("/work", "commune_officer", PRIMARY),
    Shown("/cases/{offered}", "commune_officer", PRIMARY),
    Shown("/cases/{offered}/accept", "commune_officer", PRIMARY),
    Shown("/cases/{offered}/decline", "commune_officer", "main .field"),
    Shown("/cases/{visited}/visit", "commune_officer", "main .field"),
    Shown("/notices", "commune_officer", "main .card"),
    Shown("/help/commune", "commune_officer"),
    Shown("/print/visits", "commune_officer", "main .sheet a"),
    Shown("/print/visit/{visited}", "commune_officer"),
    Shown("/area", "commune_officer", "main a.button"),
    Shown("/area", "commune_leader", "main .card a"),
    Shown("/work", "commune_leader"),
    Shown("/cases/{offered}", "commune_leader"),
    Shown("/cases?chosen=all", "commune_leader", "main .rows a"),
    Shown("/cases/{visited}/assign", "commune_leader", "main .field"),
    Shown("/cases/{visited}/hold", "commune_leader", "main .field"),
    # the association
    Shown("/work", "volunteer", PRIMARY),
    Shown("/cases", "volunteer", "main .rows a"),
    Shown("/cases/{referred}", "volunteer", PRIMARY),
    Shown("/cases/{given}", "volunteer", PRIMARY),
    Shown("/cases/{given}/support", "volunteer", "main .field"),
    Shown("/help/association", "volunteer"),
    Shown("/needs", "volunteer", PRIMARY),
    Shown("/gifts/new", "volunteer", "main .field"),
    Shown("/gifts/new", "volunteer", "main .faults", press=PRIMARY, status=422),
    Shown("/funds", "volunteer", PRIMARY),
    Shown("/funds/receive", "volunteer", "main .field"),
    Shown("/statements", "volunteer"),
    Shown("/work", "association"),
    Shown("/needs", "association", PRIMARY),
    Shown("/funds", "association", PRIMARY),
    Shown("/funds/buy", "association", "main .field"),
    Shown("/funds/buy", "association", "main .faults", press=PRIMARY, status=422),
    Shown("/funds/reverse/{entry}", "association", "main .field"),
    Shown("/statements", "association", "main .rows a"),
    Shown("/cases/{referred}", "association"),
    Shown("/cases/{given}", "association"),
    # the education office
    Shown("/work", "education_office"),
    Shown("/cases?which=overdue", "education_office", "main .rows a"),
    Shown("/cases/{offered}", "education_office"),
    Shown("/risk", "education_office"),
    Shown("/area", "education_office", "main .card a"),
    Shown("/difficulties", "education_office", "main .card a"),
    Shown("/difficulties?which=answered", "education_office"),
    Shown("/doubles", "education_office", "main .empty"),
    Shown("/doubles", "outsider_education_office", "main h2"),
    Shown("/simulate", "education_office"),
    Shown("/simulate", "education_office", "#outcome-title", press=PRIMARY),
    Shown("/help/office", "education_office"),
    # who sets the installation up
    Shown("/work", "admin"),
    Shown("/notices", "admin"),
    Shown("/imports", "admin", "main .field"),
    Shown("/admin", "admin", "main .card a"),
    Shown("/admin/codes", "admin", PRIMARY),
    Shown("/admin/codes", "admin", "main .faults", press=PRIMARY, status=422),
    Shown("/admin/codes?login=teacher", "admin", "main .code", press=PRIMARY),
    Shown("/password/passkeys/new", "admin", "main .field"),
    Shown("/prove?next=/cases.xlsx&back=/cases", "admin", PRIMARY),
    Shown("/prove", "admin", "main .faults", press=PRIMARY, status=422),
    Shown("/admin/people", "admin", "main .search"),
    Shown("/admin/people?q=mau", "admin", "main .rows a"),
    Shown("/admin/people/new", "admin", "main .field"),
    Shown("/admin/people/new", "admin", "main .faults", press=PRIMARY, status=422),
    Shown("/admin/people/{person}", "admin"),
    Shown("/admin/people/{person}/appoint", "admin", "main .field"),
    Shown("/admin/people/{person}/appoint?role=commune_officer&q=village", "admin"),
    Shown("/admin/units", "admin", "main .pick a"),
    Shown("/admin/units?q=class", "admin", "main .pick a"),
    Shown("/admin/units/{unit}", "admin"),
    Shown("/admin/units/{unit}/appoint?role=commune_leader&q=mau", "admin", "main .pick a"),
    Shown("/admin/vacancies", "admin", "main .chips"),
    Shown("/admin/mergers", "admin", "main .field"),
    Shown("/admin/deliveries", "admin"),
    Shown("/admin/deliveries?state=dead", "admin"),
    Shown("/gaps", "admin", "main .lines a"),
    Shown("/gaps", "head"),
    Shown("/help/admin", "admin"),
    Shown("/help/rights", "admin"),
)

FILES = (
    "/work",
    "/notices",
    "/imports",
    "/closures",
    "/attendance/<int:class_id>",
    "/admin/deliveries",
    "/cases/<code>/support",
)
NOT_PAGES = {  # what is not HTML, or leads on at once
    "/",
    *(f"{address}.{form}" for form in ("csv", "xlsx") for address in FILES),
    "/cases.csv",
    "/cases.xlsx",
    "/healthz",
    "/imports/<int:job_id>/wrong.xlsx",
    "/metrics",
    "/offline/me",
    "/offline/pages",
    "/statements.csv",
    "/statements.xlsx",
    "/static/<digest>/<path:name>",
    "/sw.js",
}


@dataclass
class Filled:
    """The cast on a site that has something on every page, and the names that addresses are made with."""

    cast: Cast
    names: dict[str, str]

    def address(self, page: Shown) -> str:
        """The address of a page here, from the slash on."""
        return page.address.format_map(self.names)

    def read_in(self, language: str) -> None:
        """Everybody reads in this language from now on."""
        with self.cast.store.writing("test") as session:
            session.execute(update(t.Person).values(language=language))


def by_person(pages: tuple[Shown, ...] = PAGES) -> Iterator[tuple[str, list[Shown]]]:
    """The pages, person by person, so that each signs in once."""
    for who in dict.fromkeys(page.who for page in pages):
        yield who, [page for page in pages if page.who == who]


def fill(cast: Cast, keys: Path) -> Filled:
    """Let the cast do what puts something on every page; it is Thursday morning then."""
    shell = cast.site.app.extensions[EXTENSION]
    post = Outbox(
        "https://ralop.example.vn",
        {
            "email": EmailChannel(MailSettings("127.0.0.1", "Ra Lớp <ralop@example.vn>")),
            "push": PushChannel(kept_key(keys), "mailto:it@example.vn"),
        },
    )
    shell.settings = replace(shell.settings, sign_in=SignInSettings("https://ralop.example.vn", "ralop.example.vn"))
    shell.context = replace(
        Context(cast.store, cast.context.definitions, aliases=ALIASES, support=cast.context.support), outbox=post
    )
    names = _cases(cast)
    cast.go_to("2026-03-05 09:00")
    names["offered"] = cast.to_commune("pupil")
    names["own"] = cast.open_case("saturday_pupil", causes=["harvest", "far"], note="Nhà ở bên kia suối")
    names["entry"] = _keep_books(cast, names["given"])
    _take_register(cast)
    names["closure"] = _close(cast)
    names["proposal"] = _propose(cast)
    cast.send("head", "/cases/filters?which=overdue&level=0", "/cases?which=overdue&level=0", name="Quá hạn")
    names |= {"person": str(cast.installed.people["commune_officer"]), "unit": str(cast.installed.units["commune"])}
    names |= {"class": str(cast.installed.units["class"]), "pupil": str(cast.installed.pupils["boarder"])}
    names |= {"register": _bring_in(cast, "teacher", "attendance", REGISTER + "nobody,2026-02-27,m,u,\n")}
    names |= {"list": _bring_in(cast, "head", "pupils", LIST)}
    _list_twice(cast)
    return Filled(cast, names)


def _list_twice(cast: Cast) -> None:
    """A child of the other school is on the list of this one, too, and an office of the province sees both."""
    cast.pupil("A Khác", birth_date=dt.date(2013, 5, 6))
    with cast.store.writing("test") as session:
        office, province = cast.installed.people["outsider_education_office"], cast.installed.units["province"]
        session.add(
            t.Appointment(person_id=office, role="education_office", unit_id=province, valid_from=dt.date(2020, 1, 1))
        )


def _cases(cast: Cast) -> dict[str, str]:
    """A case in every hand."""
    for name in ("Y Ví Thử", "A Ví Thử", "A Nguy Thử"):
        cast.pupil(name)
    names = {"visited": cast.to_commune("Y Ví Thử")}
    cast.accept(names["visited"], "commune_officer")
    names |= {"referred": cast.to_association("classmate"), "given": cast.to_association("A Ví Thử")}
    cast.accept(names["given"], "volunteer")
    names["danger"] = cast.open_case("A Nguy Thử", causes=["violence"])
    teacher, helper = cast.viewer("teacher"), {"companion_role": "respected", "companion_name": "A Già Thử"}
    companions.add(cast.context, Act(teacher, names["danger"], helper | {"companion_phone": "0905 000 222"}, cast.now))
    stuck = {"difficulty_kind": "road", "difficulty_words": "Cầu treo hỏng sau lũ"}
    raise_difficulty(cast.context, Act(teacher, names["danger"], stuck, cast.now))
    return names


def _keep_books(cast: Cast, code: str) -> str:
    """A fund that received something, a pledge, and a gift that waits for a second person; the number of an entry."""
    act = BookAct(cast.viewer("association"), cast.installed.units["association"], cast.now)
    moved = Moved("cash", 9_000_000, cast.now.date())
    fund = acts.open_place(cast.context, act, "fund", "Quỹ chung", "Học bổng, tiền ăn")
    acts.pledge(cast.context, act, "Công ty Mẫu", moved, dt.date(2026, 5, 31))
    entry = acts.receive(cast.context, act, "Cửa hàng Mẫu", fund, moved)
    typed = {"support_kind": "cash", "quantity": "6000000", "given_on": "2026-03-05"}
    gifts.give(cast.context, Act(cast.viewer("volunteer"), code, typed, cast.now), fund)
    return str(entry)


def _propose(cast: Cast) -> str:
    """The risk watch asks about a pupil of the teacher's class; the number of the proposal."""
    signals = [["unexcused-in-a-row", 3, 4], ["after-a-break", 2, 2]]
    with cast.store.writing("test") as session:
        proposal = t.Proposal(
            pupil_id=cast.installed.pupils["boarder"],
            day=dt.date(2026, 3, 4),
            signals=signals,
            absent_since=dt.date(2026, 3, 3),
            made_at=cast.now,
        )
        session.add(proposal)
        session.flush()
        return str(proposal.id)


def _close(cast: Cast) -> str:
    """Two days without class in the teacher's class; the number of the closure."""
    first, last = dt.date(2026, 3, 5), dt.date(2026, 3, 6)
    return str(
        announce_closure(
            cast.context,
            cast.viewer("head"),
            unit_id=cast.installed.units["class"],
            reason="Mưa lũ, suối dâng cao",
            study_mode="worksheets",
            now=cast.now,
            first_day=first,
            last_day=last,
        )
    )


def _take_register(cast: Cast) -> None:
    address = f"/attendance/{cast.installed.units['class']}"
    pupil = f"pupil-{cast.installed.pupils['boarder']}"
    for mark in ("u", "l"):
        cast.send("teacher", address, **{"day": "2026-03-05", "session": "m", pupil: mark})


def _bring_in(cast: Cast, member: str, kind: str, text: str) -> str:
    """A file that was looked at and waits for a word; the number of its page."""
    browser = cast.browser(member)
    form = {"csrf_token": csrf(browser.get("/imports")), "kind": kind, "file": (io.BytesIO(text.encode()), "so.csv")}
    page = browser.post("/imports", data=form, content_type="multipart/form-data").location
    import_jobs.work(cast.site.app.extensions[EXTENSION].context, cast.now)
    return page.rsplit("/", 1)[1]
