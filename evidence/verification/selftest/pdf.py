"""Known answers on reading a PDF: ISO 32000-2 examples of a text page (annex H.3), written out by hand.

The visible words are read, words in rendering mode 3 (table 104: neither filled nor stroked) are not; a range that leaves more
than its container uncovered is refused (§12.8.1).
"""

from collections.abc import Callable

FORMATS: tuple[str, ...] = ("signed-pdf", "pdf-certificate")

_SHOWN, _NOT_SHOWN = b"0 Tr (Hello World) Tj", b"3 Tr (Hello World) Tj"


def _page(drawing: bytes) -> bytes:
    content = b"BT /F1 24 Tf 20 40 Td " + drawing + b" ET"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    return data + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def _text(drawing: bytes, expected: tuple[str, int]) -> Callable[[], bool]:
    def case() -> bool:
        from ..signatures import pdf_pages

        with pdf_pages.opened(_page(drawing)) as document:
            found = document.text(0, limit=100)
        return (found.text.strip(), found.hidden) == expected

    return case


def _range(values: list[int], expected: bool) -> Callable[[], bool]:
    def case() -> bool:
        from ..signatures import pdf_range

        try:
            return (pdf_range.read(values, b"\xab", b"12<ab>67").end == 8) is expected
        except pdf_range.RangeError:
            return not expected

    return case


CASES: dict[str, Callable[[], bool]] = {
    "PDF words that are shown": _text(_SHOWN, ("Hello World", 0)),
    "PDF words that are not shown": _text(_NOT_SHOWN, ("", 10)),
    "PDF range around its container": _range([0, 2, 6, 2], True),
    "PDF range with a wider gap": _range([0, 1, 6, 2], False),
}
