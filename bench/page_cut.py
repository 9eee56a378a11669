"""A page of ours cut into a template as a hand would write it: labels looked up by number, rows set down in loops.

What stands in a row is told text by text: the name under which the row has it, or "" for a label. So a template cannot
say less than the page does without anybody noticing: a row with another number of texts is refused.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

TAGS = re.compile(r"(<[^>]+>)")
CODE = re.compile(r"RL-\d{4}-\d{6}")
TOKEN = re.compile(r'(name="csrf_token" value=")[^"]*')
NUMBER = re.compile(r"(case-)\d+|(<option value=\")\d+|(/attendance/)\d+|(class=\"card )\w+(?=\")")
NUMBERED = ("{{ r.id }}", "{{ r.id }}", "{{ r.id }}", "{{ r.urgency }}")


@dataclass(frozen=True)
class Loop:
    """Rows of a page: what they are called, what one looks like, and what each of its texts is."""

    rows: str
    pattern: str
    texts: Sequence[str]


_CARD = Loop(
    "cases", r'<li class="card[^"]*">.*?</li>', ("name", "where", "due", "exact", "state", "since", "act", "of")
)
_ROW = Loop("cases", r'<tr>\s*<th scope="row">.*?</tr>', ("of", "name", "where", "due", "exact", "state", "assignee"))
_UNIT = Loop("units", r'<option value="\d+">.*?</option>', ("name",))
_NOTICE = Loop("notices", r'<li class="card[^"]*">.*?</li>', ("why", "named", "at"))
_DAY = Loop("days", r"<li>\d\d/\d\d/\d{4}[^<]*</li>", ("words",))
_HOLDER = Loop("holders", r"<li><strong>[^<]*</strong> <span class=\"where\">[^<]*</span></li>", ("name", "role"))
_EVENT = Loop("events", r'<li class="">\s*<p class="what">.*?</li>', ("what", "by", "at"))
_PUPIL = Loop("pupils", r'<li>\s*<a class="card".*?</li>', ("name", "where", "open"))
_CLASS = Loop("classes", r'<li class="card">.*?</li>', ("name", "", "m", "", "a"))
LOOPS = {
    "work": (_CARD,),
    "cases": (_UNIT, _ROW),
    "notices": (_NOTICE,),
    "case": (_DAY, _HOLDER, _EVENT),
    "case_new": (_PUPIL,),
    "attendance": (_CLASS,),
}


@dataclass(frozen=True)
class Cut:
    """A page of ours cut into a template and its labels; `kind` says which statements it is made from."""

    kind: str
    template: str
    labels: list[str]


def cut(kind: str, page: str) -> Cut:
    """Cut a page of ours. Raises `ValueError` if a loop of it finds no rows, or a row that it does not know."""
    labels: list[str] = []
    parts: list[str] = []
    for loop in LOOPS.get(kind, ()):
        found = list(re.finditer(loop.pattern, page, re.DOTALL))
        if not found:
            raise ValueError(f"page_{kind}: no {loop.rows}")
        parts += [_frame(page[: found[0].start()], labels), _rows(loop, found[0][0], labels)]
        page = page[found[-1].end() :]
    return Cut(kind, "".join([*parts, _frame(page, labels)]), labels)


def _frame(page: str, labels: list[str]) -> str:
    return "".join(_label(part, labels) for part in TAGS.split(TOKEN.sub(r"\1{{ token }}", page)))


def _label(part: str, labels: list[str]) -> str:
    if part.startswith("<") or not part.strip():
        return part
    labels.append(html.unescape(part))
    return f"{{{{ L[{len(labels) - 1}] }}}}"


def _rows(loop: Loop, row: str, labels: list[str]) -> str:
    parts = TAGS.split(_numbered(row))
    at = [n for n, part in enumerate(parts) if not part.startswith("<") and part.strip(" \n:·")]
    if len(at) != len(loop.texts):
        raise ValueError(f"{loop.rows}: {[parts[n] for n in at]} are not {loop.texts}")
    for n, name in zip(at, loop.texts, strict=True):
        parts[n] = f"{{{{ r.{name} }}}}" if name else _label(parts[n], labels)
    return f"{{% for r in rows.{loop.rows} %}}{''.join(parts)}{{% endfor %}}"


def _numbered(row: str) -> str:
    """The row with its codes and numbers as the row has them."""

    def place(match: re.Match[str]) -> str:
        which = next(n for n, group in enumerate(match.groups()) if group)
        return match.groups()[which] + NUMBERED[which]

    return NUMBER.sub(place, CODE.sub("{{ r.code }}", row))


def written(pages: Mapping[str, Cut]) -> str:
    """Pages that were cut, by address, as `read` takes them."""
    return json.dumps({address: asdict(page) for address, page in pages.items()})


def read(text: str) -> dict[str, Cut]:
    """Pages that were cut, by address."""
    return {address: Cut(**page) for address, page in json.loads(text).items()}
