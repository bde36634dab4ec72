"""Which renders wait: the row is the truth (as `evidence.captures.queue`); the renderer looks at it every few seconds, without a bell.

    ask       writes a row in the caller's transaction, once; once more when the newest has failed and a person says "again"
    claim     one render for one renderer of that very version: SKIP LOCKED, a lease by the database's clock, a new attempt number
    finish, park, give_back   fenced by the attempt number
    announce, live   which machines render
    sweep     parks what has failed too often, and what waits for a version that no machine has any more
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from evidence.exhibits.models import ExhibitFile
from portal.people.models import User

from .drawing import Drawn
from .models import CourtRender, Renderer

LEASE_SECONDS = 240
"""Longer than cage, jail and the start of both may take by the wall clock; there is no heartbeat."""
LIVE_SECONDS = 240
"""A renderer says so once a minute, but not while it renders."""
AGAIN_MAX = 5
"""How often one page is tried with one version at the wish of people."""


@dataclass(frozen=True, slots=True)
class Claim:
    row: int
    attempt: int
    form: str
    source_sha256: str


def ask(file: ExhibitFile, *, capture: str, form: str, source_sha256: str, browser: str, by: User, again: bool = False) -> bool:
    """False: it was asked for before, and nothing was written."""
    same = {"file": file, "capture": capture, "source_sha256": source_sha256, "browser": browser}
    newest = CourtRender.objects.filter(**same).order_by("-number").first()
    number = 1
    if newest is not None:
        if not again or newest.state != CourtRender.State.PARKED or newest.number >= AGAIN_MAX:
            return False
        number = newest.number + 1
    # Two who press at once write one row: the constraint decides.
    made = CourtRender.objects.bulk_create([CourtRender(**same, form=form, number=number, asked_by=by)], ignore_conflicts=True)
    return bool(made)


def claim(browser: str) -> Claim | None:
    """The next render for this version; None when there is nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE captures_courtrender SET
                state = 'running', attempt = attempt + 1,
                lease_until = clock_timestamp() + %(lease)s * interval '1 second'
            WHERE id = (
                SELECT id FROM captures_courtrender
                WHERE (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))
                    AND attempt < %(cap)s AND browser = %(browser)s
                ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
            )
            RETURNING id, attempt, form, source_sha256
            """,
            {"lease": LEASE_SECONDS, "cap": settings.PORTAL_ATTEMPTS_MAX, "browser": browser},
        )
        row = cursor.fetchone()
    return Claim(*row) if row else None


def finish(claim: Claim, *, picture_sha256: str, drawn: Drawn) -> bool:
    """False: the lease was lost, nothing was written."""
    sizes = {name: getattr(drawn, name) for name in ("width", "height", "full_width", "full_height", "refused", "loaded")}
    return _mine(claim, state="done", picture_sha256=picture_sha256, finished_at=Now(), fault="", **sizes)


def park(claim: Claim, *, fault: str) -> bool:
    """The browser was stopped on this page; it would be again."""
    return _mine(claim, state="parked", finished_at=Now(), fault=_said(fault))


def give_back(claim: Claim, *, fault: str) -> bool:
    """The work could not be done here, which is not the page's fault."""
    return _mine(claim, state="queued", fault=_said(fault))


def announce(host: str, *, browser: str, fault: str) -> None:
    """What this machine can do, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO captures_renderer (host, browser, fault, seen_at) VALUES (%s, %s, %s, clock_timestamp())"
            " ON CONFLICT (host) DO UPDATE SET browser = excluded.browser, fault = excluded.fault, seen_at = excluded.seen_at",
            [host[:255], browser, _said(fault)],
        )


def live() -> Renderer | None:
    """The renderer to be asked: seen lately and able, the one with the newest announcement; else one that says why it cannot."""
    rows = list(
        Renderer.objects.extra(  # noqa: S610  the database's clock, a constant
            where=["seen_at > clock_timestamp() - %s * interval '1 second'"], params=[LIVE_SECONDS]
        ).order_by("-seen_at")[:20]
    )
    return next((r for r in rows if r.browser and not r.fault), rows[0] if rows else None)


def sweep() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE captures_courtrender SET state = 'parked', finished_at = clock_timestamp(), lease_until = NULL,"
            " fault = CASE WHEN fault = '' THEN 'CRASH: the renderer ended' ELSE fault END"
            " WHERE attempt >= %s AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))",
            [settings.PORTAL_ATTEMPTS_MAX],
        )
        # The browser was upgraded while these waited: nobody will ever take them.
        cursor.execute(
            "UPDATE captures_courtrender c SET state = 'parked', finished_at = clock_timestamp(), lease_until = NULL,"
            " fault = 'VERSION: no machine has this version any more'"
            " WHERE (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))"
            " AND NOT EXISTS (SELECT FROM captures_renderer r WHERE r.browser = c.browser)"
        )


def _mine(claim: Claim, **columns: object) -> bool:
    rows = CourtRender.objects.filter(pk=claim.row, attempt=claim.attempt, state=CourtRender.State.RUNNING)
    return bool(rows.update(lease_until=None, **columns))


def _said(fault: str) -> str:
    return fault[:300].replace("\0", "")
