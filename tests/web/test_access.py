"""Every route with every role, inside and outside its scope. A new route fails here until it stands in the table."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import python_calamine as calamine
from werkzeug.test import TestResponse

from engine.core.cases.act import Act
from engine.core.scenario.cast import CAST, OUTSIDER, POSTS
from engine.usecases.calendar.closures import announce_closure
from engine.usecases.cases import companions
from engine.usecases.cases.difficulties import raise_difficulty
from engine.usecases.support import acts as books
from engine.usecases.support.acts import BookAct, Moved
from tests.cast import Cast
from tests.pages import csrf

PUBLIC, SIGNED_IN, CLOSED = "public", "signed in", "closed"
# The case of the table was referred to the association of the teacher's commune: whoever has a duty towards it.
CONCERNED = frozenset(POSTS) - {"admin"}
KNOWING = CONCERNED - {"volunteer", "association"}
SCHOOL = frozenset({"teacher", "head"})
CORRECTING = SCHOOL | {"education_office"}  # what the teacher wrote: the teacher, and those above
NOBODY: frozenset[str] = frozenset()
# What is not about one pupil is open to a role wherever it is held.
OPENERS = frozenset({*SCHOOL, *(OUTSIDER + role for role in SCHOOL)})
IMPORTERS = OPENERS | {"admin"}
ANNOUNCERS_HERE = SCHOOL | {"commune_leader", "education_office", "admin"}
ANNOUNCERS = ANNOUNCERS_HERE | {OUTSIDER + role for role in ANNOUNCERS_HERE - {"admin"}}
TEACHERS = frozenset({"teacher", "outsider_teacher"})  # one's own class; see tests/web/units/test_overviews.py
HEADS = frozenset({"head", "outsider_head"})
_AREAS = {"commune_officer", "commune_leader", "education_office"}
AREAS = frozenset({*_AREAS, *(OUTSIDER + role for role in _AREAS)})
FILLERS = HEADS | (AREAS - {"commune_officer", "outsider_commune_officer"}) | {"admin"}
GIVERS = frozenset({"volunteer", "association", "outsider_volunteer", "outsider_association"})
RULERS = frozenset({"admin", "education_office", "outsider_education_office"})


@dataclass(frozen=True)
class Route:
    """A way into the application, and the members of the cast who may go it; a set names those inside the scope."""

    method: str
    rule: str
    who: str | frozenset[str]
    form: str = ""  # what is sent with it, as a query string would say it: nothing that changes anything


ROUTES = (
    Route("GET", "/static/<digest>/<path:name>", PUBLIC),
    Route("GET", "/healthz", PUBLIC),
    Route("GET", "/metrics", CLOSED),  # until the installation names who may ask; see tests/web/ops/test_metrics.py
    Route("GET", "/help", PUBLIC),
    Route("GET", "/help/<chapter>", PUBLIC),
    Route("GET", "/login", PUBLIC),
    Route("POST", "/login", PUBLIC),
    Route("POST", "/login/passkey/ask", CLOSED),  # without https; see tests/web/account/test_passkeys.py
    Route("POST", "/login/passkey", PUBLIC),
    Route("GET", "/login/code", PUBLIC),
    Route("POST", "/login/code", PUBLIC),
    Route("POST", "/logout", PUBLIC),
    Route("POST", "/language", PUBLIC),
    Route("GET", "/", SIGNED_IN),
    Route("GET", "/password", SIGNED_IN),
    Route("POST", "/password", SIGNED_IN),
    Route("POST", "/password/devices/<int:device>/end", SIGNED_IN),
    Route(
        "GET", "/password/passkeys/new", NOBODY
    ),  # this installation has none; see tests/web/account/test_passkeys.py
    Route("POST", "/password/passkeys/ask", NOBODY),
    Route("POST", "/password/passkeys", SIGNED_IN),
    Route("POST", "/password/passkeys/<int:key>/remove", NOBODY),  # one's own only
    Route("GET", "/prove", SIGNED_IN),
    Route("POST", "/prove", SIGNED_IN),
    Route("POST", "/prove/passkey/ask", NOBODY),
    Route("GET", "/admin/codes", frozenset({"admin"})),
    Route("POST", "/admin/codes", frozenset({"admin"})),
    Route("POST", "/demo/next-day", NOBODY),  # this installation is no demo
    Route("GET", "/work", SIGNED_IN),
    Route("POST", "/work/accept", SIGNED_IN),  # each case in it is decided by itself; see tests/web/cases/test_work.py
    Route("GET", "/work.xlsx", SIGNED_IN),
    Route("GET", "/work.csv", SIGNED_IN),
    # Of several cases each is decided by itself; see tests/web/cases/test_bulk.py.
    Route("POST", "/work/assign", SIGNED_IN),
    Route("POST", "/work/urge", SIGNED_IN),
    Route("POST", "/cases/accept", SIGNED_IN),
    Route("POST", "/cases/assign", SIGNED_IN),
    Route("POST", "/assign", SIGNED_IN),
    # A proposal that is not there; see tests/web/attendance/test_proposals.py.
    Route("POST", "/proposals/<int:id>/open", NOBODY),
    Route("GET", "/proposals/<int:id>/dismiss", NOBODY),
    Route("POST", "/proposals/<int:id>/dismiss", NOBODY),
    # One's own; see tests/web/cases/test_saved.py.
    Route("GET", "/cases/filters", SIGNED_IN),
    Route("POST", "/cases/filters", SIGNED_IN),
    Route("POST", "/cases/filters/<int:id>", SIGNED_IN),
    # What names the pupil is for those who may know; see tests/web/cases/test_printing.py.
    Route("GET", "/print/work", SIGNED_IN),
    Route("GET", "/print/visits", SIGNED_IN),
    Route("GET", "/print/visit/<code>", CONCERNED - {"volunteer", "association"}),
    Route("GET", "/print/handover/<code>", CONCERNED - {"volunteer", "association"}),
    # Lists as files, as their pages; see tests/web/test_lists.py.
    *(
        Route("GET", f"{rule}.{form}", who)
        for form in ("xlsx", "csv")
        for rule, who in (
            ("/notices", SIGNED_IN),
            ("/imports", SIGNED_IN),
            ("/closures", SIGNED_IN),
            ("/attendance/<int:class_id>", SCHOOL),
            ("/admin/deliveries", frozenset({"admin"})),
            ("/cases/<code>/support", CONCERNED),
        )
    ),
    Route("GET", "/attendance", SIGNED_IN),  # one's own classes; an empty page for who has none
    Route("GET", "/attendance/<int:class_id>", SCHOOL),
    Route("GET", "/attendance/<int:class_id>/blank", SCHOOL),
    Route("POST", "/attendance/<int:class_id>", SCHOOL),
    Route("GET", "/closures", SIGNED_IN),  # those of one's own area; see tests/web/calendar/test_closures.py
    Route("GET", "/closures/new", ANNOUNCERS),
    Route("POST", "/closures/new", ANNOUNCERS_HERE, "unit={class_id}"),
    Route("GET", "/closures/<int:closure_id>", CONCERNED | {"admin"}),  # it holds the teacher's class
    Route("POST", "/closures/<int:closure_id>/lift", ANNOUNCERS_HERE),
    Route("GET", "/closures/<int:closure_id>/change", ANNOUNCERS_HERE),
    Route("POST", "/closures/<int:closure_id>/change", ANNOUNCERS_HERE),
    Route("GET", "/calendar", SIGNED_IN),
    Route("GET", "/welcome", SIGNED_IN),
    Route("POST", "/welcome", SIGNED_IN),
    Route("GET", "/class", TEACHERS),
    Route("GET", "/school", HEADS),
    Route("GET", "/area", AREAS),
    Route("GET", "/gaps", FILLERS),
    Route("GET", "/needs", GIVERS),
    Route("GET", "/gifts/new", GIVERS),
    Route("POST", "/gifts/new", GIVERS),
    Route("GET", "/funds", GIVERS),
    Route("GET", "/funds/<what>", GIVERS),
    Route("POST", "/funds/<what>", GIVERS),
    Route("POST", "/funds/agree/<int:entry_id>", NOBODY),  # nothing waits; see tests/web/support/test_pages.py
    Route("GET", "/funds/reverse/<int:entry_id>", frozenset({"association"})),
    Route("POST", "/funds/reverse/<int:entry_id>", frozenset({"association"})),
    Route("GET", "/statements", GIVERS),
    Route("GET", "/statements.xlsx", GIVERS),
    Route("GET", "/statements.csv", GIVERS),
    Route("GET", "/me/away", SIGNED_IN),
    Route("POST", "/me/away", SIGNED_IN),
    Route("POST", "/me/away/end", NOBODY),  # there is no absence to end
    Route("GET", "/rules", SIGNED_IN),  # whoever is bound by them may read them
    Route("GET", "/workflow", SIGNED_IN),
    Route("GET", "/admin", frozenset({"admin"})),
    Route("GET", "/admin/people", frozenset({"admin"})),
    Route("GET", "/admin/people/new", frozenset({"admin"})),
    Route("POST", "/admin/people/new", frozenset({"admin"})),
    Route("GET", "/admin/people/<int:person_id>", frozenset({"admin"})),
    Route("GET", "/admin/people/<int:person_id>/appoint", frozenset({"admin"})),
    Route("POST", "/admin/people/<int:person_id>/appoint", frozenset({"admin"})),
    Route("POST", "/admin/people/<int:person_id>/end", NOBODY),  # no post is named
    Route("POST", "/admin/people/<int:person_id>/away", frozenset({"admin"})),
    Route("POST", "/admin/people/<int:person_id>/back", NOBODY),  # no absence is named
    Route("POST", "/admin/people/<int:person_id>/hand-over", frozenset({"admin"}), "to=nobody"),
    Route("POST", "/admin/people/<int:person_id>/reset", frozenset({"admin"})),
    Route("POST", "/admin/people/<int:person_id>/disable", frozenset({"admin"})),
    Route("POST", "/admin/people/<int:person_id>/enable", frozenset({"admin"})),
    Route("GET", "/admin/units", frozenset({"admin"})),
    Route("GET", "/admin/units/<int:unit_id>", frozenset({"admin"})),
    Route("GET", "/admin/units/<int:unit_id>/appoint", NOBODY),  # no post is named; see tests/web/admin/test_index.py
    Route("GET", "/admin/vacancies", frozenset({"admin"})),
    Route("GET", "/admin/mergers", frozenset({"admin"})),
    Route("POST", "/admin/mergers", frozenset({"admin"})),
    Route("GET", "/imports", IMPORTERS),
    Route("POST", "/imports", IMPORTERS),
    Route("GET", "/imports/<int:job_id>", NOBODY),  # only who began it; see tests/web/attendance/test_imports.py
    Route("POST", "/imports/<int:job_id>/confirm", NOBODY),
    Route("POST", "/imports/<int:job_id>/cancel", NOBODY),
    Route("GET", "/imports/<int:job_id>/wrong.xlsx", NOBODY),
    Route("GET", "/risk", RULERS | {"head", "outsider_head"}),
    Route("POST", "/risk", frozenset({"admin"})),
    Route("POST", "/risk/unit", NOBODY),  # only the office of the unit; see tests/web/attendance/test_risk.py
    Route("POST", "/risk/trial", RULERS),
    Route("GET", "/simulate", RULERS),
    Route("POST", "/simulate", RULERS),
    Route("GET", "/notices", SIGNED_IN),
    Route("POST", "/notices/read", SIGNED_IN),
    Route("GET", "/me/notices", SIGNED_IN),
    Route("POST", "/me/notices", SIGNED_IN),
    Route("POST", "/me/notices/trial", SIGNED_IN),
    Route("GET", "/sw.js", PUBLIC),
    Route("GET", "/offline", SIGNED_IN),
    Route("GET", "/offline/left", PUBLIC),
    Route("GET", "/offline/me", SIGNED_IN),
    Route("GET", "/offline/pages", SIGNED_IN),  # one's own cases only; see tests/web/offline/test_offline.py
    Route("POST", "/me/notices/browsers", SIGNED_IN),
    Route("POST", "/me/notices/browsers/forget", SIGNED_IN),
    Route("GET", "/admin/deliveries", frozenset({"admin"})),
    Route("POST", "/admin/deliveries/retry", frozenset({"admin"})),
    Route("GET", "/cases", SIGNED_IN),  # narrowed by the session; what is on it is tested below
    Route("GET", "/cases.xlsx", SIGNED_IN),  # as the page itself; see tests/web/attendance/test_imports.py
    Route("GET", "/cases.csv", SIGNED_IN),
    Route("GET", "/cases/new", OPENERS),
    Route("GET", "/cases/new/blank", TEACHERS),
    Route("POST", "/cases/new", SCHOOL, "pupil={pupil}"),
    Route("GET", "/cases/<code>", CONCERNED),
    Route("GET", "/cases/<code>/<name>", CONCERNED),
    Route("POST", "/cases/<code>/<name>", CONCERNED),
    Route("GET", "/cases/<code>/companions/<int:companion>/off", KNOWING),
    Route("POST", "/cases/<code>/companions/<int:companion>/off", KNOWING),
    Route("GET", "/cases/<code>/entries/<int:entry>/correct", CORRECTING),
    Route("POST", "/cases/<code>/entries/<int:entry>/correct", CORRECTING),
    Route("GET", "/cases/<code>/entries/<int:entry>/withdraw", CORRECTING),
    Route("POST", "/cases/<code>/entries/<int:entry>/withdraw", CORRECTING),
    Route("POST", "/cases/<code>/undo", CONCERNED),  # whoever did not act last is told so on the page of the case
    Route("POST", "/cases/<code>/doubts/<int:fired>", NOBODY),  # none waits; see tests/web/cases/test_corrections.py
    Route("GET", "/cases/<code>/difficulties/<int:difficulty>", frozenset({"head"})),  # it waits for the head
    Route("POST", "/cases/<code>/difficulties/<int:difficulty>", frozenset({"head"})),
    Route("GET", "/doubles", frozenset({"education_office", "outsider_education_office"})),
    Route("GET", "/difficulties", SIGNED_IN),  # narrowed by the session; see tests/web/cases/test_difficulties.py
    Route("POST", "/cases/<code>/urge", frozenset({"commune_leader", "education_office", "head"})),
)

# What each role may do with a case that waits for a volunteer.
ACTS = {
    "accept": {"volunteer"},
    "decline": {"volunteer"},
    "hand_back": {"volunteer", "association"},
    "support": {"volunteer", "association", "teacher", "head", "commune_officer", "commune_leader"},
    "return_to_class": {"teacher", "head"},
    "transfer": {"teacher", "head"},
    "move_away": {"teacher", "head"},
    "mark_error": {"teacher", "head"},
    "drop_out": {"head"},
    "check_in": CONCERNED - {"volunteer", "association"},
    "note": CONCERNED,
    "assign": {"association", "education_office"},
    "hold": {"head", "commune_leader", "education_office"},
    "companion": KNOWING,
    "difficulty": CONCERNED,
    "raise_need": CONCERNED - {"education_office"},
    "lesson": {"teacher", "head"},
    "contact": NOBODY,
    "not_back": NOBODY,
    "visit": NOBODY,
    "refer_support": NOBODY,
    "close": NOBODY,
    "reopen": NOBODY,
}


@pytest.fixture
def codes(cast: Cast) -> dict[str, str]:
    """What stands in the places of the rules."""
    code = cast.to_association("pupil")
    helper = {"companion_role": "friend", "companion_name": "Y Bạn"}
    companions.add(cast.context, Act(cast.viewer("teacher"), code, helper, cast.now))
    companion = cast.case(code).version
    stuck = {"difficulty_kind": "road", "difficulty_words": "Cầu hỏng"}
    raise_difficulty(cast.context, Act(cast.viewer("teacher"), code, stuck, cast.now))
    closure = announce_closure(
        cast.context,
        None,
        unit_id=cast.installed.units["class"],
        reason="Bão",
        now=cast.now,
        first_day=dt.date(2026, 3, 10),
        last_day=dt.date(2026, 3, 11),
    )
    return {
        "code": code,
        "companion": str(companion),
        "difficulty": str(companion + 1),
        "entry": str(companion),
        "fired": "999999",
        "name": "note",
        "device": "999999",
        "key": "999999",
        "digest": "x",
        "path": "app.css",
        "chapter": "admin",
        "job_id": "999999",
        "id": "999999",
        "class_id": str(cast.installed.units["class"]),
        "pupil": str(cast.installed.pupils["classmate"]),
        "closure_id": str(closure),
        "person_id": str(cast.site.person("khong-ai")),
        "unit_id": str(cast.installed.units["commune"]),
        "what": "receive",
        "entry_id": str(received(cast)),
    }


def received(cast: Cast) -> int:
    """What the association of the case received, as an entry of its books."""
    act = BookAct(cast.viewer("association"), cast.installed.units["association"], cast.now)
    fund = books.open_place(cast.context, act, "fund", "Quỹ chung")
    return books.receive(cast.context, act, "Cửa hàng Mẫu", fund, Moved("cash", 100_000, cast.now.date()))


def address(route: Route, codes: dict[str, str]) -> str:
    path = route.rule.replace("<path:name>", codes["path"])
    for name, value in codes.items():
        path = path.replace(f"<{name}>", value).replace(f"<int:{name}>", value)
    return path


def answers(cast: Cast, route: Route, codes: dict[str, str]) -> Iterator[tuple[str, str]]:
    """For each member of the cast, and for one who has not signed in, what comes of going this way."""
    for member in (*CAST, ""):
        browser = cast.browser(member) if member else cast.site.client()
        if route.method == "GET":
            answer = browser.get(address(route, codes))
        else:
            page = browser.get("/password" if member else "/login")
            form = dict(pair.split("=") for pair in route.form.format_map(codes).split("&") if pair)
            answer = browser.post(address(route, codes), data={"csrf_token": csrf(page), **form})
        yield member, outcome(route, answer)


def expected(route: Route, member: str) -> str:
    if route.who in {PUBLIC, CLOSED}:
        return "in" if route.who == PUBLIC else "refused"
    if not member:
        return "sign in"
    return "in" if route.who == SIGNED_IN or member in route.who else "refused"


def outcome(route: Route, answer: TestResponse) -> str:
    """What an answer means: 303, 409 and 422 are for one who was let in; an empty form is told what it lacks."""
    if answer.status_code >= 500 and route.rule != "/healthz":  # 503: no worker runs here
        return "failed"
    if answer.status_code == 401 or (answer.location or "").startswith("/login"):
        return "sign in"
    return "refused" if answer.status_code in {403, 404} else "in"


def test_every_route_of_the_application_has_its_line_in_the_table(cast: Cast) -> None:
    known = {(route.method, route.rule) for route in ROUTES}
    there = {
        (method, rule.rule)
        for rule in cast.site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there - known == set()
    assert known - there == set()


def test_every_route_lets_in_whom_the_table_names_and_nobody_else(cast: Cast, codes: dict[str, str]) -> None:
    wrong = []
    for route in ROUTES:
        if route.rule in {"/logout", "/login"} or "<int:device>" in route.rule:
            continue  # tests/web/account/test_signin.py
        for member, found in answers(cast, route, codes):
            if found != expected(route, member):
                wrong.append((route.method, route.rule, member, found))
    assert wrong == []


def test_every_act_is_open_to_the_roles_of_the_table_and_closed_to_the_same_roles_elsewhere(
    cast: Cast, codes: dict[str, str]
) -> None:
    workflow = cast.context.definitions.workflow("dropout")
    assert set(ACTS) >= set(workflow.forms) - {"open"}
    wrong = []
    for act, who in ACTS.items():
        for member in CAST:
            page = cast.get(member, f"/cases/{codes['code']}/{act}")
            if page.status_code != (200 if member in who else 403):
                wrong.append((act, member, page.status_code))
    assert wrong == []


def words(answer: TestResponse) -> str:
    """What an answer says, be it a page or a workbook."""
    if "spreadsheet" not in answer.content_type:
        return answer.text
    return str(calamine.load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python())


def test_no_page_tells_a_stranger_the_pupils_name(cast: Cast, codes: dict[str, str]) -> None:
    strangers = [member for member in CAST if member not in CONCERNED or member in {"volunteer", "association"}]
    told = [
        (member, route.rule)
        for member in strangers
        for route in ROUTES
        if route.method == "GET" and "A Thử" in words(cast.get(member, address(route, codes)))
    ]
    assert told == []
