"""A directory as it would be if one person left today, or were away: to say where cases would go before they do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from engine.core.people.access import Place
from engine.core.people.responsibility import Directory, Found, Holder
from engine.core.people.roles import Roles


@dataclass(frozen=True, slots=True)
class Supposed:
    """`directory` without `gone`. `instead`: who stands in for them meanwhile; None: their posts end."""

    directory: Directory
    gone: int
    instead: Collection[int] | None = None

    def roles(self, place: Place) -> Roles:
        """The roles of the tree that a place lies in."""
        return self.directory.roles(place)

    def own_line(self, school_id: int) -> tuple[int, ...]:
        """A school that lies directly below a province, and the units above it; empty for any other school."""
        return self.directory.own_line(school_id)

    def holders(self, role: str, unit_id: int) -> tuple[Holder, ...]:
        """The people in a post, without the one who leaves."""
        found = self.directory.holders(role, unit_id)
        return tuple(self._now(it) for it in found if it.person_id != self.gone or self.instead is not None)

    def person(self, person_id: int) -> Holder:
        """A person, and who would act for them."""
        return self._now(self.directory.person(person_id))

    def admins(self) -> tuple[Holder, ...]:
        """The administrators, without the one who leaves."""
        return tuple(
            self._now(it) for it in self.directory.admins() if it.person_id != self.gone or self.instead is not None
        )

    def _now(self, holder: Holder) -> Holder:
        if holder.person_id == self.gone:
            acting = dict.fromkeys(
                one for named in self.instead or () for one in self.directory.person(named).acting if one != self.gone
            )
            return Holder(self.gone, away=True, delegates=tuple(acting))
        if self.gone in holder.delegates:
            further = self._now(self.directory.person(self.gone)).delegates
            return replace(holder, delegates=tuple(dict.fromkeys((*(set(holder.delegates) - {self.gone}), *further))))
        return holder

    def above(self, unit_id: int) -> tuple[int, ...]:
        """The unit and those above it, nearest first."""
        return self.directory.above(unit_id)

    def associations(self, unit_id: int) -> tuple[int, ...]:
        """The associations that serve a unit, the nearest first."""
        return self.directory.associations(unit_id)

    def seat(self, role: str, code: str) -> Found | None:
        """The post of a role in the unit with this code, if somebody acts in it."""
        return self.directory.seat(role, code)
