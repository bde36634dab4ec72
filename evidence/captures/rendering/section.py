"""What the page of a capture shows of the court's render: the picture beside the party's own, or what is to be said instead."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from evidence.exhibits.models import Exhibit, ExhibitFile
from portal.vault import Vault

from .. import kept
from ..capture import Capture, Kind, ViewKind
from . import drawing, queue
from .models import CourtRender, Form, Renderer

FAULTS: dict[str, Promise] = {
    "TIMEOUT": gettext_lazy("绘制它超过了时间上限。"),
    "RESOURCE_LIMIT": gettext_lazy("绘制它超过了内存或大小上限。"),
    "CRASH": gettext_lazy("浏览器在这个网页上停下了。"),
    "LEFT": gettext_lazy("这个网页一打开就要转到别处，浏览器没有跟去。"),
    "VERSION": gettext_lazy("等待期间浏览器换了版本。"),
}
OURS = gettext_lazy("本院的绘制程序没有正常工作，请告诉技术人员。")
FILES_LOOKED_AT = 12
"""For a screenshot: each means a reading to be parsed."""
_SNIFFED = 16 << 10


@dataclass(frozen=True, slots=True)
class Party:
    """The party's own screenshot that stands beside: of which file, and where its picture is had."""

    file: ExhibitFile
    number: int
    view: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Section:
    """`row` the newest render of this capture, whatever version; `given` what would be drawn now, `renderer` by whom."""

    given: tuple[str, str]
    row: CourtRender | None
    renderer: Renderer | None
    party: Party | None

    @property
    def able(self) -> bool:
        return self.renderer is not None and bool(self.renderer.browser) and not self.renderer.fault

    @property
    def waiting(self) -> bool:
        return self.row is not None and self.row.state in (CourtRender.State.QUEUED, CourtRender.State.RUNNING)

    @property
    def done(self) -> bool:
        return self.row is not None and self.row.state == CourtRender.State.DONE

    @property
    def parked(self) -> bool:
        return self.row is not None and self.row.state == CourtRender.State.PARKED

    @property
    def why(self) -> str:
        """Why there is no picture, in words."""
        return str(FAULTS.get(self.row.fault.split(":")[0], OURS)) if self.row else ""

    @property
    def may_ask(self) -> bool:
        """A button is shown: nothing was drawn yet, it failed, or the browser or the page taken out is another one by now."""
        if not self.able or self.renderer is None or self.waiting:
            return False
        if self.row is None or (self.row.browser, self.row.source_sha256) != (self.renderer.browser, self.given[1]):
            return True
        return self.parked and self.row.number < queue.AGAIN_MAX

    @property
    def cut(self) -> bool:
        return self.row is not None and (self.row.full_height > drawing.HEIGHT_MAX or self.row.full_width > drawing.WIDTH)


def source(file: ExhibitFile, capture: Capture, number: int) -> tuple[str, str] | None:
    """(form, digest) of what the browser would be given for this capture; None: it is no page, or has no form that can be rendered.

    The file itself where the page is the file; else the page without scripts that the reader made of the archive, where there is one.
    """
    if capture.kind is not Kind.PAGE:
        return None
    if capture.id == "file":
        return Form.HTML, file.sha256
    if number == 1 and capture.place.member is None and is_mhtml(file):
        return Form.MHTML, file.sha256
    safe = next((v for v in capture.views if v.kind is ViewKind.SAFE_HTML), None)
    return (Form.SAFE_HTML, safe.sha256) if safe else None


def section(file: ExhibitFile, capture: Capture, number: int, *, exhibit: Exhibit) -> Section | None:
    """None where there is nothing to render. Four questions to the database, however many files the exhibit has."""
    given = source(file, capture, number)
    if given is None:
        return None
    return Section(given, newest(file, capture.id), queue.live(), _party(file, exhibit))


def newest(file: ExhibitFile, capture: str) -> CourtRender | None:
    """The newest render of a capture; one that is done goes before any that is not."""
    rows = list(CourtRender.objects.filter(file=file, capture=capture).order_by("-pk")[:10])
    open_or_done = [r for r in rows if r.state != CourtRender.State.PARKED]
    return next(iter(open_or_done or rows), None)


def _party(file: ExhibitFile, exhibit: Exhibit) -> Party | None:
    """A screenshot in this file, else in another file of the exhibit."""
    listed = kept.of_files(ExhibitFile.objects.filter(exhibit=exhibit).order_by("position"))
    for shown in sorted(listed, key=lambda s: (s.file.pk != file.pk, s.file.position))[:FILES_LOOKED_AT]:
        for number, capture in enumerate(shown.captures, start=1):
            for view, one in enumerate(capture.views, start=1):
                if one.kind is ViewKind.SCREENSHOT:
                    return Party(shown.file, number, view, one.width, one.height)
    return None


def is_mhtml(file: ExhibitFile) -> bool:
    """Whether the file begins like a saved message, not like an archive."""
    with Vault(settings.PORTAL_VAULT_DIR).open(file.sha256) as stream:
        head = stream.read(_SNIFFED)
    # The first bytes decide, as in the reader; they are looked at, not parsed.
    return not head.startswith((b"WARC/", b"PK", b"\x1f\x8b")) and re.match(rb"[!-9;-~]{1,80}:", head) is not None and b"multipart/related" in head.lower()
