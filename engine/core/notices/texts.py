"""Writes the text of a notice: the code of a case, why, until when, and a link.

No other data come in, so no other data can get out. The text about an act on an account or a post says what kind of act
it was, without a name. A message passes through phones that lie about, through servers of others and through Zalo
groups. So no function here ever gets a pupil's name, school, class or cause. Readers who may know them follow the link
and sign in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.notices.planning import Digest, DigestItem, PlaceCount
from engine.core.words import Label, Sentence

MARK = "[Ra Lớp]"
_UNKNOWN = Sentence("If you know nothing of this, tell your administrator at once.")
MOST_LINES = 50  # cases or places in one digest; for the rest it gives a number and the link


@dataclass(frozen=True, slots=True)
class Text:
    """A message in one language: a subject of one line, a body of several lines, and its link."""

    subject: str
    body: str
    url: str


def notice_text(
    code: str, why: Label, due: dt.datetime | None, url: str, language: str, *, urgent: bool = False
) -> Text:
    """A notice about one case. `due` is local time; None: there is no deadline."""
    said = why.in_(language)
    mark = MARK + " " + Sentence("Urgent:").in_(language) if urgent else MARK
    lines = [said + ".", Sentence("Case: {code}", code=code).in_(language)]
    if due is not None:
        lines.append(Sentence("Deadline: {due}", due=due).in_(language))
    lines += ["", Sentence("Open it here: {url}", url=url).in_(language), "", _footer(language)]
    return Text(f"{mark} {code}: {said}", "\n".join(lines), url)


def closure_text(why: Label, url: str, language: str) -> Text:
    """A notice about days without class that moved the deadlines of some cases."""
    said = why.in_(language)
    lines = [said + ".", "", Sentence("Open it here: {url}", url=url).in_(language), "", _footer(language)]
    return Text(f"{MARK} {said}", "\n".join(lines), url)


def act_text(why: Label, url: str, language: str, *, urgent: bool = False) -> Text:
    """A notice about an act on an account or a post: what was done. The link shows to whom and by whom."""
    said = why.in_(language)
    mark = MARK + " " + Sentence("Urgent:").in_(language) if urgent else MARK
    link = notices_url(url)
    lines = [said + ".", _UNKNOWN.in_(language), "", Sentence("Open it here: {url}", url=link).in_(language)]
    return Text(f"{mark} {said}", "\n".join([*lines, "", _footer(language)]), link)


def zalo_text(
    code: str, url: str, standing: Sequence[Label | Sentence], due: dt.datetime | None, language: str = "vi"
) -> str:
    """Returns a short text to copy into Zalo: the case, its state, who has to do what until when, and the link.

    `standing` does not depend on the person who copies it, because others read the text.
    """
    line = f"{MARK} {code}: " + " ".join(f"{it.in_(language).rstrip('.')}." for it in standing)
    if due is not None:
        line += " " + Sentence("Deadline: {due}", due=due).in_(language) + "."
    return f"{line}\n{url}"


def digest_text(digest: Digest, day: dt.date, url: str, language: str) -> Text:
    """The digest of a day. `url` is the address of the installation."""
    subject = Sentence("Your work on {day}", day=day).in_(language)
    lines = []
    if digest.items:
        lines += [Sentence("Cases with news: {number}", number=len(digest.items)).in_(language)]
        lines += [_item(item, url, language) for item in digest.items[:MOST_LINES]]
        lines += [*_left_out(len(digest.items), language), ""]
    if digest.closures:
        lines += [f"- {it.why.in_(language)}.\n  {closure_url(url, it.closure)}" for it in digest.closures[:MOST_LINES]]
        lines += [*_left_out(len(digest.closures), language), ""]
    if digest.acts:
        lines += [f"- {why.in_(language)}: {number}" for why, number in digest.acts]
        lines += [f"  {notices_url(url)}", ""]
    if digest.counts:
        lines += [Sentence("To be urged on:").in_(language)]
        lines += [_count(count, language) for count in digest.counts[:MOST_LINES]]
        lines += [*_left_out(len(digest.counts), language), ""]
    if digest.keep:
        lines += [
            Sentence(
                "Keep this message. Its checkpoint of {at} shows later whether something stored before it was changed:",
                at=digest.keep.made_at,
            ).in_(language),
            f"  ralop verify --against {digest.keep.head}",
            "",
        ]
    link = f"{url}/work" if digest.items or not digest.counts else f"{url}/cases"
    lines += [Sentence("Open it here: {url}", url=link).in_(language), "", _footer(language)]
    return Text(f"{MARK} {subject}", "\n".join(lines), link)


def trial_text(url: str, language: str) -> Text:
    """Returns the message that people send to themselves to test a channel."""
    body = Sentence("This channel works: notices of Ra Lớp reach you here.").in_(language)
    link = f"{url}/me/notices"
    subject = Sentence("A test message").in_(language)
    return Text(f"{MARK} {subject}", f"{body}\n\n{link}", link)


def case_url(url: str, code: str) -> str:
    """The address of a case's page."""
    return f"{url}/cases/{code}"


def notices_url(url: str) -> str:
    """The address of the page of one's notices."""
    return f"{url}/notices"


def closure_url(url: str, closure: int | None) -> str:
    """The address of the page of some days without class."""
    return f"{url}/closures/{closure}"


def _item(item: DigestItem, url: str, language: str) -> str:
    line = f"- {item.code}: {item.why.in_(language)}."
    if item.due is not None:
        line += " " + Sentence("Deadline: {due}", due=item.due).in_(language) + "."
    return f"{line}\n  {case_url(url, item.code)}"


def _count(count: PlaceCount, language: str) -> str:
    parts = [
        Sentence("overdue: {number}", number=count.overdue) if count.overdue else None,
        Sentence("waiting for acceptance: {number}", number=count.waiting) if count.waiting else None,
        Sentence("with news: {number}", number=count.news) if count.news else None,
    ]
    return f"- {count.place}: " + "; ".join(part.in_(language) for part in parts if part)


def _left_out(number: int, language: str) -> list[str]:
    more = number - MOST_LINES
    return [Sentence("… and {more} more", more=more).in_(language)] if more > 0 else []


def _footer(language: str) -> str:
    return Sentence(
        "This message has no pupil's name on purpose. Choose how you are told under “Notices” in Ra Lớp."
    ).in_(language)
