"""The parts that use cases need, put together once by the composition root (`web.house.build_house`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.handbook import Handbook
from engine.imports.aliases import NONE, Aliases
from engine.post import Post
from engine.risk import NOTHING, RiskRules
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
