"""The receipt of entry (court-domain §10 a): what came in, when by the court's clock, under which fingerprints. It says
that nothing has been examined yet; the clerk's own receipt is another paper."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language

from evidence.exhibits.models import Exhibit, ExhibitFile, State
from evidence.reports import rendering

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
    language = "en" if (get_language() or "").startswith("en") else "zh-Hans"
    html = render_to_string(
        "evidence/intake/receipt_paper.html",
        contents(exhibit) | {"language": language, "demonstration": settings.PORTAL_DEMO},
    )
    return rendering.render(
        _spelt_out(html, rendering.missing_glyphs(html, fonts=fonts)),
        fonts=fonts,
        cache=settings.PORTAL_DATA_DIR / "fontcache",
        identifier=exhibit.receipt_number.encode(),
    )


def _spelt_out(html: str, missing: str) -> str:
    """A character no font here can draw stands as its number: a receipt shows no empty boxes."""
    return html.translate({ord(c): f"〔U+{ord(c):04X}〕" for c in missing})


def _clock(moment: datetime, zone: Any) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
