"""What a reading gathers: captures, text and pictures of one file, under the bounds of the whole."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace

from ..capture import (
    BLOB_MAX,
    BLOBS_TOTAL_MAX,
    CAPTURES_MAX,
    MORE_MAX,
    NOTES_MAX,
    RESOURCES_MAX,
    RUNS_MAX,
    TEXT_MAX,
    VIEWS_MAX,
    Capture,
    Facts,
    Kind,
    Place,
    Reading,
    Resource,
    Run,
    View,
    ViewKind,
    cut,
)
from . import archive_aware, metadata, page_text, pictures, safe_html
from .held import Held

PAGE_MAX = 8 << 20
"""Bytes of a decoded page whose text is read."""
PAGES_TOTAL_MAX = 48 << 20
"""Of all pages of a file: some ten seconds of work."""
SCRIPTS_TOTAL_MAX = 32 << 20
"""Bytes of script files that are looked through for what asks after an archive: under a second."""


def kind_of(payload: bytes, content_type: str = "") -> Kind:
    """By what the bytes begin with; a page by its type, or by its first tag where no type is told."""
    head = payload[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if payload.startswith(tuple(pictures.MAGIC)) or (payload[:4] == b"RIFF" and payload[8:12] == b"WEBP"):
        return Kind.IMAGE
    if payload.startswith(b"%PDF-"):
        return Kind.PDF
    told = content_type.partition(";")[0].strip().lower()
    if told in ("text/html", "application/xhtml+xml"):
        return Kind.PAGE
    if not told and head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--")):
        return Kind.PAGE
    return Kind.OTHER


@dataclass(slots=True)
class Collected:
    """`draw` False: text and facts only, after the pictures of this file took more than they may."""

    draw: bool = True
    captures: list[Capture] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: int = 0
    held: Held = field(default_factory=Held)
    _unseen: list[tuple[int, bytes, str]] = field(default_factory=list)
    _text: int = 0
    _runs: int = 0
    _views: int = 0
    _blob_bytes: int = 0
    _pages: int = 0
    _scripts: int = 0
    _asking: int = 0

    @property
    def full(self) -> bool:
        return len(self.captures) >= CAPTURES_MAX

    def note(self, code: str) -> None:
        if code not in self.notes and len(self.notes) < NOTES_MAX:
            self.notes.append(code)

    def add(
        self, id_: str, kind: Kind, facts: Facts, place: Place, payload: bytes, *, content_type: str = "", notes: tuple[str, ...] = ()
    ) -> None:
        """One capture, with its text and pictures as far as the bounds allow."""
        if self.full:
            self.left_out += 1
            return
        runs: list[Run] = []
        views: list[View] = []
        said = list(notes)
        id_ = self._own(id_)
        encoding = None
        if kind is Kind.PAGE:
            found = self._page(payload, content_type, said)
            runs, encoding = found.runs, found.encoding
            facts = replace(facts, title=cut(found.title) or facts.title)
            if self.draw and "PAGE_MAX" not in said:
                self._unseen.append((len(self.captures), payload, content_type))
        elif kind is Kind.IMAGE:
            self._picture(payload, views, said)
        elif kind is Kind.PDF:
            self._pdf(payload, runs, views, said)
        elif kind is Kind.OTHER and payload:
            runs, encoding = self._plain(payload, said)
        if kind in (Kind.IMAGE, Kind.PDF) and self.draw:
            facts = replace(facts, more=(*facts.more, *metadata.said_by(payload, kind))[:MORE_MAX])
        self._runs += len(runs)
        self._text += sum(len(r.text.encode()) for r in runs)
        self.captures.append(
            Capture(id_, kind, facts, place, tuple(runs), (), tuple(views), tuple(dict.fromkeys(said)), encoding)
        )

    def resource(self, found: Resource) -> None:
        if len(self.resources) < RESOURCES_MAX:
            self.resources.append(found)
        else:
            self.note("RESOURCES_MAX")

    def script(self, url: str, content_type: str, payload: bytes) -> None:
        """A script file beside the pages: counted when it asks whether it runs in an archive. Anything else is passed over."""
        if archive_aware.is_script(content_type, url) and self._scripts + len(payload) <= SCRIPTS_TOTAL_MAX:
            self._scripts += len(payload)
            self._asking += archive_aware.asks(payload)

    def reading(self) -> Reading:
        self._safe_views()
        if self._asking:
            self.note(f"ARCHIVE_AWARE_FILES:{self._asking}")
        captures = self.captures
        if captures:
            captures[0] = replace(captures[0], resources=tuple(self.resources))
        if self.left_out:
            self.note(f"CAPTURES_LEFT_OUT:{self.left_out}")
        return Reading(tuple(captures), tuple(self.notes))

    def _safe_views(self) -> None:
        """When all of the file is read: a page may come before its pictures."""
        pages = safe_html.Pages(self.held)
        for number, payload, content_type in self._unseen:
            one = self.captures[number]
            text = page_text.decoded(payload, content_type)
            made = pages.view(text, base=one.facts.final_url or one.facts.url, at=one.facts.claimed_instant)
            views, said = list(one.views), [*one.notes, *made.notes]
            if made.html is not None:
                self._view(ViewKind.SAFE_HTML, made.html.encode("utf-8", "replace"), 0, 0, None, views, said)
            self.captures[number] = replace(one, views=tuple(views), notes=tuple(dict.fromkeys(said))[:NOTES_MAX])
        self._unseen.clear()

    def _own(self, id_: str) -> str:
        """Records of one gzip member, which is not how archives are written, begin at one offset: they are numbered."""
        used = {c.id for c in self.captures}
        return next(i for i in (id_, *(f"{id_}.{n}" for n in range(2, CAPTURES_MAX + 2))) if i not in used)

    def _page(self, payload: bytes, content_type: str, said: list[str]) -> page_text.PageText:
        self._pages += len(payload)
        if len(payload) > PAGE_MAX or self._pages > PAGES_TOTAL_MAX:
            said.append("PAGE_MAX")
            return page_text.PageText()
        found = page_text.read(
            payload, content_type=content_type, runs_max=RUNS_MAX - self._runs, text_max=TEXT_MAX - self._text
        )
        if found.stopped:
            said.append("TEXT_MAX")
        if found.hidden:
            said.append(f"HIDDEN_TEXT:{found.hidden}")
        if found.runs and found.encoding is None:
            said.append("PLACES_UNKNOWN")
        asking = archive_aware.in_page(payload)
        if asking:
            said.append(f"ARCHIVE_AWARE:{asking}")
        return found

    def _plain(self, payload: bytes, said: list[str]) -> tuple[list[Run], str | None]:
        """The lines of a text, as a log or list: each a run and a break."""
        runs: list[Run] = []
        text, encoding = page_text.of_text(payload)
        at = len(payload) - len(text.encode(encoding)) if encoding else 0
        left = TEXT_MAX - self._text
        for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text):
            length = len(line.encode(encoding)) if encoding else len(payload)
            shown = page_text.whole(line)
            left -= len(shown.encode())
            if left < 0 or self._runs + len(runs) + 2 > RUNS_MAX:
                said.append("TEXT_MAX")
                break
            if line.strip():
                runs += [Run(shown, at if encoding else 0, length), Run("\n", 0, 0)]
            at += length
        return runs, encoding

    def _picture(self, payload: bytes, views: list[View], said: list[str]) -> None:
        if not self._may_draw(said):
            return
        try:
            png, width, height = pictures.redrawn(payload, png_max=BLOB_MAX)
        except pictures.NotShown as why:
            said.append(str(why))
            return
        self._view(ViewKind.SCREENSHOT, png, width, height, None, views, said)

    def _pdf(self, payload: bytes, runs: list[Run], views: list[View], said: list[str]) -> None:
        if not self._may_draw(said):
            return
        text_left, runs_left = TEXT_MAX - self._text, RUNS_MAX - self._runs
        try:
            for number, (png, width, height, text) in enumerate(pictures.pages(payload, png_max=BLOB_MAX), start=1):
                whole = page_text.whole(text)
                text_left -= len(whole.encode()) + 1
                if text_left < 0 or len(runs) + 2 > runs_left:
                    said.append("TEXT_MAX")
                elif whole.strip():
                    runs += [Run(whole, 0, len(payload)), Run("\n", 0, 0)]
                if not self._view(ViewKind.PAGE_IMAGE, png, width, height, number, views, said):
                    break
        except pictures.NotShown as why:
            said.append(str(why))
        if runs:
            said.append("PLACES_UNKNOWN")

    def _may_draw(self, said: list[str]) -> bool:
        if not self.draw:
            said.append("PICTURES_LEFT_OUT")
        return self.draw

    def _view(
        self, kind: ViewKind, png: bytes, width: int, height: int, page: int | None, views: list[View], said: list[str]
    ) -> bool:
        if self._views >= VIEWS_MAX or self._blob_bytes + len(png) > BLOBS_TOTAL_MAX:
            said.append("VIEWS_MAX")
            return False
        sha256 = hashlib.sha256(png).hexdigest()
        self._views += 1
        self._blob_bytes += len(png)
        self.blobs[sha256] = png
        views.append(View(kind, sha256, width, height, page))
        return True
