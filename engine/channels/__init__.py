"""Sends notices: e-mail, push, Zalo and all that apprise knows, one module for each channel.

To add one: write a class with `name`, `label` and `connect` as in `Channel`. Raise `NotSent` (or `Gone`, `Unreachable`)
for failures. Add the class to `engine.channels.outbox.make_outbox`. docs/operate/notices.md has the steps.
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
    """A message to send. `key` is the same at each attempt, so that a second copy can be recognised."""

    key: str
    subject: str
    body: str
    url: str
    at: dt.datetime
    urgent: bool = False


class NotSent(Exception):
    """The message was not sent.

    It is tried again unless `final`. The text is for the operator: no address, no secret.
    """

    def __init__(self, why: str, *, final: bool = False) -> None:
        self.final = final
        super().__init__(why)


class Gone(NotSent):
    """The address no longer exists, so it can be deleted."""

    def __init__(self, why: str) -> None:
        super().__init__(why, final=True)


class Unreachable(NotSent):
    """The channel reaches nobody now, so the other messages need not be tried."""


Send = Callable[[str, Message], None]


class Channel(Protocol):
    """One way to reach people. `ask`: what the page asks a person for, which is their address there; None: nothing."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> Label: ...
    @property
    def ask(self) -> Label | None: ...

    def connect(self) -> AbstractContextManager[Send]:
        """Opens a connection for several messages: `send(address, message)` returns when one was taken, or raises
        `NotSent`.
        """
        ...
