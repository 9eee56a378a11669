"""A cut of a real register, blanks and all, as a long list and as monthly sheets: the same marks, no blanks."""

import csv
from collections.abc import Iterator
from pathlib import Path

from bench.presence import DAY_ZERO, Visit, brought_in, long_list, monthly

DEMO = Path(__file__).parents[4] / "rules" / "demo"


def visits() -> Iterator[Visit]:
    """Each pupil at each visit of the demo's schools."""
    with (DEMO / "visits.csv").open(encoding="utf-8") as file:
        days = {row["school"]: row for row in csv.DictReader(line for line in file if not line.startswith("#"))}
    with (DEMO / "presence.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            for visit in ("v1", "v2", "v3", "v4", "v5"):
                day = DAY_ZERO + (DAY_ZERO.resolution * int(days[row["school"]][visit]))
                yield row["school"], f"{row['school']}-{row['pupil']}", day, {"1": "p", "0": "u", "": ""}[row[visit]]


def test_both_forms_give_the_same_marks_and_every_blank_stays_not_taken() -> None:
    rows = list(visits())
    recorded = {(pupil, day, "m", mark) for _, pupil, day, mark in rows if mark}
    assert len(rows) > len(recorded) > 1000
    numbers, listed, _, _ = brought_in(rows, iter([long_list(rows)]))
    assert (numbers["new"], numbers["wrong"]) == (len(recorded), 0)
    assert listed == recorded
    assert brought_in(rows, monthly(rows))[:2] == (numbers, recorded)
