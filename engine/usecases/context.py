"""The parts that use cases need, put together once by the composition root (`web.site.composition.build_house`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.channels.outbox import Post
from engine.core.attendance.signals import NOTHING, RiskRules
from engine.core.cases.definitions import Handbook
from engine.core.files.aliases import NONE, Aliases
from engine.store.session import Store


@dataclass(frozen=True)
class House:
    """A database and the definitions its cases run on. `workflow` is the one that new cases begin with."""

    store: Store
    handbook: Handbook
    workflow: str = "dropout"
    post: Post = field(default_factory=Post)  # by which channels notices leave the house
    aliases: Aliases = NONE  # what the columns of imported files are called
    risk: RiskRules = NOTHING  # what the risk watch looks for
