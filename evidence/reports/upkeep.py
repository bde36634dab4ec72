"""What signed reports need later: what was missing when they were signed, and a new archive time-stamp before the last grows old.

    pending   newest revision below PAdES-B-LTA: the signer tries by itself, each report again after 1, 2, 4 … 60 minutes
    due       newest revision older than a year, or the certificate of its archive time-stamp ends within 90 days: the
              command `keep_reports`, run daily
    lost      due, and past help: its archive time-stamp has outlived its certificate, or no field is left

The row is the queue: a report is pending or due until a revision of it says otherwise, whatever dies in between. Pauses and outcomes
stand in `Errand`, for all processes alike; an authority that does not answer is left alone by all (`patience`).
"""

import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils import timezone

from portal.vault import Vault

from . import anchors, checking, edition, errands, issuing, lasting, patience, signing
from .edition import ReportFault
from .models import Report, Revision, Signature
from .stamping import TimestampFault

log = logging.getLogger(__name__)

RENEW_AFTER = timedelta(days=365)
RENEW_BEFORE_END = timedelta(days=90)
TURN_MAX = 20
TURN_SECONDS_MAX = 20.0
"""For one turn of the signer: signatures that wait come first. What is begun is finished, which an authority may stretch by its own limit."""


class Why(StrEnum):
    """Why a report is to be renewed, or can no longer be."""

    OLD = "old"
    ENDING = "ending"
    UNREAD = "unread"
    """Its newest revision cannot be read: the vault, or the bytes."""
    ENDED = "ended"
    REVOKED = "revoked"
    USED = "used"


LOST = (Why.ENDED, Why.REVOKED, Why.USED)


@dataclass(frozen=True, slots=True)
class Due:
    """One report under an archive time-stamp: `on` it is due, or was lost, for the reason `why`.

    end     of the certificate of its newest archive time-stamp: after it nothing can be done; None when unread
    stamp   the field of that time-stamp
    """

    report: Report
    why: Why
    on: datetime
    stamped: datetime
    stamp: str
    end: datetime | None

    @property
    def lost(self) -> bool:
        return self.why in LOST

    @property
    def said(self) -> str:
        end = self.end or self.on
        return {
            Why.OLD: f"its archive time-stamp is of {self.stamped:%Y-%m-%d}",
            Why.ENDING: f"the certificate of its archive time-stamp ends on {end:%Y-%m-%d}",
            Why.UNREAD: "its newest revision cannot be read",
            Why.ENDED: f"the certificate of its archive time-stamp ended on {end:%Y-%m-%d}: no later time-stamp can prove what lies before",
            Why.REVOKED: f"the certificate of its archive time-stamp is revoked since {self.on:%Y-%m-%d}",
            Why.USED: signing.ALL_USED,
        }[self.why]


class InHand(RuntimeError):
    """Another process is at work on this report."""


def pending() -> QuerySet[Report]:
    newest = Revision.objects.filter(report=OuterRef("pk")).order_by("-number").values("level")[:1]
    signed = Report.objects.exclude(signed_sha256="").annotate(newest_level=Subquery(newest))
    return signed.filter(newest_level__in=[checking.BASIC, checking.STAMPED]).order_by("pk")


def due(*, at: datetime | None = None) -> list[Due]:
    """Reports to be renewed, and those that no longer can be, in order of number. Those whose signatures are still incomplete are `pending` instead."""
    now = at or timezone.now()
    return sorted(overdue(schedule(at=now), at=now), key=lambda one: one.report.number)


def overdue(planned: list[Due], *, at: datetime | None = None) -> list[Due]:
    now = at or timezone.now()
    return [one for one in planned if one.on <= now]


def schedule(*, at: datetime | None = None) -> list[Due]:
    """Every report under an archive time-stamp, the next due first, with its errand if it ever failed."""
    now = at or timezone.now()
    newest = Revision.objects.filter(report=OuterRef("report")).order_by("-number").values("at")[:1]
    stamps = Signature.objects.filter(field__in=checking.ARCHIVES).select_related("report__errand", "revision").annotate(newest_at=Subquery(newest))
    last = {stamp.report_id: stamp for stamp in stamps.order_by("pk")}
    certificates: dict[str, tuple[datetime, datetime | None] | None] = {}
    for stamp in last.values():
        if stamp.certificate_sha256 not in certificates:  # one certificate stamps thousands of reports
            certificates[stamp.certificate_sha256] = _certificate(stamp.revision, now)
    found = (_planned(stamp, certificates[stamp.certificate_sha256], now) for stamp in last.values())
    return sorted(found, key=lambda one: (one.on, one.report.number))


def _planned(stamp: Signature, certificate: tuple[datetime, datetime | None] | None, now: datetime) -> Due:
    at: datetime = stamp.newest_at  # type: ignore[attr-defined]
    if certificate is None:
        return Due(stamp.report, Why.UNREAD, now, at, stamp.field, None)
    end, revoked = certificate
    old, ending = at + RENEW_AFTER, end - RENEW_BEFORE_END
    if revoked is not None:
        why, on = Why.REVOKED, revoked
    elif end <= now:
        why, on = Why.ENDED, end
    else:
        why, on = (Why.ENDING, ending) if ending < old or ending <= now else (Why.OLD, old)
        if on <= now and stamp.field == checking.ARCHIVES[-1]:
            why = Why.USED
    return Due(stamp.report, why, on, at, stamp.field, end)


def upgrade(report: Report, *, at: datetime | None = None) -> Revision:
    """SigningError or ReportFault when it cannot be done now, InHand when another process does it; nothing has changed then."""
    return _claimed(report, signing.upgrade, Revision.Reason.UPGRADED, at)


def renew(report: Report, *, at: datetime | None = None) -> Revision:
    return _claimed(report, signing.renew, Revision.Reason.RENEWED, at)


def turn(*, seconds: float = TURN_SECONDS_MAX) -> int:
    """Of the signer: upgrade what is pending and not paused, for at most `seconds`; how many were. An authority's silence ends the turn."""
    if patience.resting():
        return 0
    now = RawSQL("clock_timestamp()", ())
    idle = Q(errand=None) | (Q(errand__not_before=None) | Q(errand__not_before__lte=now)) & (Q(errand__lease_until=None) | Q(errand__lease_until__lte=now))
    end, done = time.monotonic() + seconds, 0
    # Those that never failed first: one that cannot be helped must not stand before them.
    for report in pending().filter(idle).order_by(F("errand__tries").asc(nulls_first=True), "pk")[:TURN_MAX]:
        if time.monotonic() > end:
            break
        try:
            upgrade(report)
            done += 1
        except InHand:
            continue
        except Exception as fault:
            log.warning("report %s not upgraded: %s", report.number, fault)
            if isinstance(fault, TimestampFault):
                break
    return done


def _claimed(report: Report, work: Callable[..., signing.Signed], reason: str, at: datetime | None) -> Revision:
    claim = errands.claim(report.pk, now=True)
    if claim is None:
        raise InHand(f"report {report.number} is in hand elsewhere")
    try:
        with errands.held(claim):
            made = _revised(report, work, at)
            with errands.guarded(claim):
                revision = issuing.revise(report, made.pdf, level=made.level, reason=reason)
                errands.done(claim)
    except errands.Lost:
        raise
    except Exception as fault:
        if isinstance(fault, TimestampFault):
            patience.rest(str(fault))
        errands.put_off(claim, fault=str(fault))
        raise
    patience.answered()
    return revision


def _revised(report: Report, work: Callable[..., signing.Signed], at: datetime | None) -> signing.Signed:
    before = Vault(settings.PORTAL_VAULT_DIR).read(_newest(report).sha256)
    made = work(before, keys=settings.PORTAL_SIGNING_DIR, at=at)
    faults = checking.check(made.pdf, keys=settings.PORTAL_SIGNING_DIR, at=at)
    if faults:
        raise ReportFault("the extended report does not pass its own check: " + "; ".join(faults))
    edition.conform(made.pdf)
    return made


def _newest(report: Report) -> Revision:
    newest = report.newest
    if newest is None:
        raise ReportFault("only a signed report is revised")
    return newest


def _certificate(revision: Revision, now: datetime) -> tuple[datetime, datetime | None] | None:
    """Of the newest archive time-stamp in these bytes: its end, and since when the court's lists call it revoked. None: unread."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        pdf = Vault(settings.PORTAL_VAULT_DIR).read(revision.sha256)
        certificate = PdfFileReader(io.BytesIO(pdf)).embedded_timestamp_signatures[-1].signer_cert
        end: datetime = certificate.not_valid_after
        court = anchors.read(settings.PORTAL_SIGNING_DIR)
        return end.astimezone(UTC), lasting.revoked(certificate.dump(), court.lists, at=now)
    except Exception as fault:  # whatever damaged bytes make the parsers say: one report must not hide the others
        log.error("the archive time-stamp in %s cannot be read: %s", revision.sha256, fault)
        return None
