"""Sends notices to people: decides on channels, builds digests, sends, tries again.

1. The channels of each new notice are decided once (`engine.jobs.plan_notices`), in one transaction with its
deliveries.
2. What is due is claimed: `next_try_at` is moved ahead, and that is committed.
3. Then the message is sent, and then marked. A worker killed between the two sends it again when the claim has run out,
under the same key. So a message may come twice, but never not at all.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engine.channels import Gone, Message, NotSent, Send, Unreachable
from engine.core.notices import planning
from engine.jobs.plan_notices import plan_new, plan_urging
from engine.jobs.write_notices import Writer
from engine.store.notices import deliveries as stored
from engine.store.notices.deliveries import Claimed, DueNotice
from engine.store.notices.notices import drop_browser, pass_on, read_readers
from engine.store.session import Session
from engine.usecases.cases.reseat import has_the_seat
from engine.usecases.context import Context

log = logging.getLogger("ralop.deliver")

BATCH = 100
CLAIM = dt.timedelta(minutes=5)  # longer than a round takes: the budget below, and one message that hangs
BUDGET_S = 10.0  # seconds; then the rest is given back, so that other jobs have their turn
REST = dt.timedelta(minutes=2)  # how long a channel that reaches nobody is not tried

Stop = Callable[[], bool]


@dataclass(slots=True)
class Delivered:
    """The results of a round: notices planned, messages sent, attempts that failed."""

    planned: int = 0
    sent: int = 0
    failed: int = 0


def deliver(
    context: Context, now: dt.datetime, stop: Stop = lambda: False, *, jitter: Callable[[], float] = random.random
) -> Delivered:
    """Does one round: plans all new notices, sends some of what is due. `jitter` returns numbers from 0 to 1."""
    done = Delivered()
    while not stop() and (planned := plan_new(context, now)):
        done.planned += planned
    plan_urging(context, now)
    if not stop() and (claimed := _claim(context, now)):
        _Round(context, now, stop, jitter, done).send(claimed)
    return done


def _claim(context: Context, now: dt.datetime) -> list[Claimed]:
    """Claims what is due; a message that now falls into quiet hours waits until they are over."""
    with context.store.reading("deliver") as session:
        if not stored.take_due(session, now, 1, lock=False):
            return []
    with context.store.writing("claim deliveries") as session:
        taken = stored.take_due(session, now, BATCH)
        readers = read_readers(session, {it.person_id for it in taken if not it.urgent})
        calendar = context.definitions.calendar("")
        late = {
            it.id: until
            for it in taken
            if not it.urgent and (until := planning.after_quiet(now, readers[it.person_id].hours, calendar)) > now
        }
        stored.postpone(session, late)
        return stored.claim(session, [it for it in taken if it.id not in late], now + CLAIM)


@dataclass(slots=True)
class _Round:
    context: Context
    now: dt.datetime
    stop: Stop
    jitter: Callable[[], float]
    done: Delivered

    def send(self, claimed: Sequence[Claimed]) -> None:
        """Sends claimed messages, channel by channel; gives back what was not tried."""
        end = time.monotonic() + BUDGET_S
        with self.context.store.reading("write messages") as session:
            writer = Writer(self.context, session, claimed, self.now)
        for channel in dict.fromkeys(it.channel for it in claimed):
            queue = [it for it in claimed if it.channel == channel]
            again_at = self.now
            with self._line(channel) as send:
                while queue and again_at == self.now and not self.stop() and time.monotonic() < end:
                    if not self._try(queue.pop(0), send, writer):
                        again_at = self.now + REST
            with self.context.store.writing("give deliveries back") as session:
                stored.give_back(session, [it.id for it in queue], again_at)

    @contextmanager
    def _line(self, channel: str) -> Iterator[Send]:
        if channel in self.context.outbox.channels:
            with self.context.outbox.channels[channel].connect() as send:
                yield send
        else:
            yield _switched_off

    def _try(self, it: Claimed, send: Send, writer: Writer) -> bool:
        """Sends one and marks it; returns False if the channel reaches nobody now."""
        try:
            text = writer.text(it)
            if text is not None:
                message = Message(it.key, text.subject, text.body, text.url, self.now, it.urgent)
                self._send(writer.addresses(it), message, send)
        except NotSent as error:
            self._failed(it, str(error), final=error.final)
            return not isinstance(error, Unreachable)
        except Exception as error:
            log.exception("A message could not be sent")
            self._failed(it, type(error).__name__, final=False)
            return True
        with self.context.store.writing("mark a delivery") as session:
            why = self._pass_on(session, it, writer.dropped.get(it.id, ()))
            stored.mark_sent(session, it.id, self.now, stored.SENT if text else stored.VOID, None if text else why)
        self.done.sent += text is not None
        return True

    def _pass_on(self, session: Session, it: Claimed, dropped: Sequence[DueNotice]) -> str | None:
        """Gives what the person has no duty for any more to whoever has it now, if they do not know; returns the reason.

        What says that a case came to somebody goes no further: whoever has it now was told so when it came to them.
        """
        passed_on = 0
        for one in dropped:
            if one.kind not in planning.CAME_KINDS and one.case_id is not None and one.closure_id is None:
                people = has_the_seat(session, self.context, one.case_id, one.role, self.now) - {it.person_id}
                passed_on += pass_on(session, one.id, people, self.now)
        return f"the person has no duty there any more; passed on: {passed_on}" if dropped else None

    def _send(self, addresses: Sequence[str], message: Message, send: Send) -> None:
        """Sends to every address of the person; the message has arrived if one of them took it."""
        taken, failure = False, NotSent("the person has no address there any more", final=True)
        for address in addresses:
            try:
                send(address, message)
                taken = True
            except Gone as error:
                self._forget(address)
                failure = error
            except NotSent as error:
                failure = error
        if not taken:
            raise failure

    def _forget(self, address: str) -> None:
        with self.context.store.writing("forget a browser") as session:
            drop_browser(session, json.loads(address)["endpoint"])

    def _failed(self, it: Claimed, why: str, *, final: bool) -> None:
        self.done.failed += 1
        attempts = it.attempts + 1
        over = final or attempts >= planning.MOST_ATTEMPTS
        again_at = None if over else self.now + planning.wait(attempts, self.jitter())
        with self.context.store.writing("mark a delivery") as session:
            stored.mark_failed(session, it, why, again_at)


def _switched_off(_address: str, _message: Message) -> None:
    raise NotSent("this channel is switched off", final=True)
