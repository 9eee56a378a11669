"""Cuts the demo's registers out of the replication data of Duflo, Dupas and Kremer (2011).

    python rules/demo/cut_presence.py student_presence.csv.gz

The source has a line for each pupil and visit: schoolid, pupilid, girl, visit (05v2 … 06v3), realdate (a day) and pres
(1 found present, 0 absent, blank not seen or no record). Of its 208 schools those with 80 to 130 pupils are taken, the
eight with the fewest blanks. Nothing else is chosen, changed or filled in; pupils are numbered instead of named.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
SCHOOLS = 8
SMALLEST, LARGEST = 80, 130  # pupils

Row = dict[str, str]


def read(path: Path) -> dict[str, dict[str, list[Row]]]:
    """The lines of each pupil of each school, by visit."""
    schools: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            schools[row["schoolid"]][row["pupilid"]].append(row)
    for pupils in schools.values():
        for rows in pupils.values():
            rows.sort(key=lambda row: row["visit"])
    return schools


def chosen(schools: dict[str, dict[str, list[Row]]]) -> list[str]:
    """The ids of the schools that are taken."""

    def blanks(school: str) -> float:
        cells = [row["pres"] for rows in schools[school].values() for row in rows]
        return cells.count("") / len(cells)

    right = [school for school, pupils in schools.items() if SMALLEST <= len(pupils) <= LARGEST]
    return sorted(sorted(right, key=lambda school: (blanks(school), school))[:SCHOOLS], key=int)


def write(schools: dict[str, dict[str, list[Row]]]) -> None:
    """presence.csv, a line a pupil, and visits.csv, a line a school, each with five visits in order."""
    with (HERE / "presence.csv").open("w", encoding="utf-8", newline="") as file:
        presence = csv.writer(file, lineterminator="\n")
        presence.writerow(["school", "pupil", "girl", "v1", "v2", "v3", "v4", "v5"])
        for school in chosen(schools):
            for number, (_, rows) in enumerate(sorted(schools[school].items()), 1):
                presence.writerow([school, number, rows[0]["girl"], *(row["pres"] for row in rows)])
    with (HERE / "visits.csv").open("w", encoding="utf-8", newline="") as file:
        visits = csv.writer(file, lineterminator="\n")
        visits.writerow(["school", "v1", "v2", "v3", "v4", "v5"])
        for school in chosen(schools):
            first = next(iter(schools[school].values()))
            visits.writerow([school, *(row["realdate"] for row in first)])


if __name__ == "__main__":
    write(read(Path(sys.argv[1])))
