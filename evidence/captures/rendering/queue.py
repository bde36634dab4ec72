"""Which renders wait: a queue of record (`evidence.queues`); the renderer looks at it every few seconds, without a bell.

    ask       writes a row in the caller's transaction, once; once more when the newest has failed and a person says "again"
    announce, live   which machines render, each with its own version of the browser
    sweep     parks also what waits for a version that no machine has any more
"""

from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from evidence.exhibits.models import ExhibitFile
from evidence.queues import PARKED, Queue
from portal.people.models import User

from .models import CourtRender, Renderer

RENDERS = Queue(CourtRender, seconds=240)
"""The lease is longer than cage, jail and the start of both may take by the wall clock; there is no heartbeat."""
LIVE_SECONDS = 240
"""A renderer says so once a minute, but not while it renders."""
AGAIN_MAX = 5
"""How often one page is tried with one version at the wish of people."""


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


def announce(host: str, *, browser: str, fault: str) -> None:
    """What this machine can do, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO captures_renderer (host, browser, fault, seen_at) VALUES (%s, %s, %s, clock_timestamp())"
            " ON CONFLICT (host) DO UPDATE SET browser = excluded.browser, fault = excluded.fault, seen_at = excluded.seen_at",
            [host[:255], browser, fault[:300].replace("\0", "")],
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
    RENDERS.give_up()
    # The browser was upgraded while these waited: nobody will ever take them.
    left = RENDERS.waiting().filter(~Exists(Renderer.objects.filter(browser=OuterRef("browser"))))
    left.update(state=PARKED, finished_at=Now(), lease_until=None, fault="VERSION: no machine has this version any more")
