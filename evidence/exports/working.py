"""One worker's turn: claim an export, make its archive, publish it, close the row.

The archive first, the row last: after a crash in between, the next attempt makes it again under its own number and the sweep removes
what the first one left.
"""

import logging

from evidence.reports.bundle import BundleFault
from portal.vault import Damaged, Missing, StoreFull, TooLarge
from portal.vault.disk import full_disk_named

from . import archive, making, queue, rights
from .models import Export

log = logging.getLogger(__name__)

FAULTS = ("NO_SPACE", "TOO_LARGE", "MISSING", "BUNDLE", "RIGHTS", "CRASH")
"""Why an export is parked; pages say each in words. Another attempt would end like this one."""


def work_once() -> bool:
    """Take one export and carry this attempt to its end. True when there was one."""
    claim = queue.claim()
    if claim is None:
        return False
    export = Export.objects.select_related("case__court", "ordered_by").get(pk=claim.row)
    try:
        fault = _carry_out(claim, export)
        if fault:
            log.warning("export %s attempt %s: %s", export.public_id, claim.attempt, fault)
            queue.park(claim, fault=fault)
    except making.Lost:
        log.warning("export %s attempt %s lost its lease", export.public_id, claim.attempt)
    except Exception as error:
        # Something here failed that may not fail again; after PORTAL_ATTEMPTS_MAX attempts it is parked with this reason.
        log.exception("export %s attempt %s failed", export.public_id, claim.attempt)
        queue.give_back(claim, fault=f"CRASH: {type(error).__name__}: {error}")
    return True


def _carry_out(claim: queue.Claim, export: Export) -> str:
    """Why it cannot be made, "" when it was."""
    # What he might order he might no longer have: an archive that nobody may take is not made.
    closed = rights.closed_since(export.ordered_by, export)
    if closed:
        return f"RIGHTS: {closed}"
    try:
        with full_disk_named():
            sha256, size = making.make(
                export, attempt=claim.attempt, tell=lambda reports, done, total: queue.advance(claim, reports=reports, done=done, total=total)
            )
    except StoreFull as fault:
        return f"NO_SPACE: {fault}"
    except TooLarge as fault:
        return f"TOO_LARGE: {fault}"
    except (Missing, Damaged, FileNotFoundError) as fault:
        return f"MISSING: {fault}"
    except BundleFault as fault:
        return f"BUNDLE: {fault}"
    if not queue.finish(claim, sha256=sha256, size=size):
        archive.path(export.public_id, claim.attempt).unlink(missing_ok=True)
        raise making.Lost
    return ""
