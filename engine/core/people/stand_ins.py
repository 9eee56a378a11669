"""Finds who acts for whom on one day: the person, or whoever stands in at the live end of a chain of absences.

A is away and names B; B is away and names C: then C acts for A and for B. A ring of absences ends with nobody. A closed
account acts for nobody, and nothing goes on beyond it. `engine.store.stand_ins` gives the same answers in SQL; a test
holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Absences:
    """Who is away on one day, each with those who were named to stand in; and whose account is closed."""

    away: Mapping[int, Collection[int]] = field(default_factory=dict)
    closed: frozenset[int] = frozenset()

    def acting(self, person_id: int) -> tuple[int, ...]:
        """Returns who acts for a person today, by id: the person, or the live ends of their absence; () for nobody."""
        if person_id not in self.away:
            return () if person_id in self.closed else (person_id,)
        seen, ends, further = {person_id}, set[int](), [person_id]
        while further:
            for named in self.away[further.pop()]:
                if named in seen or named in self.closed:
                    continue
                seen.add(named)
                if named in self.away:
                    further.append(named)
                else:
                    ends.add(named)
        return tuple(sorted(ends))

    def lending(self, person_id: int) -> tuple[int, ...]:
        """Returns for whom a person acts today beside themselves, by id; nobody lends to one who is away as well."""
        if person_id in self.away:
            return ()
        return tuple(sorted(absent for absent in self.away if person_id in self.acting(absent)))
