"""Urges on (D2.3, D5.1): a leader reminds whoever has the case, at most once a day; the history shows it.

A superior urges (đôn đốc) a subordinate; sideways and upward people ask for attention (đề nghị quan tâm xử lý). The
posts of both people decide which of the two it is; the person who reminds cannot choose.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.cases.act import Act
from engine.core.cases.casework import Actor, Addressed, Casework, Entry
from engine.core.cases.facts import Facts
from engine.core.people.access import Viewer
from engine.core.people.responsibility import posts_of
from engine.core.people.roles import NUDGE, Roles
from engine.core.refusals import Conflict, NoAccess, NotAllowed, NotFound
from engine.core.words import Sentence
from engine.store.cases import cases as stored
from engine.store.cases import writer
from engine.store.cases.surroundings import casework_of
from engine.store.notices.notices import nudged_since
from engine.store.session import Session
from engine.usecases import idempotency
from engine.usecases.cases import case_acts
from engine.usecases.context import Context

URGED, ASKED = "nudged", "attention_asked"  # the kinds of event and notice: by a superior, by anybody else


def may_nudge(facts: Facts, roles: frozenset[str], person_id: int, known: Roles) -> bool:
    """Returns whether a person who reaches the case in these roles may urge it on: a leader, and somebody else's open
    case. `known` says what the roles may do.
    """
    return bool(roles & known.able(NUDGE)) and facts.is_open and facts.assignee_id != person_id


def urges(roles: frozenset[str], holder: str | None, known: Roles) -> bool:
    """Returns whether one of these roles is a superior of the role `holder`, in which somebody has the case."""
    return bool(roles & known.superiors(holder))


def likely_holder(asked_role: str | None, owner: str | None) -> str | None:
    """Returns the role whose turn it is, as far as the case itself says."""
    return asked_role or owner


def reminded(*, as_superior: bool) -> Sentence:
    """Returns the confirmation for a person who has reminded whoever has a case."""
    if as_superior:
        return Sentence("Whoever has the case was urged on; it stands in the history.")
    return Sentence("Whoever has the case was asked for attention; it stands in the history.")


def nudge(context: Context, act: Act) -> bool:
    """Remind whoever has the case, or those to whom it is offered; they get a notice. True if a superior urged them.

    Raises `NotFound`; `NoAccess` for an outsider; `NotAllowed` for a role that does not lead, a case that has ended or
    is one's own; `Conflict` if the viewer has urged this case on today.
    """
    code = act.code.upper()
    sent = idempotency.digest(act.key, "nudge", {"case": code}) if act.key else ""
    with context.store.writing("urge a case on") as session:
        done = bool(act.key and case_acts.replayed(session, act.key, act.viewer, sent))
        facts = stored.case_by_code(session, code)
        if facts is None:
            raise NotFound(Sentence("There is no case {code}.", code=code))
        work = casework_of(session, context.definitions, facts, act.now)
        above = work.roles.superiors(_holder(work))
        if not done:
            _urge(session, work, act, above)
            if act.key:
                idempotency.note(session, act.key, sent, act.now)
        return bool(case_acts.actor_on(act.viewer, facts).roles & above)


def _urge(session: Session, work: Casework, act: Act, above: frozenset[str]) -> None:
    actor = _leader(act.viewer, work)
    people = _addressed(work, but=act.viewer.person_id)
    _once_a_day(session, work, act.viewer.person_id)
    writer.store(session, [_told(work, actor, above, people)], act.key)


def _leader(viewer: Viewer, work: Casework) -> Actor:
    actor = case_acts.actor_on(viewer, work.facts)
    if not actor.roles:
        raise NoAccess(Sentence("You have no access to this case: none of your posts has a duty towards this pupil."))
    leaders = work.roles.able(NUDGE)
    if not actor.roles & leaders:
        raise NotAllowed(Sentence("Only a head, a commune leader or an education office urges others on."))
    if not work.facts.is_open:
        raise NotAllowed(Sentence("This case has ended."))
    return actor.only(leaders)


def _addressed(work: Casework, but: int) -> list[tuple[int, str]]:
    """Returns the people who have to act, without the one who urges."""
    people = [(person, role) for person, role in work.asked() if person != but]
    if not people:
        raise NotAllowed(Sentence("There is nobody else to be urged on in this case."))
    return people


def _once_a_day(session: Session, work: Casework, person_id: int) -> None:
    calendar = work.situation.calendar
    midnight = calendar.instant(calendar.local(work.now).date(), 0)
    if nudged_since(session, work.facts.id, person_id, midnight, (URGED, ASKED)):
        raise Conflict(Sentence("You have urged this case on today already; the notice is on its way."))


def _told(work: Casework, actor: Actor, above: frozenset[str], people: Iterable[tuple[int, str]]) -> Casework:
    kind, actor = (URGED, actor.only(above)) if actor.roles & above else (ASKED, actor)
    entry: Entry = work.write(kind, actor, {})
    entry.told += [Addressed(person, role, kind) for person, role in people]
    return work


def _holder(work: Casework) -> str | None:
    """Returns the role in which a person has the case, or is asked to take it: the highest of several posts."""
    facts, owner = work.facts, work.situation.workflow.states[work.facts.state].owner
    another = work.asks_another
    if facts.waiting or another or owner is None or facts.assignee_id is None:
        return facts.asked_role
    return next(reversed(posts_of(facts.assignee_id, owner, facts, work.directory)), None)
