"""The drill for a compromised key: every report that a certificate signed, from the rows read out of the signed bytes.

A renewal of the archive, which needs the reports whose time-stamps grow old, starts from the same rows.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet

from .models import Report, Revision, Signature

DIGEST = re.compile(r"[0-9a-f]{64}")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins so is run by a spreadsheet (OWASP: CSV injection)."""
COLUMNS = ("report", "state", "issued_at", "revision", "sha256", "newest", "reason", "level", "field", "signed_at", "subject", "serial", "certificate_sha256")


@dataclass(frozen=True, slots=True)
class Used:
    """A certificate that signed something: how many reports, first and last."""

    certificate_sha256: str
    subject: str
    serial: str
    fields: str
    reports: int
    first: datetime
    last: datetime


def used() -> list[Used]:
    """Every certificate with which a report was signed, the most recently used first."""
    rows = Signature.objects.order_by().values("certificate_sha256")
    found = rows.annotate(subject=Max("subject"), serial=Max("serial"), one=Min("field"), other=Max("field"), reports=Count("report", distinct=True), first=Min("at"), last=Max("at"))
    return [
        Used(r["certificate_sha256"], r["subject"], r["serial"], r["one"] if r["one"] == r["other"] else f"{r['one']} … {r['other']}", r["reports"], r["first"], r["last"])
        for r in found.order_by("-last", "certificate_sha256")
    ]


def fingerprint(text: str) -> str | None:
    """SHA-256 of a certificate as people copy it: colons, spaces, capitals; None for anything else."""
    found = re.sub(r"[\s:]", "", text).lower().removeprefix("sha256=").removeprefix("sha256fingerprint=")
    return found if DIGEST.fullmatch(found) else None


def revisions_signed_with(certificate_sha256: str) -> QuerySet[Revision]:
    """Each revision that holds a signature of this certificate: the one it was made in, and those that extend it."""
    made = Signature.objects.filter(certificate_sha256=certificate_sha256, report=OuterRef("report"), revision__number__lte=OuterRef("number"))
    return Revision.objects.filter(Exists(made)).select_related("report").order_by("report__number", "number")


def unread() -> QuerySet[Report]:
    """Signed reports whose signatures were never read: bytes missing or damaged when they should have been. Normally none."""
    return Report.objects.exclude(signed_sha256="").filter(signatures=None).order_by("number")


def rows(certificate_sha256: str) -> Iterator[tuple[str, ...]]:
    """COLUMNS, then one row for each revision and each field of it that this certificate signed; cells are formula-safe."""
    yield COLUMNS
    signatures: dict[int, list[Signature]] = {}
    for one in Signature.objects.filter(certificate_sha256=certificate_sha256).select_related("revision"):
        signatures.setdefault(one.report_id, []).append(one)
    found = revisions_signed_with(certificate_sha256)
    newest = dict(Revision.objects.filter(report__in=signatures).order_by().values_list("report").annotate(Max("number")))
    for revision in found.iterator():
        report = revision.report
        for one in signatures[report.pk]:
            if one.revision.number > revision.number:
                continue
            cells = (
                *(report.number, report.state, _moment(report.issued_at), str(revision.number), revision.sha256),
                *("yes" if newest[report.pk] == revision.number else "no", revision.reason, revision.level),
                *(one.field, _moment(one.at), one.subject, one.serial, one.certificate_sha256),
            )
            yield tuple(_cell(c) for c in cells)


def as_csv(certificate_sha256: str) -> bytes:
    """UTF-8 with a byte order mark, for the spreadsheet that opens it."""
    out = io.StringIO()
    csv.writer(out).writerows(rows(certificate_sha256))
    return out.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
