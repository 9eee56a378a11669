"""Writes the messages of some deliveries: the words in each person's language, and the addresses."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from engine.core.invariants import given
from engine.core.notices import planning, texts
from engine.core.notices.planning import PUSH, DigestItem, PlaceCount
from engine.core.notices.texts import Text, case_url, closure_url
from engine.core.people.access import reach
from engine.core.people.roles import OFFICE
from engine.jobs.plan_notices import DIGEST, NOTICE, TRIAL, head_to_keep, to_urge
from engine.store.notices import deliveries as stored
from engine.store.notices import notices as readers
from engine.store.notices.deliveries import Claimed, DueNotice
from engine.store.people.staff import viewer_of
from engine.store.session import Session
from engine.usecases.context import Context


class Writer:
    """Texts and addresses of deliveries; reads everything they need together."""

    def __init__(self, context: Context, session: Session, claimed: Sequence[Claimed], now: dt.datetime) -> None:
        self.context, self.url, self.roles = context, context.outbox.url, context.definitions.roles
        self.local = context.definitions.calendar("").local
        people = {it.person_id for it in claimed}
        self.readers = readers.read_readers(session, people)
        self.browsers = readers.browsers_of(session, people)
        self.told = stored.told_by(session, [it.id for it in claimed])
        today = self.local(now).date()
        self.absent = {id for id, acts in readers.acting_for(session, people, today).items() if id not in acts}
        self.viewers = {id: viewer_of(session, id, today, self.roles) for id in people}
        digested = {it.person_id for it in claimed if it.kind == DIGEST} - self.absent
        days = {it.day for it in claimed if it.kind == DIGEST and it.day}
        self.keep = {day: head_to_keep(context, session, day) for day in days}
        self.urging: Mapping[int, list[PlaceCount]] = {
            id: to_urge(session, id, now, today, self.roles) for id in digested
        }
        self.dropped: dict[int, list[DueNotice]] = {}  # by delivery: what its reader has no duty for any more
        for it in claimed:
            self._address(it)

    def _address(self, it: Claimed) -> None:
        """Keeps what the reader still has a duty for; a notice is addressed when it is sent, not when it is written."""
        told = self.told.get(it.id, [])
        self.told[it.id] = [one for one in told if self._concerns(it.person_id, one)]
        self.dropped[it.id] = [one for one in told if not self._concerns(it.person_id, one)]

    def _concerns(self, person_id: int, one: DueNotice) -> bool:
        if one.act_id is not None:
            return True
        if one.case_id is None or one.closure_id is not None:
            return any(self.viewers[person_id].units.values())
        return person_id not in self.absent and bool(reach(self.viewers[person_id], one, one.case_id))

    def text(self, it: Claimed) -> Text | None:
        """Returns the text of a delivery in the person's language; None for one with nothing left to say.

        That is an empty digest, a notice of what was taken back, or one about a case for which the person has no duty
        any more.
        """
        language = self.readers[it.person_id].language
        told = self.told.get(it.id, [])
        if it.kind == TRIAL:
            return texts.trial_text(self.url, language)
        if it.kind == NOTICE:
            return self._single(told[0], language, urgent=it.urgent) if told else None
        day = given(it.day, "a message of no single notice is the digest of a day")
        keep = self.keep[day].get(it.person_id)
        items, urging = [self._item(one) for one in told], self.urging.get(it.person_id, ())
        digest = planning.gather(items, urging, keep, self.roles.leaders)
        return texts.digest_text(digest, day, self.url, language) if digest else None

    def _single(self, one: DueNotice, language: str, *, urgent: bool) -> Text:
        item = self._item(one)
        if item.act is not None:
            return texts.act_text(item.why, self.url, language, urgent=urgent)
        if one.kind == planning.CAME_MANY:
            return texts.closure_text(item.why, f"{self.url}/work", language)
        if item.closure is not None:
            return texts.closure_text(item.why, closure_url(self.url, item.closure), language)
        link = case_url(self.url, item.code)
        return texts.notice_text(item.code, item.why, item.due, link, language, urgent=urgent)

    def _item(self, told: DueNotice) -> DigestItem:
        why = planning.reason(
            self.context.definitions, told.workflow or "", told.rules_version or 0, told.kind, told.cases
        )
        due = self.local(told.due_at) if told.due_at else None
        place = (told.commune if told.role == OFFICE else None) or told.school or ""
        return DigestItem(told.code or "", why, due, told.role, place, told.closure_id, told.act_id)

    def addresses(self, it: Claimed) -> list[str]:
        """Returns the addresses of a delivery: each browser with push messages, or the person's one address; [] if
        none.
        """
        if it.channel == PUSH:
            return [_as_address(browser) for browser in self.browsers.get(it.person_id, ())]
        address = self.readers[it.person_id].address(it.channel)
        return [address] if address else []


def _as_address(browser: readers.Browser) -> str:
    keys = asdict(browser)
    return json.dumps({"endpoint": keys.pop("endpoint"), "keys": keys})
