"""What WeasyPrint leaves undone for PDF/A-3a + PDF/UA-1 and for signing (spec signed-report §4, steps numbered as there).

`finish(document, pdf)` runs just before the trailer is written. Beside the four steps it puts the structure tree right:
English is declared as such (PDF/UA-1 7.2), and elements that say nothing are taken out, which halves the objects that every
later reader, signer and validator has to walk through.
"""

from typing import Any

import pydyf

SIGNATURE_PREFIX = "https://sig.invalid/"
FIELD_NAMES = {
    "CourtSeal": "法院电子签章 / Court e-seal",
    "Clerk": "经办人签名 / Operator's signature",
    "Judge": "签发人签名 / Signature of whoever decided to issue",
    "DocTS1": "归档时间戳 / Archive time-stamp",
    **{f"DocTS{n}": f"续期时间戳 {n} / Renewed time-stamp {n}" for n in range(2, 11)},
}
FOREIGN = "en"
"""Language of the texts marked `<a lang=en>` in our documents, whose own language is Chinese."""
NO_CONTENT = frozenset({"/Document", "/Table", "/THead", "/TBody", "/TFoot", "/TR", "/L", "/LI"})
"""Elements that hold other elements only, never content of their own (ISO 32000-1, 14.8.4)."""
SELF_CONTAINED = frozenset({"/P", "/H1", "/H2", "/H3"})
"""A paragraph within the same paragraph is a box of the layout, not a paragraph."""

UA_DESCRIPTION = (
    b'<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">'
    b"<pdfuaid:part>1</pdfuaid:part></rdf:Description>"
    b'<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
    b' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
    b'<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">'
    b"<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>"
    b"<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>"
    b"<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>"
    b'<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">'
    b"<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>"
    b"<pdfaProperty:category>internal</pdfaProperty:category>"
    b"<pdfaProperty:description>PDF/UA part number</pdfaProperty:description>"
    b"</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"
)


def finish(document: Any, pdf: Any) -> None:
    _identify_ua(pdf)
    _associate_once(pdf)
    _signature_fields(pdf)
    _declare_language(pdf)
    _flatten(pdf)


def _declare_language(pdf: Any) -> None:
    """A link element without a link is how our documents mark a text in the other language: `<a lang=en>`."""
    for element in _elements(pdf):
        if element["S"] == "/Link" and not any(_is_link(pdf, kid) for kid in element["K"]):
            element["S"] = "/Span"
            element["Lang"] = pydyf.String(FOREIGN)


def _is_link(pdf: Any, kid: Any) -> bool:
    return isinstance(kid, bytes) and pdf.objects[_reference(kid)].get("Type") == "/OBJR"


def _flatten(pdf: Any) -> None:
    """Content of elements without meaning (a line of text is a Span to WeasyPrint) belongs to the element around them."""
    elements = {element.number: element for element in _elements(pdf)}
    moved: dict[int, int] = {}
    # Children are made after their parents, so going backwards reaches the innermost first.
    for number in sorted(elements, reverse=True):
        element = elements[number]
        parent = elements.get(_reference(element["P"]))
        if (
            parent is None
            or not (element["S"] in ("/Span", "/NonStruct") or element["S"] == parent["S"] in SELF_CONTAINED)
            or parent["S"] in NO_CONTENT
            or parent.get("Pg") != element.get("Pg")
            or not set(element) <= {"Type", "S", "K", "Pg", "P"}
            or not element["K"]
            or not all(isinstance(kid, int) for kid in element["K"])
        ):
            continue
        place = parent["K"].index(element.reference)
        parent["K"][place : place + 1] = element["K"]
        moved[number] = parent.number
    content_mapping = pdf.objects[_reference(pdf.objects[_reference(pdf.catalog["StructTreeRoot"])]["ParentTree"])]
    for entry in content_mapping["Nums"]:
        if isinstance(entry, list):
            for place, reference in enumerate(entry):
                owner = _reference(reference)
                while owner in moved:
                    owner = moved[owner]
                entry[place] = pdf.objects[owner].reference
    for number in moved:
        pdf.objects[number].clear()  # nothing refers to it now; the re-packing leaves it out


def _elements(pdf: Any) -> list[Any]:
    return [o for o in pdf.objects if isinstance(o, dict) and o.get("Type") == "/StructElem"]


def _reference(text: Any) -> int:
    return int(bytes(text).split()[0] if isinstance(text, bytes) else str(text).split()[0])


def _identify_ua(pdf: Any) -> None:
    """Steps 1 and 2: metadata uncompressed, with the PDF/UA part and the extension schema that PDF/A-3 demands for it."""
    stream = pdf.objects[_reference(pdf.catalog["Metadata"])]
    stream.compress = False
    joined = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in stream.stream)
    stream.stream = [joined.replace(b"</rdf:RDF>", UA_DESCRIPTION + b"</rdf:RDF>", 1)]


def _associate_once(pdf: Any) -> None:
    """Step 3: WeasyPrint 70.0 lists every associated file twice."""
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


def _signature_fields(pdf: Any) -> None:
    """Step 4: placeholder links become empty signature fields, tagged as forms, at the place that CSS gave them."""
    fields = pydyf.Array()
    pages: list[Any] = [o for o in pdf.objects if isinstance(o, dict) and o.get("Type") == "/Page"]
    for page in pages:
        for annotation in [pdf.objects[_reference(r)] for r in _references(page.get("Annots", []))]:
            name = _signature_name(annotation)
            if name is None:
                continue
            left, bottom, right, top = (float(v) for v in annotation["Rect"])
            rect = [min(left, right), min(bottom, top), max(left, right), max(bottom, top)]
            width, height = round(rect[2] - rect[0], 3), round(rect[3] - rect[1], 3)
            appearance = pydyf.Stream(
                [], {"Type": "/XObject", "Subtype": "/Form", "BBox": pydyf.Array([0, 0, width, height])}
            )
            pdf.add_object(appearance)
            for key in ("A", "BS", "Border", "Contents"):
                annotation.pop(key, None)
            annotation.update(
                {
                    "Subtype": "/Widget",
                    "FT": "/Sig",
                    "T": pydyf.String(name),
                    "TU": pydyf.String(FIELD_NAMES.get(name, name)),
                    "F": 132,  # print, locked
                    "P": page.reference,
                    "Rect": pydyf.Array([round(v, 3) for v in rect]),
                    "AP": pydyf.Dictionary({"N": appearance.reference}),
                }
            )
            fields.append(annotation.reference)
            _tag_as_form(pdf, annotation)
    if fields:
        form = pydyf.Dictionary({"Fields": fields, "SigFlags": 1})
        pdf.add_object(form)
        pdf.catalog["AcroForm"] = form.reference


def _references(array: Any) -> list[Any]:
    return [item for item in array if item != b"R"]


def _signature_name(annotation: Any) -> str | None:
    action = annotation.get("A")
    target = str(action.get("URI", "")) if isinstance(action, dict) else ""
    target = getattr(action.get("URI"), "string", target) if isinstance(action, dict) else target
    return str(target).removeprefix(SIGNATURE_PREFIX) if SIGNATURE_PREFIX in str(target) else None


def _tag_as_form(pdf: Any, annotation: Any) -> None:
    """The structure element of the link becomes /Form with the object reference itself as /K, not an array:
    signing libraries accept later changes only on that path (spec §7.2 fix 3)."""
    for element in pdf.objects:
        if not (isinstance(element, dict) and element.get("Type") == "/StructElem" and element.get("S") == "/Link"):
            continue
        for kid in element.get("K", []):
            found = pdf.objects[_reference(kid)] if isinstance(kid, bytes) else kid
            if isinstance(found, dict) and found.get("Type") == "/OBJR" and found.get("Obj") == annotation.reference:
                element["S"] = "/Form"
                element["K"] = kid
                return
