"""What signed reports need later: what was missing when they were signed, and a new archive time-stamp before the last grows old.

    pending   newest revision below PAdES-B-LTA: the sweep tries by itself, each report again after 1, 2, 4 … 60 minutes
    due       newest revision older than a year, or the certificate of its archive time-stamp ends within 90 days: the
              command `keep_reports`, run daily

The row is the queue: a report is pending or due until a revision of it says otherwise, whatever dies in between.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from portal.vault import Vault

from . import checking, edition, issuing, signing
from .edition import ReportFault
from .models import Report, Revision, Signature

log = logging.getLogger(__name__)

RENEW_AFTER = timedelta(days=365)
RENEW_BEFORE_END = timedelta(days=90)
FIRST_PAUSE, PAUSE_MAX = 60.0, 3600.0
"""Seconds after a failure until the sweep tries the same report again; doubled each time."""
TURN_MAX = 20
_pauses: dict[int, tuple[float, float]] = {}
"""Primary key of a report -> (not before, by the process's clock; last pause). Of this process only: a new one tries at once."""


@dataclass(frozen=True, slots=True)
class Due:
    report: Report
    why: str


def pending() -> QuerySet[Report]:
    newest = Revision.objects.filter(report=OuterRef("pk")).order_by("-number").values("level")[:1]
    signed = Report.objects.exclude(signed_sha256="").annotate(newest_level=Subquery(newest))
    return signed.filter(newest_level__in=[checking.BASIC, checking.STAMPED]).order_by("pk")


def due(*, at: datetime | None = None) -> list[Due]:
    """Reports to be renewed, in order of number. Those whose signatures are still incomplete are `pending` instead."""
    now = at or timezone.now()
    newest = Revision.objects.filter(report=OuterRef("pk")).order_by("-number").values("at")[:1]
    reports = Report.objects.filter(signatures__field__in=checking.ARCHIVES).distinct().annotate(newest_at=Subquery(newest))
    last: dict[int, Signature] = {}
    for signature in Signature.objects.filter(field__in=checking.ARCHIVES).select_related("revision").order_by("pk"):
        last[signature.report_id] = signature
    ends: dict[str, datetime] = {}
    found = []
    for report in reports.order_by("number"):
        stamp = last[report.pk]
        if stamp.certificate_sha256 not in ends:  # one certificate stamps thousands of reports
            ends[stamp.certificate_sha256] = _certificate_ends(stamp.revision)
        end = ends[stamp.certificate_sha256]
        if end - now < RENEW_BEFORE_END:
            found.append(Due(report, f"the certificate of its archive time-stamp ends on {end:%Y-%m-%d}"))
        elif now - report.newest_at >= RENEW_AFTER:
            found.append(Due(report, f"its archive time-stamp is of {report.newest_at:%Y-%m-%d}"))
    return found


def upgrade(report: Report) -> Revision:
    """SigningError or ReportFault when it cannot be done now; nothing has changed then."""
    return _revised(report, signing.upgrade, Revision.Reason.UPGRADED)


def renew(report: Report) -> Revision:
    return _revised(report, signing.renew, Revision.Reason.RENEWED)


def turn() -> None:
    """Of the sweep: upgrade what is pending and not paused; stop at the first failure, the next turn goes on behind it."""
    now = time.monotonic()
    for report in pending().exclude(pk__in=[pk for pk, (until, _) in _pauses.items() if until > now])[:TURN_MAX]:
        try:
            upgrade(report)
        except Exception as fault:
            pause = min(2 * _pauses.get(report.pk, (0.0, FIRST_PAUSE / 2))[1], PAUSE_MAX)
            _pauses[report.pk] = (time.monotonic() + pause, pause)
            log.warning("report %s not upgraded, next try in %d s: %s", report.number, pause, fault)
            return
        _pauses.pop(report.pk, None)


def _revised(report: Report, work: Callable[..., signing.Signed], reason: str) -> Revision:
    with Vault(settings.PORTAL_VAULT_DIR).open(_newest(report).sha256) as stream:
        before = stream.read()
    made = work(before, keys=settings.PORTAL_SIGNING_DIR)
    faults = checking.check(made.pdf, keys=settings.PORTAL_SIGNING_DIR)
    if faults:
        raise ReportFault("the extended report does not pass its own check: " + "; ".join(faults))
    edition.conform(made.pdf, signed=True)
    return issuing.revise(report, made.pdf, level=made.level, reason=reason)


def _newest(report: Report) -> Revision:
    newest = report.newest
    if newest is None:
        raise ReportFault("only a signed report is revised")
    return newest


def _certificate_ends(revision: Revision) -> datetime:
    """Of the newest archive time-stamp in these bytes."""
    import io

    from pyhanko.pdf_utils.reader import PdfFileReader

    with Vault(settings.PORTAL_VAULT_DIR).open(revision.sha256) as stream:
        stamps = PdfFileReader(io.BytesIO(stream.read())).embedded_timestamp_signatures
    end: datetime = stamps[-1].signer_cert.not_valid_after
    return end.astimezone(UTC)
