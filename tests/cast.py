"""The fixed cast for tests of pages: the people and pupils of `engine.core.scenario.cast` on a database, and a browser
for each.

`cast.browser("teacher")` is signed in as the teacher; `outsider_teacher` is the same role elsewhere. It is Monday,
2 March 2026, 08:00, until `cast.go_to` lets time pass.
"""

import datetime as dt
import html
import re
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from engine.core.cases.act import Act
from engine.core.people import passwords
from engine.core.people.access import Viewer
from engine.core.scenario.cast import PUPILS
from engine.core.text import fold, sort_key
from engine.jobs import sweep
from engine.store import tables as t
from engine.store.cases.cases import earliest_look
from engine.store.people.staff import viewer_of
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from tests.installation import HERE, at, kinds_of_support
from tests.pages import PASSWORD, Site, csrf, shipped, site
from tests.shipped_roles import ROLES

PHONE = "0905 000 111"  # of everybody in the cast


@dataclass
class Cast:
    """Everybody and everything that a test of pages needs."""

    site: Site
    context: Context
    installed: seed.Seeded
    browsers: dict[str, FlaskClient] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.site.store

    @property
    def now(self) -> dt.datetime:
        return self.site.clock.now()

    def viewer(self, member: str) -> Viewer:
        """What a member of the cast may see today."""
        with self.store.reading("a viewer of the cast") as session:
            return viewer_of(session, self.installed.people[member], self.now.astimezone(HERE).date(), ROLES)

    def browser(self, member: str) -> FlaskClient:
        """The browser in which this member is signed in."""
        if member not in self.browsers:
            self.browsers[member] = self.site.signed_in(member)
        return self.browsers[member]

    def get(self, member: str, address: str) -> TestResponse:
        """A page as this member sees it."""
        return self.browser(member).get(address)

    def send(self, member: str, address: str, page: str = "", **typed: Any) -> TestResponse:
        """Send a form as a browser does: with what is hidden on the page it stands on, if that can be opened."""
        browser = self.browser(member)
        shown = browser.get(page or address)
        kept = hidden(shown) if shown.status_code == 200 else {"csrf_token": csrf(browser.get("/password"))}
        return browser.post(address, data=kept | typed)

    def open_case(self, pupil: str = "pupil", by: str = "teacher", **values: Any) -> str:
        """A case for one of the pupils; its code."""
        filled = {"confirm": True, "absent_since": "2026-02-27", "causes": ["harvest"]} | values
        return case_acts.open_case(self.context, self.viewer(by), self.installed.pupils[pupil], filled, self.now)

    def step(self, code: str, name: str, by: str, **values: Any) -> None:
        """A step of the workflow."""
        case_acts.step(self.context, Act(self.viewer(by), code, values, self.now), name)

    def accept(self, code: str, by: str) -> None:
        """A member accepts what is on offer to them."""
        case_acts.accept(self.context, Act(self.viewer(by), code, {}, self.now))

    def to_commune(self, pupil: str = "pupil") -> str:
        """A case that waits for the commune officer to accept it."""
        code = self.open_case(pupil)
        self.step(code, "ask_commune", "teacher", note="Nhà xa, nhờ xã đến nhà")
        return code

    def to_association(self, pupil: str = "pupil") -> str:
        """A case that waits for a volunteer to accept it."""
        code = self.to_commune(pupil)
        self.accept(code, "commune_officer")
        self.step(code, "refer_support", "commune_officer", need="Áo ấm cỡ 130", hand_over_at="Văn phòng trường")
        return code

    def case(self, code: str) -> t.Case:
        """The case as it is stored."""
        with self.store.reading("test") as session:
            return session.scalars(select(t.Case).where(t.Case.code == code)).one()

    def pupil(self, name: str, **more: Any) -> int:
        """One more pupil in the teacher's class and the officer's village; the id."""
        with self.store.writing("test") as session:
            like = session.get_one(t.Pupil, self.installed.pupils["pupil"])
            places = ("class_id", "school_id", "village_id", "commune_id", "province_id")
            values: dict[str, Any] = {place: getattr(like, place) for place in places}
            values |= {"code": f"x-{name}", "name": name, "search_key": fold(name), "sort_key": sort_key(name)} | more
            pupil = t.Pupil(**values)
            session.add(pupil)
            session.flush()
            self.installed.pupils[name] = pupil.id
            return pupil.id

    def go_to(self, moment: str) -> None:
        """Time passes, the worker having run whenever something was due."""
        until = at(moment)
        while True:
            with self.store.reading("test") as session:
                due = earliest_look(session)
            if due is None or due > until:
                break
            sweep.run_due(self.context, max(due, self.now))
        self.site.clock.moment = until


def make_cast(store: Store, *, more: bool = False, district: bool = False) -> Cast:
    """The cast on an empty, migrated database; `more` and `district` as for `seed.add_cast`."""
    place = site(store)
    with store.writing("set the stage") as session:
        installed = seed.add_cast(session, place.clock.now(), more=more, district=district)
        known = {"password_hash": passwords.hash(PASSWORD), "must_change": False, "phone": PHONE}
        session.execute(update(t.Person).values(known))
        for code, learner in PUPILS.items():
            found = {"search_key": fold(learner.name), "sort_key": sort_key(learner.name)}
            around = {"address": f"Nhà {code}", "guardian": "Y Mẹ Thử", "birth_date": dt.date(2013, 5, 6)}
            session.execute(update(t.Pupil).where(t.Pupil.code == code).values(found | around))
    return Cast(place, Context(store, shipped(), support=kinds_of_support()), installed)


def hidden(page: TestResponse) -> dict[str, str]:
    """What the first form with these fields on a page sends along unseen."""
    found = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page.text)
        for name in ("csrf_token", "key", "version", "pupil")
    }
    return {name: html.unescape(match[1]) for name, match in found.items() if match}
