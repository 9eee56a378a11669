"""Finds the file of a workflow, a rule set or a calendar, for the pages that show it in words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from web.site.composition import read_files
from web.site.request_context import deployment


def file_of(kind: str, name: str) -> str:
    """Returns the file with the "workflow", "rules" or "calendar" of this name at the start; "" if it no longer
    exists.
    """
    return _files(deployment().settings.instance).get((kind, name), "")


@cache
def _files(instance: Path) -> Mapping[tuple[str, str], str]:
    read = read_files(instance)
    return {
        **{("workflow", name): source.file for name, (source, _) in read.workflows.items()},
        **{("rules", name): source.file for name, (source, _) in read.rulesets.items()},
        **{("calendar", name): source.file for name, (source, _) in read.calendars.items()},
    }
