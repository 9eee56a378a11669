"""The parts that use cases need, put together once by the composition root (`web.site.composition.build_house`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.channels.outbox import Outbox
from engine.core.attendance.signals import NOTHING, RiskRules
from engine.core.cases.definitions import Definitions
from engine.core.files.aliases import NONE, Aliases
from engine.store.session import Store


@dataclass(frozen=True)
class Context:
    """A database and the definitions its cases run on. `workflow` is the one that new cases begin with."""

    store: Store
    definitions: Definitions
    workflow: str = "dropout"
    post: Outbox = field(default_factory=Outbox)  # by which channels notices leave the house
    aliases: Aliases = NONE  # what the columns of imported files are called
    risk: RiskRules = NOTHING  # what the risk watch looks for
