"""Pages of a PDF as text and as a drawing, through PDFium, without any font of the machine.

PDFium is native code over a party's bytes: in the portal it runs in the jail. System fonts are shut out, so that the same file
reads and draws the same everywhere; text in a font that is not embedded is read, but not drawn.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import pdf_weight

PAGES_MAX = 120
"""Pages read or compared. Certificates have under ten; a report of ours 57."""
CHARACTERS_MAX = 200_000
"""Characters read from one file: about 120 full pages."""
PIXELS_MAX = 2_000
"""Longest side of a drawing. An A4 page has 842 at one pixel for each point."""
TEXT_SCALE, COMPARED_SCALE = 2, 1
"""Pixels for each point: small print must be seen as more than a grey line; a comparison needs no more than the page."""
CONTRAST_MIN = 24
"""Of 255: below this, a letter cannot be told from its ground."""
_HIDDEN_MODES = (3, 7)
"""Text rendering modes that paint nothing (ISO 32000-2 table 104)."""
_GENERATED = 1
MARKS_MAX = 50
"""Marks around one piece of text; tagged files nest a dozen."""
_BLANK = " \t\r\n\0"


class PagesError(ValueError):
    """PDFium cannot open the file or a page of it. The message says which."""


@dataclass(frozen=True, slots=True)
class PageText:
    """`text`: what is shown; `hidden`: characters of the text layer that are not; `annotations`: there is some besides fields."""

    text: str
    hidden: int
    annotations: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """One grey byte for each pixel, row by row. `fields`: (left, top, right, bottom) of form fields, in pixels."""

    width: int
    height: int
    pixels: bytes
    fields: tuple[tuple[int, int, int, int], ...]


_NO_FOLDERS = (ctypes.POINTER(ctypes.c_char) * 1)()
"""An empty list of folders with fonts; the library may look at it again."""


@cache
def _pdfium() -> Any:
    import pypdfium2_raw as c

    folders = ctypes.cast(_NO_FOLDERS, ctypes.POINTER(ctypes.POINTER(ctypes.c_char)))
    config = c.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=folders)
    c.FPDF_InitLibraryWithConfig(config)
    return c


class Document:
    """An open file. `pages`: how many there are."""

    def __init__(self, data: bytes, handle: Any, form: Any) -> None:
        self._data, self._handle, self._form = data, handle, form
        self.pages = int(_pdfium().FPDF_GetPageCount(handle))

    @contextmanager
    def _page(self, number: int) -> Iterator[Any]:
        c = _pdfium()
        page = c.FPDF_LoadPage(self._handle, number)
        if not page:
            raise PagesError(f"page {number + 1}")
        try:
            yield page
        finally:
            c.FPDF_ClosePage(page)

    def text(self, number: int, *, limit: int) -> PageText:
        """Text of page `number` (from 0), at most `limit` characters of the layer. Raises PagesError."""
        c = _pdfium()
        with self._page(number) as page:
            layer = c.FPDFText_LoadPage(page)
            if not layer:
                raise PagesError(f"text of page {number + 1}")
            try:
                count = int(c.FPDFText_CountChars(layer))
                if count > limit:
                    raise PagesError(f"more than {CHARACTERS_MAX} characters")
                return _Layer(page, layer, count, self._form).read()
            finally:
                c.FPDFText_ClosePage(layer)

    def layer(self, number: int, *, limit: int) -> str:
        """The text layer of page `number`, shown or not: a quick look. Raises PagesError."""
        c = _pdfium()
        with self._page(number) as page:
            layer = c.FPDFText_LoadPage(page)
            if not layer:
                raise PagesError(f"text of page {number + 1}")
            try:
                count = int(c.FPDFText_CountChars(layer))
                if count > limit:
                    raise PagesError(f"more than {CHARACTERS_MAX} characters")
                units = (ctypes.c_ushort * (count + 1))()
                c.FPDFText_GetText(layer, 0, count, units)
                return _joined([chr(u) for u in units[:count]])
            finally:
                c.FPDFText_ClosePage(layer)

    def drawing(self, number: int) -> Drawing:
        """Page `number` (from 0) with its annotations and fields, for comparison. Raises PagesError."""
        with self._page(number) as page:
            width, height, pixels, place = _drawn(page, COMPARED_SCALE, self._form)
            return Drawing(width, height, pixels, tuple(place.box(*r) for r in _field_boxes(page)))


@contextmanager
def opened(data: bytes, *, weighed: bool = False) -> Iterator[Document]:
    """Raises PagesError. `weighed`: the caller knows that `pdf_weight` lets this file, or one that begins with it, pass."""
    if not weighed:
        try:
            pdf_weight.check(data)
        except pdf_weight.TooHeavy as fault:
            raise PagesError(str(fault)) from fault
    c = _pdfium()
    handle = c.FPDF_LoadMemDocument64(data, len(data), None)
    if not handle:
        raise PagesError("PDFium cannot open the file")
    form = None
    # Form fields and stamps are drawn by a part of their own. It runs no script: the library is built without one.
    settings = c.FPDF_FORMFILLINFO(version=2)
    try:
        if c.FPDF_GetFormType(handle) != c.FORMTYPE_NONE:
            form = c.FPDFDOC_InitFormFillEnvironment(handle, settings)
        yield Document(data, handle, form)
    finally:
        if form:
            c.FPDFDOC_ExitFormFillEnvironment(form)
        c.FPDF_CloseDocument(handle)


@dataclass(frozen=True, slots=True)
class _Place:
    """Page coordinates -> pixels, as PDFium maps them (rotation and crop box included)."""

    x0: float
    y0: float
    xx: float
    xy: float
    yx: float
    yy: float

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[int, int, int, int]:
        corners = [
            (self.x0 + self.xx * x + self.yx * y, self.y0 + self.xy * x + self.yy * y)
            for x in (left, right)
            for y in (bottom, top)
        ]
        xs, ys = [c[0] for c in corners], [c[1] for c in corners]
        return _whole(min(xs)) - 1, _whole(min(ys)) - 1, _whole(max(xs)) + 2, _whole(max(ys)) + 2


def _whole(value: float) -> int:
    return int(max(-1e6, min(1e6, value))) if value == value else 0


def _drawn(page: Any, scale: int, form: Any) -> tuple[int, int, bytes, _Place]:
    c = _pdfium()
    size = c.FPDF_GetPageWidthF(page), c.FPDF_GetPageHeightF(page)
    width, height = (max(1, min(PIXELS_MAX, _whole(side * scale))) for side in size)
    bitmap = c.FPDFBitmap_CreateEx(width, height, c.FPDFBitmap_Gray, None, 0)
    if not bitmap:
        raise PagesError("no memory for a drawing")
    try:
        c.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        c.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, c.FPDF_ANNOT)
        if form:
            c.FPDF_FFLDraw(form, bitmap, page, 0, 0, width, height, 0, c.FPDF_ANNOT)
        stride = c.FPDFBitmap_GetStride(bitmap)
        raw = ctypes.string_at(c.FPDFBitmap_GetBuffer(bitmap), stride * height)
    finally:
        c.FPDFBitmap_Destroy(bitmap)
    pixels = raw if stride == width else b"".join(raw[r * stride : r * stride + width] for r in range(height))
    return width, height, pixels, _place(page, width, height)


def _place(page: Any, width: int, height: int) -> _Place:
    """Three points tell the mapping; far apart, because PDFium answers in whole pixels."""
    c = _pdfium()
    far = 10_000

    def at(x: float, y: float) -> tuple[int, int]:
        px, py = ctypes.c_int(), ctypes.c_int()
        c.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, px, py)
        return px.value, py.value

    (x0, y0), (x1, y1), (x2, y2) = at(0, 0), at(far, 0), at(0, far)
    return _Place(x0, y0, (x1 - x0) / far, (y1 - y0) / far, (x2 - x0) / far, (y2 - y0) / far)


def _field_boxes(page: Any) -> Iterator[tuple[float, float, float, float]]:
    c = _pdfium()
    for index in range(min(c.FPDFPage_GetAnnotCount(page), 1000)):
        annotation = c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            box = c.FS_RECTF()
            if c.FPDFAnnot_GetSubtype(annotation) == c.FPDF_ANNOT_WIDGET and c.FPDFAnnot_GetRect(annotation, box):
                yield box.left, box.bottom, box.right, box.top
        finally:
            c.FPDFPage_CloseAnnot(annotation)


def _has_annotations(page: Any) -> bool:
    """Other than fields, links and their pop-ups."""
    c = _pdfium()
    quiet = (c.FPDF_ANNOT_WIDGET, c.FPDF_ANNOT_LINK, c.FPDF_ANNOT_POPUP)
    for index in range(min(c.FPDFPage_GetAnnotCount(page), 1000)):
        annotation = c.FPDFPage_GetAnnot(page, index)
        if annotation:
            kind = c.FPDFAnnot_GetSubtype(annotation)
            c.FPDFPage_CloseAnnot(annotation)
            if kind not in quiet:
                return True
    return False


class _Layer:
    """The text layer of one page against its drawing: a letter whose box shows no contrast is not shown."""

    def __init__(self, page: Any, layer: Any, count: int, form: Any) -> None:
        self._page, self._layer, self._count = page, layer, count
        self._width, self._height, self._pixels, self._place = _drawn(page, TEXT_SCALE, form)
        self._objects: dict[int, tuple[bool, bool]] = {}

    def read(self) -> PageText:
        c, layer = _pdfium(), self._layer
        shown, hidden = [], 0
        for index in range(self._count):
            letter = _letter(c.FPDFText_GetUnicode(layer, index))
            if letter in _BLANK or c.FPDFText_IsGenerated(layer, index) == _GENERATED or self._is_shown(index):
                shown.append(letter)
            else:
                hidden += 1
        return PageText(_joined(shown), hidden, _has_annotations(self._page))

    def _is_shown(self, index: int) -> bool:
        c = _pdfium()
        painted, drawable = self._object(c.FPDFText_GetTextObject(self._layer, index))
        if not painted:
            return False
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        if not c.FPDFText_GetCharBox(self._layer, index, left, right, bottom, top):
            return False
        x0, y0, x1, y1 = self._place.box(left.value, bottom.value, right.value, top.value)
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(self._width, x1), min(self._height, y1)
        if x0 >= x1 or y0 >= y1:
            return False
        if not drawable:
            return True
        rows = [self._pixels[y * self._width + x0 : y * self._width + x1] for y in range(y0, y1)]
        return max(map(max, rows)) - min(map(min, rows)) >= CONTRAST_MIN

    def _object(self, handle: Any) -> tuple[bool, bool]:
        """(whether the text object paints what the layer says, whether its font is embedded and so can be drawn here)."""
        c = _pdfium()
        key = ctypes.cast(handle, ctypes.c_void_p).value or 0
        if key not in self._objects:
            font = c.FPDFTextObj_GetFont(handle) if handle else None
            mode = c.FPDFTextObj_GetTextRenderMode(handle) if handle else 3
            paints = mode not in _HIDDEN_MODES and not _is_replaced(handle)
            self._objects[key] = paints, bool(font) and c.FPDFFont_GetIsEmbedded(font) == 1
        return self._objects[key]


def _is_replaced(handle: Any) -> bool:
    """Text inside marked content with /ActualText: the layer then says that text, and not what is drawn (ISO 32000-2 §14.9.4)."""
    c = _pdfium()
    marks = (c.FPDFPageObj_GetMark(handle, i) for i in range(min(c.FPDFPageObj_CountMarks(handle), MARKS_MAX + 1)))
    kinds = [c.FPDFPageObjMark_GetParamValueType(mark, b"ActualText") for mark in marks]
    return len(kinds) > MARKS_MAX or any(kind != c.FPDF_OBJECT_UNKNOWN for kind in kinds)


def _letter(code: int) -> str:
    return chr(code) if 0 < code < 0x110000 else "\N{REPLACEMENT CHARACTER}"


def _joined(letters: list[str]) -> str:
    """PDFium gives UTF-16 units: pairs are put together, lone halves replaced; line ends are one kind."""
    text = "".join(letters).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
