"""The ways by which a notice leaves the house: e-mail, push, Zalo and whatever else apprise knows, a module each.

To add one: write a class with `name`, `label` and `connect` as `Channel` has them, raise `NotSent` (or `Gone`,
`Unreachable`) for what went wrong, and make it in `engine.channels.outbox.make_post`; docs/operate/notices.md tells it
in steps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from engine.core.words import Label


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `key` is the same each time the same message is tried, so that a second copy can be recognised."""

    key: str
    subject: str
    body: str
    url: str
    at: dt.datetime
    urgent: bool = False


class NotSent(Exception):
    """It did not go out; it is tried again unless `final`. The text is for the operator: no address, no secret."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        self.final = final
        super().__init__(why)


class Gone(NotSent):
    """This address is no more: it can be forgotten."""

    def __init__(self, why: str) -> None:
        super().__init__(why, final=True)


class Unreachable(NotSent):
    """Nobody can be reached by this channel now: the rest need not be tried."""


Send = Callable[[str, Message], None]


class Channel(Protocol):
    """One way to reach people. `ask`: what a person is asked for on the page, their address there; None: nothing."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> Label: ...
    @property
    def ask(self) -> Label | None: ...

    def connect(self) -> AbstractContextManager[Send]:
        """A line for several messages: `send(address, message)` returns when it was taken, or raises `NotSent`."""
        ...
