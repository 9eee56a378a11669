"""A real register through importer and risk watch: `python -m bench.presence FILE.csv.gz`.

It comes in as a long list and as monthly sheets; then each of its days is watched with the shipped signals, as if the
register had come in day by day, and the cases that each signal opened are counted.

FILE has a row for each pupil and unannounced visit: schoolid, pupilid, visit, realdate (a day number), pres (1 seen, 0
not there, blank: no record), as in the replication data of Duflo, Dupas and
Kremer (AER 2011; 97,100 rows, 19,420 pupils).
It ends with 1 unless both forms leave the same marks in the database and no blank left any.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import insert, select

from bench import migrated
from bench.data import definitions
from bench.imports import ALIASES
from engine.core.attendance.signal_reader import load_risk
from engine.core.calendar.reader import load_calendar
from engine.core.cases.definitions import Definitions
from engine.core.files.aliases import load_aliases
from engine.core.files.options import NOT_TAKEN, Options
from engine.jobs.risk_watch import Watched, watch
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.attendance import importing
from engine.usecases.context import Context

NOW = dt.datetime(2026, 6, 30, 2, tzinfo=dt.UTC)
DAY_ZERO = dt.date(2005, 1, 3)  # the one that puts the visits, all but 378, on the days from Monday to Friday
YEARS = "".join(f"[[school_year]]\nfirst = {year}-01-03\nlast = {year}-12-16\n" for year in (2005, 2006, 2007))
CALENDAR = f"""
format = 1
name = "visits"
time_zone = "Africa/Nairobi"
closing = "17:00"
school_days = ["mon", "tue", "wed", "thu", "fri"]
[opening]
mon = ["08:00-17:00"]
{YEARS}"""
"""School from January to December, as there; a day on which nobody came to look has no marks and counts for nothing."""
SHEET = 400  # pupils in a monthly workbook
Visit = tuple[str, str, dt.date | None, str]  # school, pupil, day, what was seen


def visits(path: Path) -> Iterator[Visit]:
    """The rows of the file; a visit without a day has no record either."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            day = DAY_ZERO + dt.timedelta(days=round(float(row["realdate"]))) if row["realdate"] else None
            seen = row["pres"]
            yield row["schoolid"], row["pupilid"], day, "" if seen == "" else "p" if float(seen) else "u"


def long_list(rows: list[Visit]) -> bytes:
    """All rows, blank ones too, as pupil_code, date, session, mark, reason."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["pupil_code", "date", "session", "mark", "reason"])
    writer.writerows([pupil, day.isoformat() if day else "", "m", mark, ""] for _, pupil, day, mark in rows)
    return text.getvalue().encode()


def monthly(rows: list[Visit]) -> Iterator[bytes]:
    """The same as workbooks: one a month and SHEET pupils, a row a pupil, a column a day."""
    months: dict[tuple[int, int], dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for _, pupil, day, mark in rows:
        if day is not None:
            months[day.year, day.month][pupil][day.day] = {"p": "x", "u": "K", "": ""}[mark]
    for (year, month), pupils in sorted(months.items()):
        codes = sorted(pupils)
        for at in range(0, len(codes), SHEET):
            yield _workbook(year, month, {code: pupils[code] for code in codes[at : at + SHEET]})


def _workbook(year: int, month: int, pupils: dict[str, dict[int, str]]) -> bytes:
    file = io.BytesIO()
    last = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day
    names = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, f"SỔ ĐIỂM DANH THÁNG {month} NĂM {year}")
        sheet.write_row(2, 0, ["Mã HS", "Họ và Tên", *range(1, last + 1), "P", "K", "T"])
        sheet.write_row(3, 2, [names[dt.date(year, month, day).weekday()] for day in range(1, last + 1)])
        for at, (code, days) in enumerate(pupils.items(), 4):
            sheet.write_row(at, 0, [code, "", *(days.get(day, "") for day in range(1, last + 1))])
    return file.getvalue()


def fill(store: Store, rows: list[Visit]) -> None:
    """The schools, with a class each, and the pupils."""
    long_ago, schools = dt.date(2000, 1, 1), sorted({school for school, *_ in rows})
    with store.writing("bench") as session:
        for number, school in enumerate(schools):
            for kind, parent in (("school", None), ("class", 2 * number + 1)):
                unit = {
                    "kind": kind,
                    "code": f"{kind}-{school}",
                    "name": school,
                    "search_key": school,
                    "parent_id": parent,
                }
                session.execute(insert(t.Unit).values(**unit, valid_from=long_ago, valid_to=None))
        ids = {school: 2 * number + 1 for number, school in enumerate(schools)}
        known = {pupil: ids[school] for school, pupil, *_ in rows}
        names = {"name": "A Thử", "search_key": "a thu", "sort_key": "thu a"}
        pupils = [
            {"code": pupil, **names, "school_id": school, "class_id": school + 1} for pupil, school in known.items()
        ]
        session.execute(insert(t.Pupil), pupils)


Brought = tuple[dict[str, int], set[tuple[object, ...]], float, dict[str, Any]]


def brought_in(rows: list[Visit], files: Iterator[bytes], days: Iterable[dt.date] = ()) -> Brought:
    """Some files into a new database: the numbers, the marks that are there then, the seconds, what was watched."""
    aliases = load_aliases(ALIASES.read_text(encoding="utf-8"), "aliases.toml")
    signals = load_risk((ALIASES.parent.parent / "risk.toml").read_text(encoding="utf-8"), "risk.toml")
    total: dict[str, int] = {}
    with migrated("sqlite") as url, closing(open_store(url)) as store:
        fill(store, rows)
        context, seconds = Context(store, _handbook(), aliases=aliases, risk=signals), 0.0
        for data in files:
            begun = perf_counter()
            outcome = importing.run(context, "attendance", data, Options(blank=NOT_TAKEN), NOW)
            seconds += perf_counter() - begun
            total = {name: total.get(name, 0) + number for name, number in outcome.summary().items()}
        with store.reading("bench") as session:
            query = select(t.Pupil.code, t.Mark.day, t.Mark.session, t.Mark.mark)
            found: Any = session.execute(query.join(t.Pupil, t.Pupil.id == t.Mark.pupil_id))
            marks = {tuple(row) for row in found}
        watched = [watch(context, day, NOW) for day in days]
    return total, marks, seconds, _together(watched)


def _handbook() -> Definitions:
    return replace(definitions(), calendars={"": load_calendar(CALENDAR, "visits.toml")})


def _together(watched: Sequence[Watched]) -> dict[str, Any]:
    numbers = {name: sum(getattr(one, name) for one in watched) for name in ("looked", "opened", "added")}
    return {"days": len(watched), **numbers, "signals": dict(sum((one.signals for one in watched), Counter()))}


def main(path: Path) -> int:
    """Bring the file in both ways and compare; watch its days."""
    rows = list(visits(path))
    days = sorted({day for _, _, day, mark in rows if day and mark})
    recorded = {(pupil, day, "m", mark) for _, pupil, day, mark in rows if day and mark}
    by_list, listed, list_s, watched = brought_in(rows, iter([long_list(rows)]), days)
    by_sheet, sheeted, sheet_s, _ = brought_in(rows, monthly(rows))
    print(json.dumps({"rows": len(rows), "blank": sum(not mark for *_, mark in rows), "recorded": len(recorded)}))
    print(json.dumps({"long list": by_list, "seconds": round(list_s, 1)}))
    print(json.dumps({"monthly sheets": by_sheet, "seconds": round(sheet_s, 1)}))
    print(json.dumps({"watched": watched}))
    return 0 if listed == sheeted == recorded else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
