"""PDF files for tests, written object by object, and signatures in them built by hand: nothing here is the engine's or pyHanko's.

A `Document` is the bytes of a file and what is needed to append to it; `update` and `sign` append revisions as ISO 32000-2 §7.5.6
describes, so that a test can append anything else just as well.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.verification import Exhibit, Source, TrustStore, Verdict, verify
from evidence.verification.trust import Platform

from .authority import (
    SHA256_WITH_ECDSA,
    SHA256_WITH_RSA,
    SM2_WITH_SM3,
    TIME_STAMPING,
    Holder,
    Sm2Holder,
    TokenPlan,
    issue,
    issue_sm2,
    sequence,
    token,
)

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIGNED = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ROOT = issue("Seal root", ca=True)
MIDDLE = issue("Seal authority", by=ROOT, ca=True)
SEAL = issue("Platform seal", by=MIDDLE)
STRANGER_ROOT = issue("Seal root", ca=True)
STRANGER = issue("Platform seal", by=STRANGER_ROOT)
TSA_ROOT = issue("TSA root", ca=True)
TSA = issue("TSA", by=TSA_ROOT, eku=[TIME_STAMPING])
SM2_ROOT = issue_sm2("SM2 root", secret=1001, ca=True)
SM2_SEAL = issue_sm2("SM2 seal", secret=1002, by=SM2_ROOT)

CONTAINER = 6000
"""Bytes kept for a signature value."""


# ── revocation lists and the court's store ────────────────────────────────────────────────────────────────────────────


def crl(
    issuer: Holder,
    *,
    revoked: Sequence[tuple[Holder, datetime]] = (),
    begin: datetime = AT - timedelta(days=300),
    end: datetime = AT + timedelta(days=30),
    key: Any = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(begin)
        .next_update(end)
    )
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    for holder, moment in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(holder.certificate.serial_number).revocation_date(moment)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


LISTS = (crl(ROOT), crl(MIDDLE))


def trust(
    *roots: bytes,
    lists: Sequence[bytes] = LISTS,
    tsa: Sequence[bytes] = (TSA_ROOT.der,),
    platforms: Sequence[Platform] = (),
    accept_d: Sequence[str] = (),
) -> TrustStore:
    return replace(
        TrustStore.empty(),
        digest="test",
        seal_roots=roots or (ROOT.der,),
        revocation_lists=tuple(lists),
        tsa_roots=tuple(tsa),
        platforms=tuple(platforms),
        accept_d=frozenset(accept_d),
    )


def platform(identity: str, *seals: bytes) -> Platform:
    title = {"zh": identity, "en": identity}
    return replace(
        Platform(identity, title, identity, (), None, None), seals=tuple(hashlib.sha256(s).digest() for s in seals)
    )


def verdict(files: Mapping[str, bytes], store: TrustStore | None = None, *, at: datetime = AT) -> Verdict:
    exhibit = Exhibit.of([Source.from_bytes(name, data) for name, data in files.items()])
    try:
        return verify(exhibit, store or trust(), at)
    finally:
        exhibit.close()


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

CATALOGUE, PAGES, FORM, ANNOTS, FONT, WIDE, WIDE_FONT, FIRST_PAGE = 1, 2, 3, 4, 5, 6, 7, 10


@dataclass(frozen=True)
class Document:
    """`objects`: the last body of each object. `table`: where the last cross-reference table stands."""

    data: bytes
    objects: Mapping[int, bytes] = field(default_factory=dict)
    table: int = 0

    @property
    def free(self) -> int:
        return max(self.objects) + 1


def text(*lines: str, size: int = 10, mode: int = 0, colour: str = "0 g", x: int = 40, y: int = 740) -> bytes:
    """Drawing instructions for lines of text; what is not ASCII goes to a Chinese font that is not embedded."""
    out = [f"BT {colour} {mode} Tr {size + 6} TL {x} {y} Td".encode()]
    for line in lines:
        if line.isascii():
            escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            out.append(f"/F1 {size} Tf ({escaped}) Tj T*".encode())
        else:
            out.append(f"/F2 {size} Tf <{line.encode('utf-16-be').hex()}> Tj T*".encode())
    return b"\n".join([*out, b"ET"])


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), entries, content)


def page(content: int, *, annots: int | None = None) -> bytes:
    more = b"/Annots %d 0 R" % annots if annots else b""
    return (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R/F2 6 0 R>>>>/Contents %d 0 R%s>>"
        % (content, more)
    )


def document(*drawings: bytes, catalogue: bytes = b"", form: bytes = b"") -> Document:
    """Pages with the given drawings. The first page has an array of annotations, the form none yet."""
    drawings = drawings or (text("Nothing"),)
    kids = b" ".join(b"%d 0 R" % (FIRST_PAGE + 2 * n) for n in range(len(drawings)))
    objects = {
        CATALOGUE: b"<</Type/Catalog/Pages 2 0 R/AcroForm 3 0 R%s>>" % catalogue,
        PAGES: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(drawings)),
        FORM: b"<</Fields[]/SigFlags 3%s>>" % form,
        ANNOTS: b"[]",
        FONT: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        WIDE: b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UTF16-H/DescendantFonts[7 0 R]>>",
        WIDE_FONT: b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)"
        b"/Supplement 4>>/DW 1000/FontDescriptor<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[-25 -254 1000 880]"
        b"/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880/StemV 93>>>>",
    }
    for number, drawing in enumerate(drawings):
        place = FIRST_PAGE + 2 * number
        objects[place] = page(place + 1, annots=ANNOTS if number == 0 else None)
        objects[place + 1] = stream(drawing)
    return update(Document(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), objects)


def update(before: Document, objects: Mapping[int, bytes], *, trailer: bytes = b"") -> Document:
    """A revision with these objects."""
    data, places = before.data, {}
    for number, body in objects.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(data)
    data += b"xref\n" + (b"0 1\n0000000000 65535 f \n" if not before.table else b"")
    for number, place in sorted(places.items()):
        data += b"%d 1\n%010d 00000 n \n" % (number, place)
    known = {**before.objects, **objects}
    previous = b"/Prev %d" % before.table if before.table else b""
    identity = hashlib.md5(b"pdf", usedforsecurity=False).hexdigest().encode()
    data += b"trailer\n<</Size %d/Root 1 0 R/ID[<%s><%s>]%s%s>>\n" % (max(known) + 1, identity, identity, previous, trailer)
    return Document(data + b"startxref\n%d\n%%%%EOF\n" % table, known, table)


def _appended(array: bytes, key: bytes, item: bytes) -> bytes:
    start = array.index(key + b"[") + len(key) + 1
    end = array.index(b"]", start)
    return array[:end] + b" " + item + array[end:]


@dataclass(frozen=True)
class Plan:
    """Everything that goes into a signature; tests change one thing at a time."""

    signer: Holder | Sm2Holder = field(default_factory=lambda: SEAL)
    embed: Sequence[bytes] = (SEAL.der, MIDDLE.der)
    name: bytes = b"Seal"
    subfilter: bytes = b"ETSI.CAdES.detached"
    kind: bytes = b"Sig"
    ess: bool = True
    digest: str | None = None
    stamped: datetime | None = SIGNED
    stamp: Callable[[bytes], bytes] | None = None
    docmdp: int | None = None
    appearance: bytes | None = None
    rect: bytes = b"0 0 0 0"
    content_type: str = "1.2.840.113549.1.7.1"
    frame: str = "1.2.840.113549.1.7.2"
    signers: int = 1
    attributes: bool = True
    inside: bytes | None = None
    byte_range: Callable[[int, int, int], Sequence[int]] | None = None
    value: Callable[[bytes], bytes] | None = None
    padding: bytes = b"\0"
    fields: bytes = b""


PLAIN = Plan()


def sign(before: Document, plan: Plan = PLAIN, *, extra: Mapping[int, bytes] | None = None) -> Document:
    """Append a revision with a filled signature field, on the first page."""
    start = max(before.free, 1 + max(extra or {0: b""}))
    value, widget, drawing = start, start + 1, start + 2
    reference = b""
    if plan.docmdp is not None:
        reference = (
            b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P %d/V/1.2>>>>]"
            % plan.docmdp
        )
    space = b"/ByteRange [0 0000000000 0000000000 0000000000]"
    body = b"<</Type/%s/Filter/Adobe.PPKLite/SubFilter/%s%s%s%s/Contents <%s>>>" % (
        plan.kind, plan.subfilter, plan.fields, reference, space, b"0" * (2 * CONTAINER),
    )  # fmt: skip
    look = b"/AP<</N %d 0 R>>" % drawing if plan.appearance is not None else b""
    objects = {
        **(extra or {}),
        value: body,
        widget: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/V %d 0 R/F 132/Rect[%s]/P 10 0 R%s>>"
        % (plan.name, value, plan.rect, look),
        FORM: _appended((extra or {}).get(FORM, before.objects[FORM]), b"/Fields", b"%d 0 R" % widget),
        ANNOTS: _appended((extra or {}).get(ANNOTS, before.objects[ANNOTS]), b"", b"%d 0 R" % widget),
    }
    if plan.appearance is not None:
        objects[drawing] = stream(plan.appearance, b"/Type/XObject/Subtype/Form/BBox[0 0 200 100]/Resources<</Font<</F1 5 0 R>>>>")
    after = update(before, objects)
    at = after.data.rindex(space)
    gap = after.data.index(b"/Contents <", at) + len(b"/Contents ")
    end = gap + 2 * CONTAINER + 2
    numbers = (0, gap, end, len(after.data) - end)
    if plan.byte_range is not None:
        numbers = tuple(plan.byte_range(gap, end, len(after.data)))
    written = (b"/ByteRange [" + b" ".join(b"%d" % n for n in numbers)).ljust(len(space) - 1) + b"]"
    data = after.data[:at] + written + after.data[at + len(space) :]
    covered = data[:gap] + data[end:]
    found = plan.value(covered) if plan.value else cms(covered, plan)
    filled = found.ljust(CONTAINER, plan.padding).hex().encode()
    assert len(filled) == 2 * CONTAINER
    return replace(after, data=data[: gap + 1] + filled + data[end - 1 :])


def time_stamped(before: Document, *, when: datetime = SIGNED, tsa: Holder = TSA) -> Document:
    """A document time-stamp over the file."""
    plan = Plan(
        name=b"Stamp",
        kind=b"DocTimeStamp",
        subfilter=b"ETSI.RFC3161",
        value=lambda covered: token(TokenPlan(covered, tsa, embed=(tsa.der,), when=when)),
    )
    return sign(before, plan)


def cms(covered: bytes, plan: Plan) -> bytes:
    """A ContentInfo over `covered`, assembled by hand."""
    is_sm2 = isinstance(plan.signer, Sm2Holder)
    digest = plan.digest or ("sm3" if is_sm2 else "sha256")
    oid = {"sm3": "1.2.156.10197.1.401", "sha256": "2.16.840.1.101.3.4.2.1", "sha1": "1.3.14.3.2.26"}[digest]
    attributes = [
        _attribute("1.2.840.113549.1.9.3", core.ObjectIdentifier(plan.content_type).dump()),
        _attribute("1.2.840.113549.1.9.4", core.OctetString(hashlib.new(digest, covered).digest()).dump()),
    ]
    if plan.ess:
        bound = sequence(core.OctetString(hashlib.sha256(plan.signer.der).digest()).dump())
        attributes.append(_attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(bound))))
    attributes.sort()
    to_sign = b"\x31" + sequence(*attributes)[1:]
    algorithm, signature = _signed(plan.signer, to_sign if plan.attributes else covered)
    parsed = asn1_x509.Certificate.load(plan.signer.der)
    parts = [
        core.Integer(1).dump(),
        sequence(parsed.issuer.dump(), parsed["tbs_certificate"]["serial_number"].dump()),
        sequence(core.ObjectIdentifier(oid).dump()),
        *([b"\xa0" + to_sign[1:]] if plan.attributes else []),
        algorithm,
        core.OctetString(signature).dump(),
    ]
    if plan.stamp is not None or plan.stamped is not None:
        stamp = plan.stamp or (lambda m: token(TokenPlan(m, TSA, embed=(TSA.der,), when=plan.stamped or SIGNED)))
        parts.append(b"\xa1" + sequence(_attribute("1.2.840.113549.1.9.16.2.14", stamp(signature)))[1:])
    inside = [b"\xa0" + sequence(core.OctetString(plan.inside).dump())[1:]] if plan.inside is not None else []
    signed = sequence(
        core.Integer(1).dump(),
        b"\x31" + sequence(sequence(core.ObjectIdentifier(oid).dump()))[1:],
        sequence(core.ObjectIdentifier(plan.content_type).dump(), *inside),
        *([b"\xa0" + sequence(*plan.embed)[1:]] if plan.embed else []),
        b"\x31" + sequence(*[sequence(*parts)] * plan.signers)[1:],
    )
    return sequence(core.ObjectIdentifier(plan.frame).dump(), b"\xa0" + sequence(signed)[1:])


def _signed(signer: Holder | Sm2Holder, message: bytes) -> tuple[bytes, bytes]:
    if isinstance(signer, Sm2Holder):
        return SM2_WITH_SM3, signer.sign(message)
    if isinstance(signer.key, rsa.RSAPrivateKey):
        return SHA256_WITH_RSA, signer.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return SHA256_WITH_ECDSA, signer.key.sign(message, ec.ECDSA(hashes.SHA256()))


def _attribute(oid: str, value: bytes) -> bytes:
    return sequence(core.ObjectIdentifier(oid).dump(), b"\x31" + sequence(value)[1:])
