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
from engine.core.people.roles import OFFICE
from engine.jobs.plan_notices import DIGEST, NOTICE, TRIAL, head_to_keep, to_urge
from engine.store.notices import deliveries as stored
from engine.store.notices import notices as readers
from engine.store.notices.deliveries import Claimed, DueNotice
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
        digested = {it.person_id for it in claimed if it.kind == DIGEST}
        days = {it.day for it in claimed if it.kind == DIGEST and it.day}
        self.keep = {day: head_to_keep(context, session, day) for day in days}
        self.urging: Mapping[int, list[PlaceCount]] = {
            id: to_urge(session, id, now, today, self.roles) for id in digested
        }

    def text(self, it: Claimed) -> Text | None:
        """Returns the text of a delivery in the person's language; None if nothing is left to say."""
        language = self.readers[it.person_id].language
        told = self.told.get(it.id, [])
        if it.kind == TRIAL:
            return texts.trial_text(self.url, language)
        if it.kind == NOTICE and not told:  # what it told of was taken back
            return None
        if it.kind == NOTICE:
            item = self._item(told[0])
            if item.act is not None:
                return texts.act_text(item.why, self.url, language, urgent=it.urgent)
            if item.closure is not None:
                return texts.closure_text(item.why, closure_url(self.url, item.closure), language)
            link = case_url(self.url, item.code)
            return texts.notice_text(item.code, item.why, item.due, link, language, urgent=it.urgent)
        day = given(it.day, "a message of no single notice is the digest of a day")
        keep = self.keep[day].get(it.person_id)
        items, urging = [self._item(one) for one in told], self.urging[it.person_id]
        digest = planning.gather(items, urging, keep, self.roles.leaders)
        return texts.digest_text(digest, day, self.url, language) if digest else None

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
