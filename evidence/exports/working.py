"""One worker's turn: claim an export, make its archive, publish it, close the row.

The archive first, the row last: after a crash in between, the next attempt makes it again under its own number and the sweep removes
what the first one left.
"""

from evidence.queues import Lost
from evidence.reports.bundle import BundleFault
from portal.vault import Damaged, Missing, StoreFull, TooLarge
from portal.vault.disk import full_disk_named

from . import archive, making, queue, rights
from .models import Export


def work_once() -> bool:
    """Take one export and carry this attempt to its end. True when there was one."""
    return queue.EXPORTS.work_once(_carry_out)


def _carry_out(export: Export) -> str:
    """Why it cannot be made, so that another attempt would end alike: a code that the page has words for, ": ", and particulars."""
    # What he might order he might no longer have: an archive that nobody may take is not made.
    closed = rights.closed_since(export.ordered_by, export)
    if closed:
        return f"RIGHTS: {closed}"
    try:
        with full_disk_named():
            sha256, size = making.make(
                export, tell=lambda reports, done, total: queue.EXPORTS.prolong(export, reports_done=reports, bytes_done=done, bytes_total=total)
            )
    except StoreFull as fault:
        return f"NO_SPACE: {fault}"
    except TooLarge as fault:
        return f"TOO_LARGE: {fault}"
    except (Missing, Damaged, FileNotFoundError) as fault:
        return f"MISSING: {fault}"
    except BundleFault as fault:
        return f"BUNDLE: {fault}"
    if not queue.finish(export, sha256=sha256, size=size):
        archive.path(export.public_id, export.attempt).unlink(missing_ok=True)
        raise Lost
    return ""
