"""OFD files and national seals: said to be unsupported in a sentence, never refuted and never passed by themselves."""

import io
import zipfile

import pytest
from asn1crypto import core

from evidence.verification import catalogue
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall

from .authority import TokenPlan, sequence, token
from .pdf_exhibits import SIGNED, TSA, Plan, document, sign, stream, text, update, verdict

DEED = document(text("The price is 100"))


def ofd(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in {"OFD.xml": b"<ofd:OFD/>", "Doc_0/Signs/Sign_0/SignedValue.dat": b"\x30\0", **members}.items():
            archive.writestr(name, data)
    return out.getvalue()


def ses(*, version: int = 4) -> bytes:
    """GB/T 38540 §7: SES_Signature with a seal, a digest, a certificate; nothing of it is real but its form."""
    seal = sequence(sequence(sequence(core.IA5String("ES").dump(), core.Integer(version).dump(), core.IA5String("x").dump())))
    to_sign = sequence(
        core.Integer(version).dump(), seal, core.GeneralizedTime(SIGNED).dump(), core.BitString((0, 1) * 128).dump(), core.IA5String("p").dump()
    )
    certificate, algorithm = core.OctetString(b"certificate").dump(), core.ObjectIdentifier("1.2.156.10197.1.501").dump()
    return sequence(to_sign, certificate, algorithm, core.BitString((0, 1) * 256).dump())


def test_an_ofd_file_is_recognised_and_open() -> None:
    result = verdict({"决定书.ofd": ofd()})
    assert (result.overall, result.sources[0].format) == (Overall.INDETERMINATE, "ofd")
    (found,) = result.findings
    assert (found.check, found.outcome, found.reason) == ("SIG.ENUMERATED", Outcome.INDETERMINATE, Reason.UNSUPPORTED_FORMAT)
    for language in ("zh", "en"):
        assert "GB/T 38540" in catalogue.note(found.notes[0], language)


def test_a_proof_of_its_bytes_counts() -> None:
    data = ofd()
    stamp = token(TokenPlan(data, TSA, embed=(TSA.der,), when=SIGNED))
    assert verdict({"a.ofd": data, "a.tsr": stamp}).overall is Overall.CONSISTENT


def test_another_archive_is_none() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("other.xml", b"")
    assert verdict({"a.zip": out.getvalue()}).sources[0].format != "ofd"
    assert verdict({"a.ofd": b"OFD.xml"}).sources[0].format == "unknown"


@pytest.mark.parametrize("subfilter", [b"adbe.pkcs7.detached", b"ETSI.CAdES.detached", b"GM.SealSign", b"GBT.38540"])
@pytest.mark.parametrize("version", [1, 4])
def test_a_national_seal_in_a_pdf_is_listed_and_open(subfilter: bytes, version: int) -> None:
    made = sign(DEED, Plan(subfilter=subfilter, value=lambda _: ses(version=version)))
    result = verdict({"deed.pdf": made.data})
    open_ = [f for f in result.findings if f.check == "SIG.ENUMERATED" and f.reason is Reason.UNSUPPORTED_FORMAT]
    assert len(open_) == 1 and result.overall is Overall.INDETERMINATE
    if b"detached" in subfilter:
        assert "GB/T 38540" in catalogue.note(open_[0].notes[0], "zh")
        # What was changed after it is refuted all the same.
        changed = update(made, {11: stream(text("900"))})
        assert verdict({"deed.pdf": changed.data}).overall is Overall.INCONSISTENT


def test_rubbish_is_no_seal() -> None:
    for value in (sequence(sequence(b"")), sequence(core.Integer(1).dump()), sequence(sequence(core.Integer(1).dump()))):
        made = sign(DEED, Plan(value=lambda _, value=value: value))  # type: ignore[misc]
        assert verdict({"deed.pdf": made.data}).overall is Overall.INCONSISTENT
