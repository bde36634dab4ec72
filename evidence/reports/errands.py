"""Claims on the work that a report needs: a lease by the database's clock, a number that fences off whoever lost it, a pause after a fault.

    claim      one report for one worker; for the keys, one report at a time in the whole court
    held       while the work goes on the lease is prolonged, so that a slow authority costs no second worker
    guarded    the transaction in which the result is written: refused when the claim was lost
    done, put_off

No row of the record is locked while a key, a renderer or an authority is waited for. What dies in between has written nothing: its lease
runs out and the next worker does it again.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction

from evidence.queues import Lost, heartbeat

from .models import Errand

LEASE_SECONDS = 60
BEAT_SECONDS = 15
HELD_SECONDS_MAX = 1200
"""After this a worker that is still alive counts as hung; the longest report of volumes takes some minutes."""
FIRST_PAUSE, PAUSE_MAX = 60, 3600
"""Seconds after a fault until the same report is tried again; doubled each time."""
KEYS_LOCK = 0x4B59  # "KY"
FAULT_MAX = Errand._meta.get_field("fault").max_length or 0


@dataclass(frozen=True, slots=True)
class Claim:
    report: int
    fence: int


def claim(report_id: int, *, signing: bool = False, now: bool = False) -> Claim | None:
    """None when somebody is at it, when it is too early after a fault, or when the court's keys are in use.

    signing   the work uses the keys
    now       do not wait for the end of a pause: a person asks
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if signing:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [KEYS_LOCK])
            cursor.execute(
                "SELECT FROM reports_errand WHERE signing AND lease_until > clock_timestamp() AND report_id <> %s LIMIT 1", [report_id]
            )
            if cursor.fetchone() is not None:
                return None
        cursor.execute(
            """
            INSERT INTO reports_errand AS e (report_id, fence, lease_until, signing, tries, fault)
            VALUES (%(report)s, 1, clock_timestamp() + %(lease)s * interval '1 second', %(signing)s, 0, '')
            ON CONFLICT (report_id) DO UPDATE SET
                fence = e.fence + 1, lease_until = EXCLUDED.lease_until, signing = EXCLUDED.signing
            WHERE (e.lease_until IS NULL OR e.lease_until <= clock_timestamp())
                AND (%(now)s OR e.not_before IS NULL OR e.not_before <= clock_timestamp())
            RETURNING fence
            """,
            {"report": report_id, "lease": LEASE_SECONDS, "signing": signing, "now": now},
        )
        row = cursor.fetchone()
    return Claim(report_id, row[0]) if row else None


def held(claim: Claim) -> AbstractContextManager[None]:
    """Prolong the lease as long as the work goes on in this process."""
    return heartbeat(partial(_prolong, claim), seconds=BEAT_SECONDS, seconds_max=HELD_SECONDS_MAX)


@contextmanager
def guarded(claim: Claim) -> Iterator[None]:
    """A transaction that is this claim's to write in; Lost, and nothing written, when it is not."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The row stays locked until the end, so that nobody can take over in between.
        cursor.execute("SELECT FROM reports_errand WHERE report_id = %s AND fence = %s FOR UPDATE", [claim.report, claim.fence])
        if cursor.fetchone() is None:
            raise Lost(f"report row {claim.report}")
        yield


def done(claim: Claim, *, note: str = "") -> None:
    """In a guarded transaction, with the result."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_errand SET lease_until = NULL, tries = 0, not_before = NULL, fault = %s, at = clock_timestamp()"
            " WHERE report_id = %s AND fence = %s",
            [_said(note), claim.report, claim.fence],
        )


def put_off(claim: Claim, *, fault: str) -> None:
    """It may do better later: after 1, 2, 4 … 60 minutes. Nothing when the claim was lost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_errand SET lease_until = NULL, tries = least(tries + 1, 30), fault = %(fault)s, at = clock_timestamp(), not_before ="
            " clock_timestamp() + least(%(first)s * 2 ^ least(tries, 12), %(most)s) * interval '1 second'"
            " WHERE report_id = %(report)s AND fence = %(fence)s",
            {"fault": _said(fault), "first": FIRST_PAUSE, "most": PAUSE_MAX, "report": claim.report, "fence": claim.fence},
        )


def _prolong(claim: Claim) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_errand SET lease_until = clock_timestamp() + %s * interval '1 second' WHERE report_id = %s AND fence = %s AND lease_until IS NOT NULL",
            [LEASE_SECONDS, claim.report, claim.fence],
        )
        return cursor.rowcount == 1


def _said(fault: str) -> str:
    return fault[:FAULT_MAX].replace("\0", "")
