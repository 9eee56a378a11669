"""The parts that use cases need.

The composition root puts them together once (`web.site.composition.build_context`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.channels.outbox import Outbox
from engine.core.attendance.signals import NOTHING, RiskRules
from engine.core.cases.corrections import Limits
from engine.core.cases.definitions import Definitions
from engine.core.files.aliases import NONE, Aliases
from engine.core.support.catalogue import NO_CATALOGUE, Catalogue
from engine.store.session import Store


@dataclass(frozen=True)
class Context:
    """A database and the definitions of its cases. `workflow` is the one with which new cases begin."""

    store: Store
    definitions: Definitions
    workflow: str = "dropout"
    outbox: Outbox = field(default_factory=Outbox)  # the channels that send notices
    aliases: Aliases = NONE  # names of the columns of imported files
    risk: RiskRules = NOTHING  # what the risk watch looks for
    support: Catalogue = NO_CATALOGUE  # the kinds of support and how they are counted
    limits: Limits = field(default_factory=Limits)  # how long people put right what they did
