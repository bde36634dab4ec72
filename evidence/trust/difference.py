"""What differs between two packs, thing by thing: added, taken out, or changed, and in which of its facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .contents import Contents
from .entries import EMPTY, Entry, entries


class How(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Fact:
    """One fact on both sides; None where the thing or the fact is not there."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Difference:
    how: How
    entry: Entry
    """As it is after the change; of what was taken out, as it was."""
    facts: tuple[Fact, ...]
    """Of what was changed, the facts that differ; else all of them."""


def difference(before: Contents | None, after: Contents) -> list[Difference]:
    """In a fixed order. Version and date of issue always differ and are left out; `before` None: everything is added."""
    old: Mapping[tuple[str, ...], Entry] = entries(before) if before else {}
    new = entries(after)
    found = []
    for key in [*new, *(k for k in old if k not in new)]:
        one, other = old.get(key), new.get(key)
        if other is None and one is not None:
            found.append(Difference(How.REMOVED, one, tuple(Fact(f, v, None) for f, v in one.facts)))
        elif one is None and other is not None:
            found.append(Difference(How.ADDED, other, tuple(Fact(f, None, v) for f, v in other.facts)))
        elif one is not None and other is not None and (facts := _changed(dict(one.facts), dict(other.facts))):
            found.append(Difference(How.CHANGED, other, facts))
    return found


def _changed(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[Fact, ...]:
    """A field that is absent says what an empty one says, to the engine and here."""
    fields = [*other, *(f for f in one if f not in other)]
    return tuple(Fact(f, one.get(f), other.get(f)) for f in fields if one.get(f, EMPTY) != other.get(f, EMPTY))


def anchors(differences: list[Difference]) -> frozenset[str]:
    """What rests on what differs (`Entry.anchor`)."""
    return frozenset(d.entry.anchor for d in differences)
