"""Reads values of a form outside its fields: ids of rows, which anybody can forge."""

from __future__ import annotations

import datetime as dt

from engine.core.refusals import Invalid
from engine.core.words import Sentence
from engine.core.workflow.form_values import read_date

MOST_DIGITS = 9  # ids fit into this


def whole(text: str | None) -> int | None:
    """Returns a whole number as our pages write it; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def read_day(text: str | None, field: str, default: dt.date | None = None) -> dt.date:
    """Returns a typed day; the default for an empty text. Raises `Invalid` for the field."""
    if not (text or "").strip() and default:
        return default
    day = read_date(text or "")
    if day is None or not 1900 < day.year < 2200:
        raise Invalid({field: Sentence("Write the day as in 25/11/2026.")})
    return day
