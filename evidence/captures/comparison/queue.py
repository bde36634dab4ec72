"""Which pairs wait to be compared: the row is the truth, the broker only a doorbell (as `evidence.captures.queue`).

    wanted    the rows of some pairs, made where they are missing; a pair is compared once, and only when somebody looks at it
    claim     one pair for one worker: SKIP LOCKED, a lease by the database's clock, a new attempt number
    finish, park, give_back   fenced by the attempt number
    sweep     parks what has failed too often, rings
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from . import bell
from .models import ComparedPair
from .result import METHOD

LEASE_SECONDS = 180
"""Longer than a comparison may take by the wall clock (`working.LIMITS`); there is no heartbeat."""
WAITING_MAX = 200
"""Pairs that wait at once, whoever asked for them: some minutes of work. Beyond, whoever looks is asked to come back."""
RINGS_MAX = 20


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


@dataclass(frozen=True, slots=True)
class Claim:
    row: int
    attempt: int
    pair: Pair


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
            transaction.on_commit(bell.ring)
    return found | _rows(missing)


def claim() -> Claim | None:
    """The next waiting pair; None when there is nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE captures_comparison_comparedpair SET
                state = 'running', attempt = attempt + 1,
                lease_until = clock_timestamp() + %(lease)s * interval '1 second'
            WHERE id = (
                SELECT id FROM captures_comparison_comparedpair
                WHERE (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp())) AND attempt < %(cap)s
                ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
            )
            RETURNING id, attempt, what, left_sha256, left_item, right_sha256, right_item
            """,
            {"lease": LEASE_SECONDS, "cap": settings.PORTAL_ATTEMPTS_MAX},
        )
        row = cursor.fetchone()
    return Claim(row[0], row[1], Pair(row[2], Item(*row[3:5]), Item(*row[5:7]))) if row else None


def finish(claim: Claim, *, result_sha256: str) -> bool:
    """False: the lease was lost, nothing was written."""
    return _mine(claim, state="done", result_sha256=result_sha256, finished_at=Now(), fault="")


def park(claim: Claim, *, fault: str) -> bool:
    """The comparison was stopped on this pair; it would be again."""
    return _mine(claim, state="parked", finished_at=Now(), fault=_said(fault))


def give_back(claim: Claim, *, fault: str) -> bool:
    """The work could not be done here, which is not the pair's fault."""
    return _mine(claim, state="queued", fault=_said(fault))


def sweep() -> int:
    """How many bells were rung."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE captures_comparison_comparedpair SET state = 'parked', finished_at = clock_timestamp(), lease_until = NULL,"
            " fault = CASE WHEN fault = '' THEN 'CRASH' ELSE fault END"
            " WHERE attempt >= %s AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))",
            [settings.PORTAL_ATTEMPTS_MAX],
        )
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM captures_comparison_comparedpair WHERE state = 'queued'"
            " OR (state = 'running' AND lease_until < clock_timestamp()) LIMIT %s) waiting",
            [RINGS_MAX],
        )
        waiting = int(cursor.fetchone()[0])
    for _ in range(waiting):
        bell.ring()
    return waiting


def _rows(pairs: Collection[Pair]) -> dict[Pair, ComparedPair]:
    asked = Q(pk__in=[])
    for p in pairs:
        asked |= Q(
            what=p.what, left_sha256=p.left.sha256, left_item=p.left.number, right_sha256=p.right.sha256, right_item=p.right.number
        )
    rows = ComparedPair.objects.filter(asked, method=METHOD)
    return {Pair(r.what, Item(r.left_sha256, r.left_item), Item(r.right_sha256, r.right_item)): r for r in rows}


def _row(p: Pair) -> ComparedPair:
    return ComparedPair(
        what=p.what,
        left_sha256=p.left.sha256,
        left_item=p.left.number,
        right_sha256=p.right.sha256,
        right_item=p.right.number,
        method=METHOD,
    )


def _mine(claim: Claim, **columns: object) -> bool:
    rows = ComparedPair.objects.filter(pk=claim.row, attempt=claim.attempt, state=ComparedPair.State.RUNNING)
    return bool(rows.update(lease_until=None, **columns))


def _said(fault: str) -> str:
    return fault[:200].replace("\0", "")
