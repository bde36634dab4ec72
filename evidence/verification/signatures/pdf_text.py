"""The text of a PDF that a reader of its pages sees, for comparison with what else the exhibit says.

Text that is not shown (invisible, white on white, behind a picture, off the page) is left out and reported. What is left is
still only a statement: a font may draw other letters than those it names, and pictures are not read.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ..exhibit import Source
from ..reasons import Reason
from ..verdict import Bearing, Finding, indeterminate, passed
from . import pdf_pages
from .pdf_mark import FILE_BYTES_MAX
from .pdf_pages import CHARACTERS_MAX, PAGES_MAX, PagesError

TEXT = "PDF.TEXT"
PAGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Text:
    """`hidden`, `annotated`: page numbers (from 1); `unread`: why the text is not the whole, or None."""

    text: str
    pages: int = 0
    hidden: tuple[int, ...] = ()
    annotated: tuple[int, ...] = ()
    unread: str | None = None
    limit: bool = False

    def finding(self, subject: str) -> Finding:
        """PDF.TEXT: advice on how far the text can be relied upon; it never decides."""
        notes = [
            f"{code}:{', '.join(map(str, pages[:PAGES_SHOWN]))}"
            for code, pages in (("HIDDEN_TEXT", self.hidden), ("ANNOTATION_TEXT", self.annotated))
            if pages
        ]
        if "\N{REPLACEMENT CHARACTER}" in self.text:
            notes.append("TEXT_UNREADABLE")
        if self.unread is not None:
            reason = Reason.RESOURCE_LIMIT if self.limit else Reason.FORMAT_FAILURE
            return indeterminate(
                TEXT, reason, subject, actual=self.unread, notes=tuple(notes), bearing=Bearing.ADVISORY
            )
        actual = f"{self.pages} pages, {len(self.text)} characters"
        if self.hidden:
            reason = Reason.FACTS_CONFLICT
            return indeterminate(
                TEXT, reason, subject, actual=actual, notes=tuple(notes), bearing=Bearing.ADVISORY
            )
        return passed(TEXT, subject, actual=actual, notes=tuple(notes), bearing=Bearing.ADVISORY)


_KEPT: "WeakKeyDictionary[Source, Text]" = WeakKeyDictionary()
"""Recognition and examination read the same text once."""


def of(source: Source) -> Text:
    """The visible text of a PDF. Never raises for what the file holds."""
    if source not in _KEPT:
        data = source.read(FILE_BYTES_MAX)
        _KEPT[source] = Text("", unread="the file is too large", limit=True) if data is None else read(data)
    return _KEPT[source]


def glimpse(source: Source) -> str:
    """The whole text layer, shown or not, for a first look: what is not even there need not be looked for on the pages."""
    data = source.read(FILE_BYTES_MAX)
    texts: list[str] = []
    if data is None:
        return ""
    count = 0
    try:
        with pdf_pages.opened(data) as document:
            for number in range(min(document.pages, PAGES_MAX)):
                texts.append(document.layer(number, limit=CHARACTERS_MAX - count))
                count += len(texts[-1])
    except PagesError:
        return "\n".join(texts)
    return "\n".join(texts)


def read(data: bytes) -> Text:
    try:
        with pdf_pages.opened(data) as document:
            return _read(document)
    except PagesError as fault:
        return Text("", unread=str(fault))


def _read(document: pdf_pages.Document) -> Text:
    texts: list[str] = []
    hidden, annotated = [], []
    count, unread, limit = 0, None, False
    for number in range(min(document.pages, PAGES_MAX)):
        try:
            page = document.text(number, limit=CHARACTERS_MAX - count)
        except PagesError as fault:
            unread = str(fault)
            break
        count += len(page.text) + page.hidden
        texts.append(page.text)
        if page.hidden:
            hidden.append(number + 1)
        if page.annotations:
            annotated.append(number + 1)
    if document.pages > PAGES_MAX and unread is None:
        unread, limit = f"only {PAGES_MAX} of {document.pages} pages were read", True
    return Text("\n".join(texts), document.pages, tuple(hidden), tuple(annotated), unread, limit)
