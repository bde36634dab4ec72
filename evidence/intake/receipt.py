"""The receipt of entry (court-domain §10 a): what came in, when by the court's clock, under which fingerprints. It says
that nothing has been examined yet; the clerk's own receipt is another paper."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language

from evidence.exhibits.models import Exhibit, ExhibitFile, State
from evidence.reports import rendering
from evidence.reports.printable import NAME_MAX, clean, number

from . import names

COURT_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Line:
    """One file on the receipt; digests in groups of eight, for eyes."""

    position: int
    name: str
    size: int
    sha256: str
    sm3: str
    hashed_on_device: bool

    @classmethod
    def of(cls, file: ExhibitFile) -> "Line":
        return cls(
            file.position, names.shown(file.name), file.size, file.sha256, file.sm3, file.hashed_on_device
        )


def contents(exhibit: Exhibit) -> dict[str, Any]:
    """What page and paper both show."""
    return {
        "exhibit": exhibit,
        "case": exhibit.case,
        "files": [Line.of(file) for file in exhibit.files.all()],
        "court_time": _clock(exhibit.submitted_at, COURT_TIME),
        "utc_time": _clock(exhibit.submitted_at, UTC),
        "late": exhibit.state == State.LATE_PENDING,
        "submitter": exhibit.submitted_by.get_full_name(),
    }


def pdf(exhibit: Exhibit) -> bytes:
    """The receipt as PDF in the reader's language. Raises rendering.RenderError."""
    fonts = settings.PORTAL_FONT_DIR
    text = json.dumps(_paper(contents(exhibit)), ensure_ascii=False)
    # A character no font here can draw stands as its number: a receipt shows no empty boxes.
    text = text.translate({ord(c): number(c) for c in rendering.missing_glyphs(text, fonts=fonts)})
    return rendering.render("receipt.typ", json.loads(text), fonts=fonts, dated=exhibit.submitted_at)


def _paper(shown: dict[str, Any]) -> dict[str, Any]:
    exhibit, case = shown["exhibit"], shown["case"]
    zh, en = (case.court.name_zh, case.court.name_en or case.court.name_zh) if case.court else ("法院", "the court")
    return {
        "language": "en" if (get_language() or "").startswith("en") else "zh",
        "demonstration": settings.PORTAL_DEMO,
        "number": exhibit.receipt_number,
        "court": {"zh": zh, "en": en},
        "received": {"court": shown["court_time"], "utc": shown["utc_time"]},
        "case": case.number,
        "label": str(exhibit.label),
        "name": clean(exhibit.name, NAME_MAX),
        "submitter": clean(shown["submitter"], NAME_MAX),
        "late": shown["late"],
        "files": [
            {
                "position": file.position,
                "name": file.name,
                "size": file.size,
                "sha256": file.sha256,
                "sm3": file.sm3,
                "on_device": file.hashed_on_device,
            }
            for file in shown["files"]
        ],
    }


def _clock(moment: datetime, zone: Any) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
