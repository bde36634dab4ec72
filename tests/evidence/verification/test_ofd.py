"""OFD files and national seals: said to be unsupported in a sentence, never refuted and never passed by themselves."""

import io
import zipfile
from dataclasses import replace

import pytest
from asn1crypto import core

from evidence.verification import catalogue
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall

from . import pdf_exhibits
from .authority import TokenPlan, sequence, token
from .pdf_exhibits import SIGNED, SM2_SEAL, TSA, Plan, document, sign, stream, text, trust, update, verdict

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


# ── GM/T 0010: SM2 signatures in frames of their own ──────────────────────────────────────────────────────────────────

GMT = "1.2.156.10197.6.1.4.2."
SM2 = Plan(signer=SM2_SEAL, embed=(SM2_SEAL.der,), frame=GMT + "2", content_type=GMT + "1")
KINDS: dict[str, tuple[Plan, Overall, Reason | None]] = {
    "frame and content of GM/T 0010": (SM2, Overall.CONSISTENT, None),
    "its frame, content of RFC 5652": (replace(SM2, content_type="1.2.840.113549.1.7.1"), Overall.CONSISTENT, None),
    "frame of RFC 5652, its content": (replace(SM2, frame="1.2.840.113549.1.7.2"), Overall.CONSISTENT, None),
    "PKCS #7": (replace(SM2, subfilter=b"adbe.pkcs7.detached"), Overall.CONSISTENT, None),
    "without a time": (replace(SM2, stamped=None), Overall.INDETERMINATE, Reason.NO_POE),
    "SM2 over SHA-256": (replace(SM2, digest="sha256"), Overall.INDETERMINATE, Reason.CRYPTO_CONSTRAINTS_FAILURE),
    "enveloped content": (replace(SM2, content_type=GMT + "3"), Overall.INDETERMINATE, Reason.SIG_CONSTRAINTS_FAILURE),
    "an enveloped frame": (replace(SM2, frame=GMT + "3"), Overall.INCONSISTENT, Reason.FORMAT_FAILURE),
    "an encrypted frame": (replace(SM2, frame=GMT + "5"), Overall.INCONSISTENT, Reason.FORMAT_FAILURE),
}


@pytest.mark.parametrize(("plan", "overall", "reason"), KINDS.values(), ids=KINDS)
def test_frames_and_contents_of_the_national_standard(plan: Plan, overall: Overall, reason: Reason | None) -> None:
    result = verdict({"deed.pdf": sign(DEED, plan).data}, trust(SM2_SEAL.der))
    assert result.overall is overall
    assert reason is None or reason in {f.reason for f in result.findings}


@pytest.mark.parametrize("identifier", ["1.2.156.10197.1.501", "1.2.156.10197.1.301.1", "1.2.156.10197.1.301"])
def test_the_names_that_signers_give_the_algorithm(identifier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_exhibits, "SM2_WITH_SM3", sequence(core.ObjectIdentifier(identifier).dump()))
    assert verdict({"deed.pdf": sign(DEED, SM2).data}, trust(SM2_SEAL.der)).overall is Overall.CONSISTENT
