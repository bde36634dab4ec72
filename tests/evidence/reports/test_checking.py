"""What our own check refuses: every change after sealing, however made, and every seal that is not the court's.

The attacks are incremental updates by pyHanko's own writer, which a viewer takes for ordinary new revisions, and plain edits
of bytes.
"""

import io
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper

from evidence.reports import anchors, checking, keyring, signing, stamping
from portal.demonstration import authority

from .conftest import FONTS, context
from .test_rendering import faults as page_faults

Attack = Callable[[IncrementalPdfFileWriter], None]


def check(pdf: bytes, keys: Path) -> list[str]:
    return checking.check(pdf, keys=keys)


def test_a_sealed_report_has_nothing_wrong(sealed: bytes, keys: Path) -> None:
    found = checking.examine(sealed, anchors=keys)
    assert found.faults == ()
    assert "E-SEAL" in found.sealed_by and found.sealed_at is not None
    assert abs(found.sealed_at - datetime.now(UTC)) < timedelta(hours=3), "it is sealed once for the run"
    assert found.annex_sha256 == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"  # of {"a":1}


@pytest.mark.needs("pdfsig", "qpdf")
def test_other_programs_accept_it_too(sealed: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(sealed)
    said = subprocess.run(["pdfsig", str(file)], capture_output=True, text=True).stdout
    assert "Signature is Valid" in said and "Total document signed" in said
    assert subprocess.run(["qpdf", "--check", str(file)], capture_output=True).returncode == 0


@pytest.mark.needs("openssl")
def test_openssl_verifies_the_seal_and_the_time_stamp(sealed: bytes, keys: Path, tmp_path: Path) -> None:
    """The two signatures by an implementation that shares nothing with ours."""
    for number, (start, length, after, rest) in enumerate(_byte_ranges(sealed)):
        cms = bytes.fromhex(sealed[start + length + 1 : after - 1].decode())
        cms = cms[: 4 + int.from_bytes(cms[2:4])]  # DER with a two-byte length
        content = sealed[start : start + length] + sealed[after : after + rest]
        (tmp_path / "cms").write_bytes(cms)
        (tmp_path / "content").write_bytes(content)
        root = str(keys / "roots" / "root.pem")
        if number == 0:
            command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "cms", "-content", "content"]
            command += ["-CAfile", root, "-purpose", "any", "-out", "/dev/null"]
        else:
            command = ["openssl", "ts", "-verify", "-token_in", "-in", "cms", "-data", "content", "-CAfile", root]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def _byte_ranges(pdf: bytes) -> list[tuple[int, int, int, int]]:
    found = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", pdf)
    return [tuple(map(int, numbers)) for numbers in found]  # type: ignore[misc]


# ── every revision conforms ───────────────────────────────────────────────────────────────────────────────────────────


def test_every_revision_is_pdfa_and_pdfua(unsigned: bytes, sealed: bytes) -> None:
    """Cut at each %%EOF; of the whole only the rule that wants every signature to cover the file is broken."""
    ends = [m.end() for m in re.finditer(rb"%%EOF\n?", sealed)]
    assert len(ends) == 3  # rendered, sealed, archived
    assert page_faults(unsigned) == []
    for end in ends[:2]:
        assert page_faults(sealed[:end]) == []
    assert {f.split()[1] for f in page_faults(sealed)} <= {"PDFA3A-SIGNATURE-BYTERANGE-001"}


# ── revisions added after sealing ─────────────────────────────────────────────────────────────────────────────────────


def revised(pdf: bytes, attack: Attack) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    attack(writer)
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(pdf) and len(out.getvalue()) > len(pdf)
    return out.getvalue()


def overlay(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    stream = writer.add_object(generic.StreamObject(stream_data=b"q 1 0 0 rg 50 50 300 300 re f Q"))
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), stream])
    writer.update_container(page)


def replaced_content(writer: IncrementalPdfFileWriter) -> None:
    content = writer.root["/Pages"]["/Kids"][0]["/Contents"]
    content._data = b"q Q"
    content._encoded_data = None
    writer.update_container(content)


def annotation(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(
        {
            generic.NameObject("/Type"): generic.NameObject("/Annot"),
            generic.NameObject("/Subtype"): generic.NameObject("/FreeText"),
            generic.NameObject("/Rect"): generic.ArrayObject(map(generic.NumberObject, (100, 100, 400, 200))),
            generic.NameObject("/Contents"): generic.TextStringObject("核验不一致"),
            generic.NameObject("/DA"): generic.TextStringObject("/Helv 20 Tf"),
        }
    )
    page["/Annots"].append(writer.add_object(note))
    writer.update_container(page["/Annots"])


def open_action(writer: IncrementalPdfFileWriter) -> None:
    action = generic.DictionaryObject(
        {generic.NameObject("/S"): generic.NameObject("/JavaScript"), generic.NameObject("/JS"): generic.TextStringObject("app.alert(1)")}
    )
    writer.root["/OpenAction"] = writer.add_object(action)
    writer.update_root()


def other_attachment(writer: IncrementalPdfFileWriter) -> None:
    file = writer.root["/AF"][0]["/EF"]["/F"]
    file._data = b'{"a":2}'
    file._encoded_data = None
    writer.update_container(file)


def page_added(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    copied = generic.DictionaryObject({k: v for k, v in pages["/Kids"][0].items() if k != "/Annots"})
    pages["/Kids"].append(writer.add_object(copied))
    pages["/Count"] = generic.NumberObject(2)
    writer.update_container(pages)


def field_value(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/TU"] = generic.TextStringObject("another label")
    writer.update_container(field)


def nothing_to_see(writer: IncrementalPdfFileWriter) -> None:
    writer.add_object(generic.DictionaryObject({generic.NameObject("/Harmless"): generic.NumberObject(1)}))


ATTACKS: list[Attack] = [
    overlay, replaced_content, annotation, open_action, other_attachment, page_added, field_value, nothing_to_see,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.__name__)
def test_any_revision_after_sealing_is_refused(sealed: bytes, keys: Path, attack: Attack) -> None:
    """An update that shows nothing is refused as well: a released report ends with its archive time-stamp."""
    found = check(revised(sealed, attack), keys)
    assert any("follow the archive time-stamp" in f for f in found), found


@pytest.mark.parametrize("attack", ATTACKS[:-1], ids=lambda a: a.__name__)
def test_a_change_between_seal_and_archive_time_stamp_is_refused(
    unsigned: bytes, keys: Path, attack: Attack, sealed: bytes
) -> None:
    """Whoever could have the archive time-stamp put on a changed file would still have to answer to the seal."""
    first = sealed[: _byte_ranges(sealed)[0][2] + _byte_ranges(sealed)[0][3]]
    changed = IncrementalPdfFileWriter(io.BytesIO(revised(first, attack)))
    stamper = stamping.stamper(keys)
    out = PdfTimeStamper(stamper, field_name="DocTS1").timestamp_pdf(
        changed, "sha256", validation_context=context(keys)
    )
    found = check(out.getvalue(), keys)
    assert any("modified after signing" in f or "certification" in f for f in found), found


def title(writer: IncrementalPdfFileWriter) -> None:
    """Readers show it above the page."""
    writer.trailer["/Info"]["/Title"] = generic.TextStringObject("核验不一致")
    writer.update_container(writer.trailer["/Info"])


def title_in_another_dictionary(writer: IncrementalPdfFileWriter) -> None:
    said = generic.DictionaryObject({generic.NameObject("/Title"): generic.TextStringObject("核验不一致")})
    writer.set_info(writer.add_object(said))


def title_in_the_metadata(writer: IncrementalPdfFileWriter) -> None:
    stream = writer.root["/Metadata"]
    said = stream.data
    assert "试验".encode() in said
    stream._data, stream._encoded_data = said.replace("试验".encode(), "不符".encode()), None
    writer.update_container(stream)


def tags_declared_doubtful(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/MarkInfo"] = generic.DictionaryObject({generic.NameObject("/Suspects"): generic.BooleanObject(True)})
    writer.update_root()


def script_in_a_field_that_shows_nothing(writer: IncrementalPdfFileWriter) -> None:
    script = generic.DictionaryObject({generic.NameObject("/S"): generic.NameObject("/JavaScript"), generic.NameObject("/JS"): generic.TextStringObject("app.alert(1)")})
    fields.append_signature_field(writer, fields.SigFieldSpec("More"))
    field = next(f for f in writer.root["/AcroForm"]["/Fields"] if f.get_object()["/T"] == "More").get_object()
    field["/AA"] = generic.DictionaryObject({generic.NameObject("/PO"): script})


def archived_by_anybody(pdf: bytes, keys: Path) -> bytes:
    """An archive time-stamp of the court's own authority, by somebody who does not ask whether what is under it holds."""
    with pytest.MonkeyPatch.context() as patch:
        proofs = checking.proofs
        patch.setattr(checking, "proofs", lambda *args, **options: replace(proofs(*args, **options), faults=()))
        return signing.upgrade(pdf, keys=keys).pdf


@pytest.mark.parametrize(
    "attack", [title, title_in_another_dictionary, title_in_the_metadata, tags_declared_doubtful, script_in_a_field_that_shows_nothing], ids=lambda a: a.__name__
)
def test_what_validators_pass_over_is_refused_between_seal_and_archive_time_stamp(sealed: bytes, keys: Path, attack: Attack) -> None:
    """The archive time-stamp is taken off, something is changed, and one of the same authority is put on: many courts share theirs with everybody."""
    first = sealed[: _byte_ranges(sealed)[0][2] + _byte_ranges(sealed)[0][3]]
    assert check(archived_by_anybody(first, keys), keys) == [], "without the change nothing is wrong"
    assert check(archived_by_anybody(revised(first, attack), keys), keys) != []


def test_a_second_time_stamp_must_end_the_file_like_the_first(sealed: bytes, keys: Path) -> None:
    """As the library makes it by itself: what shows the stamp good is added behind it, where nothing covers it."""
    out = PdfTimeStamper(stamping.stamper(keys), field_name="DocTS2").timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(sealed)), "sha256", validation_context=context(keys)
    )
    assert any("DocTS2" in f for f in check(out.getvalue(), keys))


def test_a_second_signature_is_refused(sealed: bytes, keys: Path) -> None:
    signer = keyring.opened(keys, "seal", "seal")
    out = io.BytesIO()
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    fields.append_signature_field(writer, fields.SigFieldSpec("Another", box=(100, 100, 200, 200)))
    PdfSigner(PdfSignatureMetadata(field_name="Another", md_algorithm="sha256"), signer=signer).sign_pdf(writer, output=out)
    assert any("Another" in f for f in check(out.getvalue(), keys))


@pytest.mark.parametrize("tail", [b"\n", b"\x00", b"%%EOF\n", b"% a comment\n", b"PK\x03\x04 another file"])
def test_bytes_after_the_end_are_reported(sealed: bytes, keys: Path, tail: bytes) -> None:
    (said,) = check(sealed + tail, keys)
    assert f"{len(tail)} bytes follow" in said or said.startswith("cannot be read")


def test_a_report_without_its_archive_time_stamp_is_refused(sealed: bytes, keys: Path) -> None:
    start, length, after, rest = _byte_ranges(sealed)[0]
    assert check(sealed[: after + rest], keys) == ["DocTS1: not filled"]


def test_an_unsigned_report_is_refused(unsigned: bytes, keys: Path) -> None:
    assert check(unsigned, keys) == ["CourtSeal: not filled", "DocTS1: not filled"]


@pytest.mark.parametrize("junk", [b"", b"%PDF-1.7\n", b"no pdf at all", bytes(1000)])
def test_what_is_no_pdf_is_refused_without_an_exception(keys: Path, junk: bytes) -> None:
    assert check(junk, keys)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(sealed: bytes, keys: Path, cut: float) -> None:
    assert check(sealed[: int(len(sealed) * cut)], keys)


# ── single bits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_bit_outside_the_last_container_can_change(sealed: bytes, keys: Path) -> None:
    """A sample of all bits, every kind of place: header, objects, streams, both signatures, tables, trailers.

    Within the container of the archive time-stamp, which no signature covers, the hexadecimal form must be exact; what may
    still differ there are certificates that nothing rests on. The digest of the whole file, which the court keeps, differs.
    """
    chosen = random.Random(20261122)
    last = _byte_ranges(sealed)[-1]
    places = sorted(chosen.sample(range(len(sealed)), 250)) + [0, 8, len(sealed) - 1, last[1], last[2] - 1, last[2] - 2]
    unseen = [p for p in places if not check(_flipped(sealed, p, chosen.randrange(8)), keys)]
    assert [p for p in unseen if not last[1] < p < last[2] - 1] == []


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def test_the_container_of_the_last_signature_is_exact(sealed: bytes, keys: Path) -> None:
    start, length, after, rest = _byte_ranges(sealed)[-1]
    letters = [p for p in range(length + 1, after - 1) if sealed[p : p + 1].isalpha()]
    assert check(_flipped(sealed, letters[0], 5), keys)  # upper case: the same value
    assert check(sealed[: after - 3] + b"ff" + sealed[after - 1 :], keys)  # something hidden in the padding


# ── whose seal ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_certificate_under_the_same_root_is_not_the_courts_seal(unsigned: bytes, keys: Path, tmp_path: Path) -> None:
    """A commercial root stands above thousands of certificates."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        load_pem_private_key,
        pkcs12,
    )

    other = tmp_path / "keys"
    shutil.copytree(keys, other)
    root = authority.Issued(
        x509.load_pem_x509_certificate((keys / "roots" / "root.pem").read_bytes()),
        load_pem_private_key((keys / "root.key").read_bytes(), None),  # type: ignore[arg-type]
    )
    somebody = authority.issue(root, common="somebody else", at=datetime.now(UTC))
    (other / "seal.p12").write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"seal", somebody.key, somebody.certificate, [root.certificate],
            BestAvailableEncryption((other / "seal.passphrase").read_bytes()),
        )
    )  # fmt: skip
    with pytest.raises(keyring.SigningError, match="CourtSeal: not a seal of the court"):
        signing.seal(unsigned, keys=other, words=("试验法院",), fonts=FONTS)
    (other / "seals" / "somebody.pem").write_bytes(somebody.certificate.public_bytes(Encoding.PEM))
    signed = signing.seal(unsigned, keys=other, words=("试验法院",), fonts=FONTS).pdf
    assert check(signed, other) == []
    assert check(signed, keys) == ["CourtSeal: not a seal of the court"]


def test_another_authority_is_not_trusted(sealed: bytes, tmp_path: Path) -> None:
    authority.ensure(tmp_path / "other", at=datetime.now(UTC))
    found = check(sealed, tmp_path / "other")
    for field in ("CourtSeal", "DocTS1"):
        assert any(f.startswith(f"{field}: no path to the court's anchors") for f in found), found


def test_without_a_current_revocation_list_nothing_is_trusted(sealed: bytes, keys: Path, tmp_path: Path) -> None:
    anchors = tmp_path / "anchors"
    shutil.copytree(keys, anchors)
    (anchors / "crls" / "root.crl").unlink()
    assert check(sealed, anchors) == [], "the report's own list still speaks of today"
    later = datetime.now(UTC) + timedelta(days=authority.CRL_DAYS + 1)
    found = checking.check(sealed, keys=anchors, at=later)
    assert any(f.startswith("DocTS1: no path to the court's anchors (nothing shows it not revoked") for f in found), found


def test_a_revoked_seal_is_refused(sealed: bytes, keys: Path, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    anchors = tmp_path / "anchors"
    shutil.copytree(keys, anchors)
    root = x509.load_pem_x509_certificate((keys / "roots" / "root.pem").read_bytes())
    key: Any = load_pem_private_key((keys / "root.key").read_bytes(), None)
    serial = x509.load_pem_x509_certificate((keys / "seals" / "seal.pem").read_bytes()).serial_number
    now = datetime.now(UTC)
    revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(days=1)).build()
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(now - timedelta(minutes=1))
        .next_update(now + timedelta(days=30))
        .add_revoked_certificate(revoked)
        .add_extension(x509.CRLNumber(2**40), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    (anchors / "crls" / "root.crl").write_bytes(crl.public_bytes(Encoding.DER))
    assert any(f.startswith("CourtSeal: no path to the court's anchors (revoked") for f in check(sealed, anchors))


def test_a_seal_that_does_not_certify_is_refused(unsigned: bytes, keys: Path) -> None:
    import asyncio

    metadata = PdfSignatureMetadata(
        field_name="CourtSeal",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=True,
        use_pades_lta=True,
        timestamp_field_name="DocTS1",
        dss_settings=signers.pdf_signer.DSSContentSettings(include_vri=False),
        validation_context=context(keys),
    )
    out = io.BytesIO()
    asyncio.run(
        PdfSigner(
            metadata, signer=keyring.opened(keys, "seal", "seal"), timestamper=stamping.stamper(keys), stamp_style=signing._picture(keyring.Hand("CourtSeal", "", None), ("试",), FONTS)
        ).async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(unsigned)), existing_fields_only=True, output=out)
    )
    assert "CourtSeal: does not certify the document" in check(out.getvalue(), keys)


# ── will it last, and the command ─────────────────────────────────────────────────────────────────────────────────────


def test_the_seal_can_be_kept_valid_for_decades(sealed: bytes, keys: Path) -> None:
    """PAdES-B-LTA as it is meant: everything is in the file, so that renewing the time-stamp each year is enough."""
    import asyncio

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.ades.report import AdESPassed
    from pyhanko.sign.validation.ades import simulate_future_ades_lta_validation
    from pyhanko.sign.validation.policy_decl import (
        LocalKnowledge,
        PdfSignatureValidationSpec,
        RevocationInfoGatheringSpec,
        SignatureValidationSpec,
    )
    from pyhanko_certvalidator.context import CertValidationPolicySpec
    from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
    from pyhanko_certvalidator.registry import SimpleTrustManager

    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=anchors.certificates(*sorted((keys / "roots").glob("*.pem")))),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(),
        local_knowledge=LocalKnowledge(),
    )
    signature = PdfFileReader(io.BytesIO(sealed)).embedded_signatures[0]
    found = asyncio.run(
        simulate_future_ades_lta_validation(
            signature, PdfSignatureValidationSpec(spec), future_validation_time=datetime.now(UTC) + timedelta(days=365 * 5)
        )
    )
    assert found.ades_subindic == AdESPassed.OK


def test_the_command_tells_and_its_status_says_so(sealed: bytes, keys: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(sealed)
    bad.write_bytes(revised(sealed, annotation))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "evidence.reports.checking", "--anchors", str(keys), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin"}, cwd=Path(__file__).parents[3])

    accepted, refused, absent = run(str(good)), run(str(bad)), run(str(tmp_path / "absent.pdf"))
    assert (accepted.returncode, refused.returncode, absent.returncode) == (0, 1, 64)
    assert "nothing wrong" in accepted.stdout and "FAULT" not in accepted.stdout
    assert "FAULT" in refused.stdout and "nothing wrong" not in refused.stdout
