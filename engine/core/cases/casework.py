"""Decides what people and rules can do with a case, without a database: each act changes the facts and adds an entry.

A `Casework` is one case at one moment. The acts of people (`open`, `step`, …) and the rules (`escalate`) use the same
few movements: enter a state, offer, tell, settle the clocks. The callers (`engine.usecases.cases.case_acts`,
`engine.jobs.sweep`) load the facts, call one act, and store all entries in one transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.core.calendar import Duration
from engine.core.cases import escalation
from engine.core.cases.definitions import DAYS_APART, Situation
from engine.core.cases.escalation import Due
from engine.core.cases.facts import PLACE, Facts, Fired, changing
from engine.core.cases.requests import following
from engine.core.cases.turn import asks_elsewhere
from engine.core.invariants import given
from engine.core.people.access import ADMIN, OFFICE, REFERRED, SEATS
from engine.core.people.responsibility import (
    LADDERS,
    ROLE_LABELS,
    Directory,
    Found,
    acting,
    find,
    find_from,
    posts_of,
    recipients,
    seats_of,
)
from engine.core.refusals import Conflict, NotAllowed
from engine.core.rules.model import (
    NEXT_UP,
    OWN,
    Action,
    Ask,
    AskCheckIn,
    Fire,
    Notify,
    OfferTo,
    RaiseLevel,
    Rule,
    SetFlag,
)
from engine.core.words import Sentence
from engine.core.workflow.answers import MOST_PUT_OFF, Answer, Since, is_answer
from engine.core.workflow.machine import follow
from engine.core.workflow.model import ASSIGNEE, RULE, State, Transition
from engine.core.workflow.requests import ACCEPT

Seat = tuple[str, int]  # a role in a unit
Seats = Collection[Seat]
SYSTEM: frozenset[str] = frozenset({RULE})
FOR = "for"  # key in an event's data: the person for whom somebody acted
ENDED = "ended"  # key in an event's data: the numbers of the events whose holds it ended
LESSON, CHECK_IN = "lesson", "check_in"  # the kinds of planned dates
BESIDE_WITHIN = Duration(1, "working days")  # the time of one who is asked beside a holder who is away
LESSON_EVERY = 5  # school days from one catch-up lesson to the next
LOOK_AT_LATEST = dt.timedelta(days=28)  # when a case is looked at again that no rule waits for
MOST_FIRINGS = 50  # rules fired in one run; the loader refuses rule sets that could go in a circle without time passing


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts on a case: a person in the roles that reach it, or a rule.

    `acts_for` names the roles that the person has only as a stand-in, each with the person it belongs to.
    """

    person_id: int | None
    roles: frozenset[str]
    acts_for: Mapping[str, int] = field(default_factory=dict)

    def role(self, allowed: Iterable[str] = ()) -> str | None:
        """Returns the role in which the person acts: the first allowed role they hold, else any.

        Own roles come first.
        """
        known = [role for role in allowed if role in self.roles] or sorted(self.roles)
        return next((role for role in known if role not in self.acts_for), next(iter(known), None))

    def only(self, roles: Collection[str]) -> Actor:
        """Returns the same person with only these roles."""
        return replace(self, roles=self.roles & frozenset(roles))


@dataclass(frozen=True, slots=True)
class Addressed:
    """A person who is told, in which role, and why (the id of a rule, or what happened)."""

    person_id: int
    role: str
    kind: str
    urgent: bool = False


@dataclass(slots=True)
class Entry:
    """An event and everything that is stored with it.

    `data` holds nothing personal; `text` is what a person filled in.
    """

    kind: str
    at: dt.datetime
    person_id: int | None = None
    role: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    text: dict[str, Any] | None = None
    firing: Due | None = None
    firing_entry: int = 0
    offer: Found | None = None
    answer: str | None = None  # the answer to the earlier offer: accepted, declined, superseded, handed_back
    offered_at: dt.datetime | None = None  # when the offer was made that is handed back
    told: list[Addressed] = field(default_factory=list)
    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    before: tuple[Any, ...] | None = None  # the case before the entry: `engine.core.cases.facts.changing`


class Casework:
    """One case at one moment.

    `entries` grows with each act. `facts` show the case as it will be once the entries are stored. `before` holds the
    stored values of what can change.
    """

    def __init__(self, facts: Facts, situation: Situation, directory: Directory, now: dt.datetime) -> None:
        self.facts, self.situation, self.directory, self.now = facts, situation, directory, now
        self.before = changing(facts)
        self.entries: list[Entry] = []

    @property
    def next_seq(self) -> int:
        """Returns the number that the next entry gets in the history of the case."""
        return self.facts.version + len(self.entries) + 1

    def asked(self) -> list[tuple[int, str]]:
        """Returns who has to act now, and in which role.

        These are the people who act for the assignee today or, if nobody has accepted yet or another seat is asked, in
        the seat that is asked.
        """
        facts, directory = self.facts, self.directory
        beside = facts.beside_until is not None or facts.assignee_id is None
        if facts.asked_role and facts.asked_unit_id and (facts.waiting or beside or self.asks_another):
            if facts.asked_role == ADMIN:
                return [(person, ADMIN) for person in acting(directory.admins())]
            holders = directory.holders(facts.asked_role, facts.asked_unit_id)
            return [(person, facts.asked_role) for person in acting(holders)]
        found = directory.person(facts.assignee_id).acting if facts.assignee_id else ()
        return [(person, ASSIGNEE) for person in found]

    # --- what people do -------------------------------------------------------------------------------------------

    def open(self, actor: Actor, values: Mapping[str, object]) -> None:
        """Adds the first entry of a new case. The case is already in the workflow's initial state."""
        entry = self._entry("opened", actor, self.situation.workflow.initial, text=values)
        self._enter(self.facts.state, entry, actor)
        self._take_in(values, entry)
        self._settle()

    def check(self, name: str, actor: Actor) -> None:
        """Checks that the actor may do this transition now. Raises `NotFound` or `NotAllowed`."""
        follow(self.situation.workflow, self.facts.state, name, actor.roles)

    def step(self, name: str, actor: Actor, values: Mapping[str, Any]) -> None:
        """Do a transition. Raises `NotFound` or `NotAllowed`."""
        step, state = follow(self.situation.workflow, self.facts.state, name, actor.roles)
        entry = self._entry(name, actor, state, role=actor.role(step.by), text=values)
        if state == self.facts.state and self.facts.waiting and step.answers:
            self._take_up(entry, actor)
        self._move(step, state, entry, actor)
        self._follow(step, values, entry, actor)
        self._take_in(values, entry)
        if is_answer(step):
            next_on = values.get("next_on")
            answer = Answer(self.next_seq - 1, self.now, self._closing(next_on) if next_on else None)
            self.facts.answers += (answer,)
        self._settle()

    def accept(self, actor: Actor, seats: Seats, values: Mapping[str, object]) -> None:
        """Accepts the case that is offered to one of the actor's seats (role, unit)."""
        role = self._answering(actor, seats)
        entry = self._entry("accepted", actor, role=role, text=values)
        entry.answer = "accepted"
        self.facts.accepted_at, self.facts.assignee_id = self.now, actor.person_id
        self._ask(self._own(), (role, given(self.facts.offered_unit_id, "what is accepted was on offer")), entry)
        self._settle()

    def decline(
        self, actor: Actor, seats: Seats, declined: Seats, values: Mapping[str, object], *, has_it: bool = False
    ) -> None:
        """Returns an offer with a reason, or an accepted case; the next post above gets it.

        `declined` are the seats that returned it before. `has_it`: the actor accepted the case, or acts for who did.
        """
        if has_it and self.facts.accepted_at is not None:
            seat, answer = self._seat_of_holder(), "handed_back"
        else:
            asked = self._answering(actor, seats)
            seat = (asked, given(self.facts.offered_unit_id, "who answers an offer sits in the unit that it went to"))
            answer = "declined"
        entry = self._entry("declined", actor, role=seat[0], text=values)
        entry.answer, entry.offered_at = answer, self.facts.offered_at
        self._offer(self._after(seat, declined), entry, "offered")
        self._settle()

    def next_after_decline(self, declined: Seats) -> Found:
        """Returns the post to which the case goes if the one that has it on offer returns it, as `declined` have."""
        role = given(self.facts.offered_role, "only what is on offer is returned")
        unit = given(self.facts.offered_unit_id, "who answers an offer sits in the unit that it went to")
        return self._after((role, unit), declined)

    def _after(self, seat: Seat, declined: Seats) -> Found:
        """The post that gets what this seat returns."""
        role = seat[0]
        owner = self.situation.workflow.states[self.facts.state].owner or role
        start = seat if role in LADDERS[owner] else None
        return find(owner, self.facts, self.directory, {*declined, seat}, start)

    def _seat_of_holder(self) -> tuple[str, int]:
        """The post in which the holder has the case: their own, or else the one that accepted it."""
        facts = self.facts
        owner = self.situation.workflow.states[facts.state].owner or ADMIN
        held = posts_of(facts.assignee_id, owner, facts, self.directory) if facts.assignee_id else ()
        own = next((role for role in held if role in SEATS), None)
        role = own or given(facts.offered_role, "who accepted a case had an offer")
        unit = getattr(facts, SEATS[own]) if own else facts.offered_unit_id
        return role, given(unit, "a post lies in a unit")

    def assign(self, actor: Actor, person_id: int, role: str, values: Mapping[str, object]) -> None:
        """Gives the case to a person who holds its owner's role here.

        The actor is above that person, or had the case.
        """
        owner = self.situation.workflow.states[self.facts.state].owner
        above = {OFFICE, *LADDERS.get(owner or "", ())}
        if owner is None or not (actor.roles & above) or role not in above:
            raise NotAllowed(Sentence("Your role does not allow assigning this case."))
        entry = self._entry(
            "assigned", actor, role=actor.role(LADDERS[owner]), data={"to": person_id, "as": role}, text=values
        )
        waited = self.facts.waiting
        if waited:
            entry.answer = "accepted"
        if self.facts.offered_role:
            self.facts.accepted_at = self.now
        before, self.facts.assignee_id = self.facts.assignee_id, person_id
        self._taken(waited, role, entry)
        self._tell(entry, [(person_id, role)], "assigned", but=actor.person_id)
        if before and before != person_id:
            self._tell(entry, [(before, role)], "relieved", but=actor.person_id)
        self._settle()

    def write(
        self,
        kind: str,
        actor: Actor,
        values: Mapping[str, object],
        rows: Iterable[tuple[str, dict[str, Any]]] = (),
        data: Mapping[str, object] | None = None,
    ) -> Entry:
        """Add an entry that moves the case to no other state: a note, support given, a check-in."""
        entry = self._entry(kind, actor, data=dict(data or {}), text=values)
        entry.rows += rows
        self._take_in(values, entry)
        self._settle()
        return entry

    def record(
        self,
        kind: str,
        actor: Actor,
        *,
        role: str | None = None,
        values: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
    ) -> Entry:
        """Adds an entry about an earlier one. It takes no values in and settles no clock: the caller does."""
        return self._entry(kind, actor, role=role, data=dict(data or {}), text=values)

    def settle(self) -> None:
        """Counts the deadline and the next look from the facts as they are now."""
        self._settle()

    def tell(self, entry: Entry, people: Iterable[tuple[int, str]], kind: str, *, but: int | None = None) -> None:
        """Tells people, each in a role, of an entry."""
        self._tell(entry, people, kind, but=but)

    def hold(self, actor: Actor, until: dt.datetime | None, reason: str, values: Mapping[str, object]) -> None:
        """Stops the clocks of the case from now on, for a reason."""
        entry = self._entry("held", actor, text=values, data={"until": _iso(until)})
        entry.rows.append(("holds", {"starts_at": self.now, "ends_at": until, "reason": reason}))

    def resume(self, ended: Sequence[int]) -> None:
        """The clocks go on that holds had stopped: those that the events with these numbers began."""
        before = self.facts.due_at
        entry = self._entry("recounted", Actor(None, SYSTEM), data={"because": "hold", ENDED: list(ended)})
        self._settle()
        entry.data |= {"due_before": _iso(before), "due": _iso(self.facts.due_at)}

    def tell_assignee(self, kind: str) -> None:
        """Tells whoever has the case of the newest entry, when no person made that entry by hand."""
        owner = self.situation.workflow.states[self.facts.state].owner
        if self.facts.assignee_id is not None and owner is not None:
            role = find(owner, self.facts, self.directory).role
            self._tell(self.entries[-1], [(self.facts.assignee_id, role)], kind)

    # --- what happens around it -----------------------------------------------------------------------------------

    def migrate(self, situation: Situation, state: str) -> None:
        """Moves the case to other versions of the workflow and the rules, in `state`; counts the deadline again.

        A state that only got another name keeps its clock, its offer and its assignee. If another role is responsible,
        the case enters the state anew.
        """
        facts, actor = self.facts, Actor(None, SYSTEM)
        before, old, new = facts.due_at, self.situation.workflow.states[facts.state], situation.workflow.states[state]
        versions = situation.workflow.version, situation.rules.version
        entry = self._entry(
            "migrated",
            actor,
            data={
                "because": "rules",
                "workflow_versions": [facts.workflow_version, versions[0]],
                "rules_versions": [facts.rules_version, versions[1]],
            },
        )
        answered = escalation.answered(facts, self.situation.calendar)
        self.situation = situation
        facts.workflow_version, facts.rules_version = versions
        if state != facts.state:
            entry.data |= {"from": facts.state, "to": state}
        if (old.owner, old.offered) == (new.owner, new.offered):
            facts.state = state
            self._same_request(old, new, answered, entry)
        else:
            entry.answer = "superseded" if facts.waiting else None
            self._enter(state, entry, actor)
        self._settle()
        entry.data |= {"due_before": _iso(before), "due": _iso(facts.due_at)}

    def _same_request(self, old: State, new: State, answered: Since | None, entry: Entry) -> None:
        """The case asks by its new workflow what it asked by the old one, of the same seat.

        Under older rules time counted from the contacts and visits in the history (`answered`); now the request has it.
        """
        facts = self.facts
        if facts.waiting or facts.request is None or facts.asked_role is None or facts.asked_unit_id is None:
            return
        request = facts.request if facts.request in new.requests and facts.request != old.asks else new.asks
        if answered is None and request == facts.request:
            return
        asked, counted = (answered.answer.at, answered.start) if answered else (facts.asked_at, facts.asked_from)
        self._ask(request, (facts.asked_role, facts.asked_unit_id), entry, counted)
        facts.asked_at = asked
        dates = sum(answer.next_at is not None for answer in facts.answers)
        facts.put_off = max(facts.put_off, min(dates, MOST_PUT_OFF))

    def place(self, moved: Mapping[str, list[int]], successors: Mapping[int, int]) -> None:
        """Moves the case along with units that merged into others.

        An offer goes to the post that replaces the old one, and keeps its clock.

        Args:
            moved: the places of the case that changed, each with the old and the new unit.
            successors: the units that ended, each with its successor.
        """
        facts, before, since, counted = self.facts, self.facts.due_at, self.facts.offered_at, self.facts.asked_from
        entry = self._entry("placed", Actor(None, SYSTEM), data={"because": "merger", "moved": dict(moved)})
        if facts.offered_role and facts.offered_unit_id in successors:
            if facts.waiting:
                self._offer(find(facts.offered_role, facts, self.directory), entry, "offered")
                facts.offered_at, facts.asked_from = since, counted
            else:
                facts.offered_unit_id = successors[facts.offered_unit_id or 0]
        if facts.asked_role and (unit := successors.get(facts.asked_unit_id or 0)) is not None:
            self._seat((facts.asked_role, unit), entry)
        self._settle()
        entry.data |= {"due_before": _iso(before), "due": _iso(facts.due_at)}

    def put_back(self, moved: Mapping[str, list[int]], before: Mapping[str, object]) -> None:
        """A merger was undone: the case is asked of whom it was asked before, its clocks as they were.

        Args:
            moved: the places of the case that changed, each with the old and the new unit.
            before: what the case held before the merger, by its fields.
        """
        entry = self._entry("placed", Actor(None, SYSTEM), data={"because": "merger undone", "moved": dict(moved)})
        waited = self.facts.waiting
        for name, value in before.items():
            setattr(self.facts, name, value)
        if self.facts.offered_role and {"offered_role", "offered_unit_id"} & before.keys():
            entry.answer = "superseded" if waited else None
            entry.offer = Found(self.facts.offered_role, self.facts.offered_unit_id or 0, ())
        if "asked_unit_id" not in before:  # the file that a merger wrote before cases knew whose turn it is
            self._follow_places(entry)
        elif self.facts.asked_role is not None and self.facts.asked_unit_id is not None:
            self._seat((self.facts.asked_role, self.facts.asked_unit_id), entry)
        entry.data["due"] = _iso(self.facts.due_at)

    def move(self, actor: Actor, place: Mapping[str, int | None], situation: Situation) -> None:
        """The pupil has moved, and the case with them. If another post answers for it there, it goes to that post.

        Args:
            actor: who moved the pupil.
            place: the units of the pupil now and the grade, by the case's fields.
            situation: the rules and the clock that hold there.
        """
        facts, before = self.facts, self._answerable()
        units = {name: [getattr(facts, name), new] for name, new in place.items() if name in PLACE}
        for name, value in place.items():
            setattr(facts, name, value)
        self.situation = situation
        moved = {name: pair for name, pair in units.items() if pair[0] != pair[1]}
        entry = self.write("placed", actor, {}, data={"because": "pupil moved", **moved})
        if self._answerable() != before:
            self.hand_on(actor)
        elif self.asks_another:
            self._follow_places(entry)

    def _answerable(self) -> tuple[str, int | None]:
        """The post that answers for the case in its state."""
        owner = self.situation.workflow.states[self.facts.state].owner or ADMIN
        found = find(owner, self.facts, self.directory)
        return found.role, found.unit_id

    def reroute(self, found: Found, actor: Actor) -> None:
        """Offers the case to a post that is filled again and that should have it; the time to accept begins again."""
        self._offer(found, self._entry("rerouted", actor), "offered")
        self._settle()

    def hand_on(self, actor: Actor, found: Found | None = None) -> None:
        """Passes the case on when its assignee has left: to whoever is responsible now (`found`, if it is known)."""
        facts, entry = self.facts, self._entry("assigned", actor)
        found = found or find(self.owner, facts, self.directory)
        if self.state.offered:
            self._offer(found, entry, "offered")
        else:
            facts.assignee_id = _first_of(found)
            entry.data |= {"to": facts.assignee_id, "as": found.role}
            if found.passed_over:
                entry.data["passed_over"] = [list(item) for item in found.passed_over]
            self._taken(False, found.role, entry)
            self._tell(entry, [(person, found.role) for person in found.people[:1]], "assigned", but=actor.person_id)
        self._settle()

    def let_go(self) -> None:
        """The holder has left while another seat is asked: somebody must take the case when its turn comes back."""
        self._entry("assigned", Actor(None, SYSTEM), data={"to": None})
        self.facts.assignee_id = None
        self._settle()

    def ask_seat(self, found: Found) -> None:
        """Asks the same thing of another seat, because nobody acts in the one that was asked."""
        entry = self._entry("reseated", Actor(None, SYSTEM))
        self._move_seat(found, entry)
        self._tell(entry, [(person, found.role) for person in found.people], "handed_over")
        self._settle()

    def ask_beside(self) -> bool:
        """Asks the next one up beside a holder who is away with nobody to stand in, or the holder alone again.

        Returns whether that changed anything.
        """
        facts, directory = self.facts, self.directory
        away = not directory.person(given(facts.assignee_id, "somebody has the case")).acting
        if not away and facts.beside_until is None:
            return False
        asked = facts.asked_role, facts.asked_unit_id
        if away and facts.beside_until is not None and asked[0] != ADMIN and self.asked():
            return False  # whom it has climbed to stays asked
        entry = self._entry("reseated", Actor(None, SYSTEM), data={"because": "away" if away else "back"})
        facts.beside_until = None
        if not away:
            seats = seats_of(facts.assignee_id or 0, self.owner, facts, directory)
            facts.asked_role, facts.asked_unit_id = next(iter(seats), asked)
            entry.data |= {"requested_of": facts.asked_role, "requested_unit": facts.asked_unit_id}
        else:
            self._beside_if_away(entry)
            if (facts.asked_role, facts.asked_unit_id) == asked and asked[0] == ADMIN:
                self.entries.pop()  # still nobody but an administrator
                return False
        self._settle()
        return True

    # --- what the rules do ----------------------------------------------------------------------------------------

    def escalate(self) -> None:
        """Fires every rule that is due by now, the earliest first. Each rule sees what the rules before it changed."""
        for _ in range(MOST_FIRINGS):
            seen = escalation.evaluate(self.facts, self.situation, self.now)
            if seen.due is None:
                break
            self.fire(seen.due)
        else:
            # Too many in one run: the next look goes on, so that this loop always ends.
            later = self.now + dt.timedelta(hours=1)
            seen = escalation.Evaluation(None, later, escalation.deadline(self.facts, self.situation))
        if self.facts.beside_until is not None and self.facts.beside_until <= self.now:
            self._climb_beside()
        self._look_again(seen)

    def recount(self, kind: str, actor: Actor, data: Mapping[str, object]) -> bool:
        """Counts the deadlines again after a closure or a change of rules; returns whether one moved, and adds an entry
        then.
        """
        before = self.facts.due_at
        self._settle()
        if self.facts.due_at == before:
            return False
        self._entry(kind, actor, data={**data, "due_before": _iso(before), "due": _iso(self.facts.due_at)})
        return True

    def fire(self, due: Due) -> None:
        """Does what a due rule says."""
        rule, facts = due.rule, self.facts
        number = escalation.numbered(rule, facts, self.situation.rules)
        entry = Entry(rule.id, self.now, role=RULE, firing=due, firing_entry=number, before=changing(facts))
        entry.data = {
            "rule": rule.id,
            "rules": facts.rules_version,
            "repetition": due.repetition,
            "entry": number,
            "state": facts.state,
            "due": _iso(due.at),
            "start": _iso(due.start),
            "time": str(due.counted or ""),
        }
        around = self.situation.surroundings
        apart = (around.closures, self.situation.shut_for(rule), around.harvests)
        for name, days in zip(DAYS_APART, apart, strict=True):
            if days:
                entry.data[name] = [[c.first.isoformat(), c.last.isoformat(), c.scope] for c in days]
                # The reason may be personal, so it stays outside the chain.
                entry.text = {**(entry.text or {}), name: [c.reason for c in days]}
        if (due.repetition and due.since is None) or not rule.season:
            entry.data["steady"] = True
        if facts.holds:
            entry.data["holds"] = [[_iso(start), _iso(end)] for start, end, _ in facts.holds]
            entry.text = {**(entry.text or {}), "holds": [reason for _, _, reason in facts.holds]}
        if due.since is not None:
            entry.data["answered"] = _answered(due.since)
        before = escalation.fired(rule, facts, self.situation.rules)
        facts.fired[rule.id] = Fired(before.times + 1 if before else 1, self.now, self.next_seq, number)
        self.entries.append(entry)
        for action in rule.then:
            self._do(action, rule, entry)
        entry.data["told"] = sorted({item.role for item in entry.told})

    def _do(self, action: Action, rule: Rule, entry: Entry) -> None:
        facts = self.facts
        match action:
            case Fire(name):
                step, state = follow(self.situation.workflow, facts.state, name, SYSTEM)
                entry.data |= {"step": name, "from": facts.state, "to": state}
                self._move(step, state, entry, Actor(None, SYSTEM))
            case OfferTo(role, unit):
                self._offer(self._seat_for(role, unit), entry, rule.id, urgent=rule.urgent)
            case Notify(roles):
                for role in roles:
                    acting_role, people = recipients(role, facts, facts.assignee_id, self.directory)
                    self._tell(entry, [(person, acting_role) for person in people], rule.id, urgent=rule.urgent)
            case RaiseLevel(steps):
                facts.level += steps
                entry.data["level"] = facts.level
            case Ask(request):
                self.ask_for(request, entry, kind=rule.id)
            case SetFlag(flag):
                facts.flags = sorted({*facts.flags, flag})
                entry.data["flag"] = flag
            case AskCheckIn(within):
                by = self.situation.clock.deadline(self.now, within) or self.now
                entry.rows.append(("planned", {"kind": CHECK_IN, "due_at": by}))
                entry.data["check_in_by"] = _iso(by)

    def _seat_for(self, role: str, unit: str) -> Found:
        if unit == OWN:
            return find(role, self.facts, self.directory)
        if unit == NEXT_UP:
            own = find(role, self.facts, self.directory)
            return find(role, self.facts, self.directory, start=(own.role, own.unit_id)) if own.role != ADMIN else own
        named = self.directory.seat(role, unit)
        if named and (role in REFERRED or named.unit_id in self._here()):
            return named
        return find(role, self.facts, self.directory)  # a person without a duty here cannot open the case

    def _here(self) -> set[int]:
        """Returns the units of the pupil, by class and by home, and all units above them."""
        facts = self.facts
        lowest = [unit for unit in (facts.class_id, facts.school_id, facts.village_id, facts.commune_id) if unit]
        return {above for unit in lowest for above in self.directory.above(unit)}

    # --- the movements they share ---------------------------------------------------------------------------------

    def _entry(
        self,
        kind: str,
        actor: Actor,
        to: str | None = None,
        *,
        role: str | None = None,
        data: dict[str, Any] | None = None,
        text: Mapping[str, Any] | None = None,
    ) -> Entry:
        role = role or actor.role()
        entry = Entry(kind, self.now, actor.person_id, role, data or {}, dict(text) if text else None)
        entry.before = changing(self.facts)
        if (whose := actor.acts_for.get(role or "")) is not None:
            entry.data[FOR] = whose
        if to is not None:
            entry.data |= {"from": self.facts.state, "to": to}
        self.entries.append(entry)
        return entry

    def _move(self, step: Transition, state: str, entry: Entry, actor: Actor) -> None:
        if state == self.facts.state:
            return  # a step from a state to itself keeps the clock, the offer and the assignee
        before = self.facts.assignee_id
        if self.facts.offered_role and self.facts.accepted_at is None:
            entry.answer = "superseded"
        self._enter(state, entry, actor)
        if actor.person_id is not None and before and before != self.facts.assignee_id:
            self._tell(entry, [(before, entry.role or "")], "relieved", but=actor.person_id)

    def _enter(self, state: str, entry: Entry, actor: Actor) -> None:
        facts, target = self.facts, self.situation.workflow.states[state]
        reopened = facts.closed_at is not None and not target.final
        facts.state, facts.since, facts.fired, facts.answers = state, self.now, {}, ()
        facts.closed_at = self.now if target.final else None
        facts.stay, facts.put_off = facts.last_entry + 1, 0
        facts.beside_until = None
        facts.request = facts.asked_role = facts.asked_unit_id = facts.asked_at = facts.asked_from = None
        facts.assignee_id = facts.offered_role = facts.offered_unit_id = facts.offered_at = facts.accepted_at = None
        if reopened:
            facts.level, facts.opened_at = 0, self.now
        if target.owner is None:
            return
        if target.owner in {"volunteer", "association"} and facts.commune_id:
            facts.association_id = next(iter(self.directory.associations(facts.commune_id)), facts.association_id)
        found = find(target.owner, facts, self.directory)
        if target.offered:
            self._offer(found, entry, "offered", but=actor.person_id)
            return
        facts.assignee_id = actor.person_id if actor.person_id in found.people else _first_of(found)
        self._ask(target.asks, (found.role, found.unit_id), entry)
        if found.passed_over:
            entry.data["passed_over"] = [list(item) for item in found.passed_over]
        if actor.person_id is not None:
            self._tell(entry, [(person, found.role) for person in found.people[:1]], "handed_over", but=actor.person_id)

    def _offer(self, found: Found, entry: Entry, kind: str, *, urgent: bool = False, but: int | None = None) -> None:
        facts = self.facts
        if entry.answer is None and facts.offered_role and facts.accepted_at is None:
            entry.answer = "superseded"
        facts.offered_role, facts.offered_unit_id = found.role, found.unit_id
        if found.role in REFERRED:
            facts.association_id = found.unit_id
        facts.offered_at, facts.accepted_at, facts.assignee_id = self.now, None, None
        self._ask(ACCEPT, (found.role, found.unit_id), entry)
        entry.offer = found
        entry.data |= {"offered_to": found.role, "unit": found.unit_id}
        if found.passed_over:
            entry.data["passed_over"] = [list(item) for item in found.passed_over]
        self._tell(entry, [(person, found.role) for person in found.people], kind, urgent=urgent, but=but)

    def _ask(self, request: str, seat: Seat, entry: Entry, since: dt.datetime | None = None) -> None:
        """Says what the case asks now, of which seat, and from when its time counts: nothing else opens a request.

        The request that is open already only changes its seat: an offer that goes up the ladder is still that offer.
        """
        facts = self.facts
        other = self.state.requests.get(request)
        of_holder = request != ACCEPT and (other is None or other.of == self.state.owner)
        if of_holder and self.state.offered and facts.assignee_id is None:
            # Its holder left while another seat was asked: somebody must take it first.
            self._offer(find(self.owner, facts, self.directory), entry, "offered")
            return
        facts.asked_role, facts.asked_unit_id = seat
        facts.asked_from = since or self.now
        if not request == facts.request == ACCEPT:
            if "request" not in entry.data:  # what one event opens twice it opens once
                facts.entry = facts.last_entry = facts.last_entry + 1
            facts.request, facts.asked_at = request, self.now
        entry.data |= {"request": request, "requested_of": seat[0], "requested_unit": seat[1]}
        if since is not None:
            entry.data["counts_from"] = _iso(since)
        self._beside_if_away(entry)

    def _take_up(self, entry: Entry, actor: Actor) -> None:
        """Who does what the offer is about has accepted it, whether they said so or not."""
        facts = self.facts
        role = facts.offered_role if facts.offered_role in actor.roles else entry.role
        entry.answer, entry.data["accepted"] = "accepted", True
        facts.accepted_at, facts.assignee_id = self.now, actor.person_id
        self._taken(True, role or "", entry)

    def _follow(self, step: Transition, values: Mapping[str, Any], entry: Entry, actor: Actor) -> None:
        """Asks what the answers of a step lead to, where nobody has to accept the case first."""
        facts = self.facts
        if facts.request is None or facts.waiting:
            return
        found = following(step, values, facts, self.now, self.situation.calendar, self._closing)
        if found is None:
            return
        if found.puts_off:
            facts.put_off += 1
            entry.data["put_off"] = facts.put_off
        entry.data |= {name: True for name in ("bounded", "spent") if getattr(found, name)}
        if found.puts_off or found.spent:
            entry.data["next"] = values["next_on"]
        self.ask_for(found.request, entry, found.since, but=actor.person_id)

    def ask_for(
        self, request: str, entry: Entry, since: dt.datetime | None = None, *, but: int | None = None, kind: str = ""
    ) -> None:
        """Asks a request of the state, and tells whose turn it is. Who has the case keeps it."""
        seat = self._seat_of(request)
        self._ask(request, seat, entry, since)
        people = [(person, seat[0]) for person, _ in self.asked()]
        if all(person != but for person, _ in people):  # who answered knows what follows from it
            self._tell(entry, people, kind or f"asked_{request}")

    def _seat_of(self, request: str) -> Seat:
        """Returns the seat that a request of the state is asked of: who has the case, or the role that it names."""
        state = self.situation.workflow.states[self.facts.state]
        other = state.requests.get(request)
        if other is None or other.of == state.owner:
            return self._has()
        found = find(other.of, self.facts, self.directory)
        return found.role, found.unit_id

    def ask_again(self, right: Facts, entry: Entry) -> None:
        """The answer that opened what the case asks was put right: the case asks what follows, or counts from then."""
        facts = self.facts
        if right.request is None or (right.request, right.asked_from) == (facts.request, facts.asked_from):
            return
        facts.put_off = right.put_off
        if right.request != facts.request and right.entry == facts.entry:
            self.ask_for(right.request, entry, right.asked_from)
            return
        if right.request != facts.request:  # what was asked before the answer is asked again, under its own number
            facts.request, facts.asked_at = right.request, right.asked_at
            entry.data["request"] = facts.request
            self._seat(self._seat_of(right.request), entry)
        facts.entry, facts.asked_from = right.entry, right.asked_from
        entry.data["counts_from"] = _iso(facts.asked_from)

    def _has(self) -> Seat:
        """Returns the seat that has the case: the one that accepted it, or that of its assignee, or its owner's."""
        facts = self.facts
        if facts.offered_role is not None and facts.offered_unit_id is not None:
            return facts.offered_role, facts.offered_unit_id
        owner = given(self.situation.workflow.states[facts.state].owner, "an open case has an owner")
        held = posts_of(facts.assignee_id, owner, facts, self.directory) if facts.assignee_id else ()
        if held and held[0] in SEATS and (unit := getattr(facts, SEATS[held[0]])) is not None:
            return held[0], unit
        found = find(owner, facts, self.directory)
        return found.role, found.unit_id

    def _taken(self, waited: bool, role: str, entry: Entry) -> None:
        """Somebody in this role has the case now; `waited`: it was on offer, so its own request begins."""
        facts = self.facts
        if role == facts.offered_role and facts.offered_unit_id is not None:
            seat = role, facts.offered_unit_id
        else:
            seat = role, getattr(facts, SEATS.get(role, ""), None) or find(role, facts, self.directory).unit_id
        if facts.offered_role is not None:
            facts.offered_role, facts.offered_unit_id = seat
        if waited:
            self._ask(self._own(), seat, entry)
        elif not self.asks_another:
            self._seat(seat, entry)
            self._beside_if_away(entry)

    def _beside_if_away(self, entry: Entry) -> None:
        """Asks the next one up beside the holder if it is the holder's turn, and nobody acts for them today."""
        facts, directory = self.facts, self.directory
        facts.beside_until = None
        if facts.assignee_id is None or self.asks_another or directory.person(facts.assignee_id).acting:
            return
        seats = seats_of(facts.assignee_id, self.owner, facts, directory)
        seat = seats[0] if seats else (facts.asked_role or self.owner, facts.asked_unit_id)
        self._beside(find_from(seat, facts, directory), entry)

    def _beside(self, found: Found, entry: Entry) -> None:
        within = self.situation.clock.deadline(self.now, BESIDE_WITHIN) or self.now + dt.timedelta(days=1)
        self._move_seat(found, entry)
        self.facts.beside_until = within
        entry.data["beside_until"] = _iso(within)
        self._tell(entry, [(person, found.role) for person in found.people], "asked_beside")

    def _climb_beside(self) -> None:
        """Who was asked beside the holder has done nothing in time: the next one up from there is asked, if any is."""
        facts = self.facts
        seat = facts.asked_role or ADMIN, facts.asked_unit_id
        found = find(seat[0], facts, self.directory, start=seat)
        if found.role == ADMIN:
            return
        entry = self._entry("reseated", Actor(None, SYSTEM), data={"because": "not done"})
        self._beside(found, entry)

    def _move_seat(self, found: Found, entry: Entry) -> None:
        self._seat((found.role, found.unit_id), entry)
        if found.passed_over:
            entry.data["passed_over"] = [list(item) for item in found.passed_over]

    @property
    def state(self) -> State:
        """The state that the case is in, as its workflow describes it."""
        return self.situation.workflow.states[self.facts.state]

    @property
    def owner(self) -> str:
        """The role that has the case in its state."""
        return self.state.owner or ADMIN

    def _own(self) -> str:
        return self.situation.workflow.states[self.facts.state].asks

    @property
    def asks_another(self) -> bool:
        """Returns whether somebody else is asked than who has the case or is offered it."""
        return asks_elsewhere(self.situation.workflow, self.facts)

    def _follow_places(self, entry: Entry) -> None:
        """The units of the case have changed: the same role is asked where the pupil learns and lives now."""
        facts = self.facts
        if facts.asked_role is None:
            return
        if facts.asked_role == facts.offered_role and facts.offered_unit_id is not None:
            self._seat((facts.asked_role, facts.offered_unit_id), entry)
        else:
            found = find(facts.asked_role, facts, self.directory)
            self._seat((found.role, found.unit_id), entry)

    def _seat(self, seat: Seat, entry: Entry) -> None:
        """The present request is asked of another seat; it stays the same request, with the same time."""
        self.facts.asked_role, self.facts.asked_unit_id = seat
        entry.data |= {"requested_of": seat[0], "requested_unit": seat[1]}

    def _answering(self, actor: Actor, seats: Seats) -> str:
        facts = self.facts
        if facts.offered_role is None or facts.offered_unit_id is None:
            raise NotAllowed(Sentence("Nothing is on offer in this case."))
        if facts.accepted_at is not None:
            if facts.assignee_id == actor.person_id:
                raise Conflict(
                    Sentence("You have accepted this case already, at {at}.", at=self._local(facts.accepted_at))
                )
            raise Conflict(Sentence("The case was accepted already, at {at}.", at=self._local(facts.accepted_at)))
        if (facts.offered_role, facts.offered_unit_id) not in seats:
            raise NotAllowed(Sentence("The case is on offer to: {role}.", role=ROLE_LABELS[facts.offered_role]))
        return facts.offered_role

    def _local(self, moment: dt.datetime) -> dt.datetime:
        return self.situation.calendar.local(moment)

    def _tell(
        self,
        entry: Entry,
        people: Iterable[tuple[int, str]],
        kind: str,
        *,
        urgent: bool = False,
        but: int | None = None,
    ) -> None:
        known = {item.person_id for item in entry.told}
        for person, role in people:
            if person not in known and person != but:
                known.add(person)
                entry.told.append(Addressed(person, role, kind, urgent))

    def _take_in(self, values: Mapping[str, Any], entry: Entry) -> None:
        """Applies the fields that the engine itself understands."""
        facts, workflow = self.facts, self.situation.workflow
        if "reached" in values:
            facts.unreached = 0 if values["reached"] else facts.unreached + 1
        if values.get("absent_since"):
            facts.absent_since = dt.date.fromisoformat(values["absent_since"])
        if values.get("causes"):
            facts.causes = tuple(values["causes"])
            entry.rows.append(("causes", {"causes": list(values["causes"])}))
            chosen = (workflow.fields["causes"].choice(code) for code in values["causes"])
            flags = {choice.flag for choice in chosen if choice and choice.flag}
            facts.flags = sorted({*facts.flags, *flags})
        if values.get("need"):
            row = {
                "need": values["need"],
                "handover": values.get("hand_over_at"),
                "association_id": facts.association_id,
            }
            entry.rows.append(("needs", row))
        for number in range(1, int(values.get("catch_up_lessons") or 0) + 1):  # one in each school week (D1.5)
            by = self.situation.steady.deadline(self.now, Duration(LESSON_EVERY * number, "school days"))
            entry.rows.append(("planned", {"kind": LESSON, "due_at": by or self.now}))
        if values.get("next_on"):
            entry.rows.append(("planned", {"kind": CHECK_IN, "due_at": self._closing(values["next_on"])}))

    def _closing(self, day: str) -> dt.datetime:
        date = dt.date.fromisoformat(day)
        return self.situation.calendar.instant(date, self.situation.calendar.closing_minute(date))

    def _settle(self) -> None:
        self._look_again(escalation.evaluate(self.facts, self.situation, self.now))

    def _asks_somebody_else(self) -> bool:
        owner, offered_role = self.situation.workflow.states[self.facts.state].owner, self.facts.offered_role
        return owner not in REFERRED and offered_role is not None and offered_role not in REFERRED

    def _look_again(self, seen: escalation.Evaluation) -> None:
        facts = self.facts
        if not facts.is_open or self._asks_somebody_else():
            # The association is not asked any more: its duty ends, and it no longer sees the case.
            facts.association_id = None
        look = seen.look or self.now + LOOK_AT_LATEST  # an open case is never forgotten, whatever its rules say
        facts.due_at, facts.next_look_at = (seen.deadline, look) if facts.is_open else (None, None)
        if facts.is_open and facts.beside_until is not None:
            facts.due_at = min(facts.due_at or facts.beside_until, facts.beside_until)
            if facts.beside_until > self.now:
                facts.next_look_at = min(look, facts.beside_until)


def _first_of(found: Found) -> int | None:
    """Returns who has a case that nobody has to accept. An administrator is told, but has no case: it is nobody's."""
    return None if found.role == ADMIN else next(iter(found.people), None)


def _answered(since: Since) -> dict[str, Any]:
    """Returns the contact or visit that a rule counted from, as the firing stores it."""
    answer = since.answer
    return {
        "at": _iso(answer.at),
        "next": _iso(answer.next_at),
        "start": _iso(since.start),
        "bounded": since.bounded,
        "spent": since.spent,
    }


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.isoformat() if moment else None
