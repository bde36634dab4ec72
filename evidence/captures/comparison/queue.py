"""Which pairs wait to be compared: a queue of record (`evidence.queues`).

    wanted    the rows of some pairs, made where they are missing; a pair is compared once, and only when somebody looks at it
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from evidence.queues import Queue

from .models import ComparedPair
from .result import METHOD

COMPARISONS = Queue(ComparedPair, seconds=180, task="evidence.captures.compare.v1")
"""The lease is longer than a comparison may take by the wall clock (`working.LIMITS`); there is no heartbeat."""
WAITING_MAX = 200
"""Pairs that wait at once, whoever asked for them: some minutes of work. Beyond, whoever looks is asked to come back."""


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One text or picture: `number` of the capture in the reading, 0 for a picture."""

    sha256: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """`left` ≤ `right`: make it with `pair`."""

    what: str
    left: Item
    right: Item


def pair(what: str, left: Item, right: Item) -> tuple[Pair, bool]:
    """(the pair in its one order, whether the sides were exchanged for it)."""
    return (Pair(what, right, left), True) if right < left else (Pair(what, left, right), False)


def wanted(pairs: Collection[Pair]) -> dict[Pair, ComparedPair]:
    """The row of each pair; those for which there is no room now are missing. One question to the database when all were asked
    for before."""
    found = _rows(pairs)
    missing = [p for p in pairs if p not in found]
    if not missing:
        return found
    room = WAITING_MAX - ComparedPair.objects.filter(state__in=[ComparedPair.State.QUEUED, ComparedPair.State.RUNNING]).count()
    if room <= 0:
        return found
    with transaction.atomic():
        ComparedPair.objects.bulk_create([_row(p) for p in missing[:room]], ignore_conflicts=True)
        for _ in missing[:room]:
            transaction.on_commit(COMPARISONS.ring)
    return found | _rows(missing)


def pair_of(row: ComparedPair) -> Pair:
    return Pair(row.what, Item(row.left_sha256, row.left_item), Item(row.right_sha256, row.right_item))


def _rows(pairs: Collection[Pair]) -> dict[Pair, ComparedPair]:
    asked = Q(pk__in=[])
    for p in pairs:
        asked |= Q(
            what=p.what, left_sha256=p.left.sha256, left_item=p.left.number, right_sha256=p.right.sha256, right_item=p.right.number
        )
    rows = ComparedPair.objects.filter(asked, method=METHOD)
    return {pair_of(row): row for row in rows}


def _row(p: Pair) -> ComparedPair:
    return ComparedPair(
        what=p.what,
        left_sha256=p.left.sha256,
        left_item=p.left.number,
        right_sha256=p.right.sha256,
        right_item=p.right.number,
        method=METHOD,
    )
