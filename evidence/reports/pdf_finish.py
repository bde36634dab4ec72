"""What Typst cannot write: signature fields (spec signed-report §4, the last of its steps; §7.2 fix 3).

A document marks the place of each by an empty link to `https://sig.invalid/NAME`; the layout decides where it stands. The file
is written anew once, with object streams of at most 100 objects: a signature validator re-reads a stream for every object in it.
"""

import io
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

SIGNATURE_PREFIX = "https://sig.invalid/"
FIELD_NAMES = {
    "CourtSeal": "法院电子签章 / Court e-seal",
    "CourtSealSM2": "法院电子签章（SM2） / Court e-seal (SM2)",
    "Clerk": "经办人签名 / Operator's signature",
    "Judge": "签发人签名 / Signature of whoever decided to issue",
    "DocTS1": "归档时间戳 / Archive time-stamp",
    **{f"DocTS{n}": f"续期时间戳 {n} / Renewed time-stamp {n}" for n in range(2, 11)},
}
PRINT_LOCKED = 132
"""Annotation flags (ISO 32000-1, table 165): bits 3 and 8."""
OF_A_LINK = ("/A", "/BS", "/Border", "/Contents", "/QuadPoints")


def finish(pdf: bytes) -> bytes:
    """The same document with signature fields in place of the marked links. ValueError: an unknown or repeated name."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        _signature_fields(document)
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            deterministic_id=True,
        )
    return out.getvalue()


def _signature_fields(document: pikepdf.Pdf) -> None:
    fields: dict[str, Any] = {}
    for page in document.pages:
        for annotation in page.obj.get("/Annots", ()):
            name = _field_name(annotation)
            if name is None:
                continue
            if name not in FIELD_NAMES or name in fields:
                raise ValueError(f"no signature field can be called {name!r}, or there are two")
            _become_field(document, annotation, name, page.obj)
            fields[name] = annotation
    if fields:
        document.Root.AcroForm = document.make_indirect(Dictionary(Fields=Array(fields.values()), SigFlags=1))
        _tag_as_forms(document, {annotation.objgen for annotation in fields.values()})


def _field_name(annotation: Any) -> str | None:
    target = str(annotation.get("/A", {}).get("/URI", ""))
    return target.removeprefix(SIGNATURE_PREFIX) if target.startswith(SIGNATURE_PREFIX) else None


def _become_field(document: pikepdf.Pdf, annotation: Any, name: str, page: Any) -> None:
    left, bottom, right, top = (float(edge) for edge in annotation.Rect)
    rect = [min(left, right), min(bottom, top), max(left, right), max(bottom, top)]
    size = [round(rect[2] - rect[0], 3), round(rect[3] - rect[1], 3)]
    for key in OF_A_LINK:
        if key in annotation:
            del annotation[key]
    annotation.Subtype = Name.Widget
    annotation.FT = Name.Sig
    annotation.T = pikepdf.String(name)
    annotation.TU = pikepdf.String(FIELD_NAMES[name])
    annotation.F = PRINT_LOCKED
    annotation.P = page
    annotation.Rect = Array([round(edge, 3) for edge in rect])
    empty = document.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, *size]))
    annotation.AP = Dictionary(N=empty)


def _tag_as_forms(document: pikepdf.Pdf, fields: set[tuple[int, int]]) -> None:
    """The structure element around a field is a form, with the object reference itself as /K, not an array: signing
    libraries accept later changes only on that path."""
    for element in _elements(document.Root.StructTreeRoot):
        if element.get("/S") != Name.Link:
            continue
        kids = element.K if isinstance(element.K, Array) else [element.K]
        found = [k for k in kids if isinstance(k, Dictionary) and "/Obj" in k and k.Obj.objgen in fields]
        if found:
            if len(kids) > 1:
                raise ValueError("the place of a signature holds something else")
            element.S = Name.Form
            element.K = found[0]


def _elements(root: Any) -> Iterator[Any]:
    """Every structure element below `root`."""
    open_ = [root]
    while open_:
        element = open_.pop()
        kids = element.get("/K", ())
        below = [k for k in (kids if isinstance(kids, Array) else [kids]) if isinstance(k, Dictionary) and "/S" in k]
        yield from below
        open_ += below
