"""Reads rules files. What a rule set is, is said in engine/rule.py; its names can be had from here too."""

from engine.rule import (
    NEXT_UP,
    OWN,
    Action,
    AskCheckIn,
    Condition,
    Fire,
    Notify,
    Offer,
    RaiseLevel,
    Repeat,
    Rule,
    RuleSet,
    Season,
    SetFlag,
    When,
)

__all__ = [
    "NEXT_UP",
    "OWN",
    "Action",
    "AskCheckIn",
    "Condition",
    "Fire",
    "Notify",
    "Offer",
    "RaiseLevel",
    "Repeat",
    "Rule",
    "RuleSet",
    "Season",
    "SetFlag",
    "When",
]
