"""Draws a workflow as SVG, with the place of a case in it: no script, words in the language of the page.

States that are not final are in a column, in the order of the workflow file: the next one is below, jumps forward on
the right, ways back on the left. Final states are below them. Only the steps from the present state have names, each in
the state it leads to. The style sheet sets colours and weights; none of them alone carries a meaning.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from engine.core.words import Sentence
from engine.core.workflow.model import State, Workflow

LEFT, WIDE, RIGHT = 34, 232, 54  # pixels: lanes for ways back, a box, lanes for jumps forward
LANE, TALL, GAP = 11, 46, 22
LINE = 16
END_TALL, END_GAP = 42, 8
MOST_LETTERS = 30  # in a line of a box; in a final state half as many


@dataclass(frozen=True, slots=True)
class Box:
    """A state and its position; `step` is the step that leads to it from here, "" if none does."""

    state: State
    x: int
    y: int
    wide: int
    tall: int
    step: str

    @property
    def middle(self) -> int:
        return self.y + self.tall // 2


def draw(workflow: Workflow, here: str, been: Collection[str], language: str) -> Markup:
    """Draws the workflow with the state `here` marked, and the states it has `been` in.

    Args:
        workflow: to draw.
        here: the name of the state the case is in; "" for the workflow without a case.
        been: names of states it was in before.
        language: of the words, "vi" or "en".
    """
    return _drawn(_Known(workflow), here, frozenset(been), language)


@dataclass(frozen=True)
class _Known:
    """A workflow that equals any other with the same text, so that few pictures are drawn and kept."""

    workflow: Workflow

    def __hash__(self) -> int:
        return hash(self.workflow.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other.workflow.digest == self.workflow.digest


@lru_cache(maxsize=512)
def _drawn(known: _Known, here: str, been: frozenset[str], language: str) -> Markup:
    workflow = known.workflow
    steps = {step.to: step.label.in_(language) for step in reversed(workflow.leaving(here)) if step.to != here}
    boxes = {box.state.name: box for box in _stand(workflow, steps)}
    height = max(box.y + box.tall for box in boxes.values()) + 6
    width = LEFT + WIDE + RIGHT
    marks = [
        *_lines(workflow, boxes, here),
        *(_box(box, box.state.name == here, box.state.name in been, language) for box in boxes.values()),
    ]
    title = Sentence("The way of a case, and where this one is") if here else Sentence("The way of a case")
    words = " ".join(line.in_(language) for line in describe(workflow, here, been, steps))
    return Markup(
        '<svg class="diagram" viewBox="0 0 {width} {height}" role="img" aria-labelledby="way-title way-words">'
        '<title id="way-title">{title}</title><desc id="way-words">{words}</desc>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>'
        "{marks}</svg>"
    ).format(width=width, height=height, title=title.in_(language), words=words, marks=Markup("").join(marks))


def describe(workflow: Workflow, here: str, been: Collection[str], steps: Collection[str]) -> Iterator[Sentence]:
    """Describes the picture in words."""
    states = workflow.states
    if not here:
        yield Sentence("The states are: {states}.", states=[state.label for state in states.values()])
        return
    yield Sentence("The case is in the state “{state}”.", state=states[here].label)
    if passed := [state.label for state in states.values() if state.name in been and state.name != here]:
        yield Sentence("It has been in: {states}.", states=passed)
    if ahead := [state.label for state in states.values() if state.name in steps]:
        yield Sentence("From here it can go to: {states}.", states=ahead)


# --- where things stand -----------------------------------------------------------------------------------------------


def _stand(workflow: Workflow, steps: dict[str, str]) -> Iterator[Box]:
    going = [state for state in workflow.states.values() if not state.final]
    ends = [state for state in workflow.states.values() if state.final]
    for row, state in enumerate(going):
        yield Box(state, LEFT, 4 + row * (TALL + GAP), WIDE, TALL, steps.get(state.name, ""))
    top, half = 4 + len(going) * (TALL + GAP) + 10, (LEFT + WIDE + RIGHT - 3 * END_GAP) // 2
    for place, state in enumerate(ends):
        column, row = place % 2, place // 2
        x = END_GAP + column * (half + END_GAP)
        yield Box(state, x, top + row * (END_TALL + END_GAP), half, END_TALL, steps.get(state.name, ""))


def _lines(workflow: Workflow, boxes: dict[str, Box], here: str) -> Iterator[Markup]:
    """Draws lines between the states; those from here last, so that they are on top; then the way to the final
    states.
    """
    order = [name for name, box in boxes.items() if not box.state.final]
    links = {(start, step.to) for step in workflow.transitions.values() for start in step.from_ if start != step.to}
    rows = sorted((order.index(a), order.index(b)) for a, b in links if a in order and b in order)
    lanes = _lanes([(a, b) for a, b in rows if b != a + 1])
    for a, b in sorted(rows, key=lambda link: order[link[0]] == here):
        yield _line(boxes[order[a]], boxes[order[b]], lanes.get((a, b)), on=order[a] == here)
    starts = [boxes[a] for a, b in sorted(links) if a in order and b not in order]
    ends = [box for box in boxes.values() if box.state.final]
    if starts and ends:
        yield _to_ends(list(dict.fromkeys(starts)), min(box.y for box in ends))


def _lanes(links: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Gives each jump or way back a lane that no other uses beside it; short ones are next to the boxes."""
    taken: dict[tuple[bool, int], list[tuple[int, int]]] = {}
    lanes = {}
    for link in sorted(links, key=lambda link: abs(link[1] - link[0])):
        low, high = sorted(link)
        lane = 0
        while any(low < b and a < high for a, b in taken.get((link[1] > link[0], lane), [])):
            lane += 1
        taken.setdefault((link[1] > link[0], lane), []).append((low, high))
        lanes[link] = lane
    return lanes


def _line(start: Box, end: Box, lane: int | None, *, on: bool) -> Markup:
    if lane is None:
        x = LEFT + WIDE // 2
        path = f"M{x} {start.y + start.tall}V{end.y - 1}"
    elif end.y > start.y:
        edge = LEFT + WIDE
        out = min(edge + 8 + lane * LANE, edge + RIGHT - 14)
        path = f"M{edge} {start.middle + 9}H{out - 5}q5 0 5 5V{end.middle - 12}q0 5 -5 5H{edge + 1}"
    else:
        out = max(LEFT - 8 - lane * LANE, 4)
        path = f"M{LEFT} {start.middle - 9}H{out + 5}q-5 0 -5 -5V{end.middle + 12}q0 -5 5 -5H{LEFT - 1}"
    return Markup('<path class="line{on}" d="{path}" marker-end="url(#tip)"/>').format(
        on=" on" if on else "", path=path
    )


def _to_ends(starts: Sequence[Box], top: int) -> Markup:
    """Draws one line down the right side for all ways to a final state."""
    out, edge = LEFT + WIDE + RIGHT - 6, LEFT + WIDE
    first = min(box.middle for box in starts)
    ticks = "".join(f"M{edge} {box.middle}H{out}" for box in starts)
    return Markup('<path class="line ends" d="{path}" marker-end="url(#tip)"/>').format(
        path=f"{ticks}M{out} {first}V{top - 2}"
    )


# --- what they look like ----------------------------------------------------------------------------------------------


def _box(box: Box, here: bool, been: bool, language: str) -> Markup:
    kinds = [
        name
        for name, true in (("here", here), ("been", been and not here), ("next", box.step), ("end", box.state.final))
        if true
    ]
    mark = "● " if here else "✓ " if been else ""
    letters = MOST_LETTERS if box.wide == WIDE else MOST_LETTERS * 5 // 7
    lines = textwrap.wrap(mark + box.state.label.in_(language), letters)[:2]
    said = [("", line) for line in lines]
    if box.step and len(lines) == 1:
        said.append(("step", textwrap.shorten(f"→ {box.step}", letters + 6, placeholder="…")))
    top = box.middle + 5 - (len(said) - 1) * LINE // 2
    words = Markup("").join(
        Markup('<text{kind} x="{x}" y="{y}">{line}</text>').format(
            kind=Markup(' class="step"') if kind else "", x=box.x + box.wide // 2, y=top + row * LINE, line=line
        )
        for row, (kind, line) in enumerate(said)
    )
    return Markup('<g class="{kinds}"><rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}"/>{words}</g>').format(
        kinds=" ".join(kinds), x=box.x, y=box.y, w=box.wide, h=box.tall, r=2 if box.state.final else 8, words=words
    )
