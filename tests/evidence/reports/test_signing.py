"""Three signatures in one report: who signs, in what order, with whose key; other programs and our own engine on the result.

The attacks play a court whose time-stamps can be had by anybody: only signatures stand between a change and the record.
"""

import asyncio
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from evidence.reports import anchors, checking, dropped, edition, keyring, signatories, signing, stamping
from evidence.reports.keyring import SigningError
from portal.demonstration import authority

from .conftest import FONTS, context
from .test_checking import ATTACKS, Attack, revised
from .test_rendering import faults as page_faults


def sign(pdf: bytes, keys: Path, **people: str | None) -> signing.Signed:
    return signing.seal(pdf, keys=keys, words=("试验法院", "演示用章"), fonts=FONTS, **people)


def pieces(pdf: bytes) -> list[tuple[bytes, bytes]]:
    """(CMS, signed bytes) of each signature, in order, cut by hand."""
    found = []
    for numbers in re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", pdf):
        _, length, after, rest = map(int, numbers)
        cms = bytes.fromhex(pdf[length + 1 : after - 1].decode())
        found.append((cms[: 4 + int.from_bytes(cms[2:4])], pdf[:length] + pdf[after : after + rest]))
    return found


# ── what is made ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_three_signatures_and_an_archive_time_stamp(three: bytes, keys: Path) -> None:
    found = checking.examine(three, anchors=keys)
    assert found.faults == ()
    assert [field for field, _ in found.signed_by] == ["Clerk", "Judge"]
    assert "书记员王芳" in found.signed_by[0][1] and "法官李敏" in found.signed_by[1][1]
    assert [s.field for s in signatories.signatories(three)] == ["CourtSeal", "Clerk", "Judge", "DocTS1"]


@pytest.mark.parametrize(
    ("people", "fields"),
    [
        ({"clerk": "clerk-r"}, ["CourtSeal", "Clerk", "DocTS1"]),
        ({"judge": "judge-r"}, ["CourtSeal", "Judge", "DocTS1"]),
        ({"clerk": "no-key", "judge": "judge-r"}, ["CourtSeal", "Judge", "DocTS1"]),
        ({"clerk": "../seal", "judge": "..", }, ["CourtSeal", "DocTS1"]),
    ],
)  # fmt: skip
def test_who_has_no_key_on_file_does_not_sign(unsigned: bytes, keys: Path, people: dict[str, str], fields: list[str]) -> None:
    made = sign(unsigned, keys, **people)
    assert [s.field for s in signatories.signatories(made.pdf)] == fields
    assert checking.check(made.pdf, keys=keys) == []


def test_each_revision_extends_the_one_before_and_stays_pdfa_and_pdfua(unsigned: bytes, three: bytes) -> None:
    assert three.startswith(unsigned)
    edition.conform(three)
    assert {f.split()[1] for f in page_faults(three)} <= {"PDFA3A-SIGNATURE-BYTERANGE-001"}


@pytest.mark.needs("pdfsig", "qpdf")
def test_other_programs_accept_three_signatures(three: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(three)
    said = subprocess.run(["pdfsig", str(file)], capture_output=True, text=True).stdout
    assert said.count("Signature is Valid") >= 3, said
    assert subprocess.run(["qpdf", "--check", str(file)], capture_output=True).returncode == 0


@pytest.mark.needs("openssl")
def test_openssl_verifies_all_four(three: bytes, keys: Path, tmp_path: Path) -> None:
    found = pieces(three)
    assert len(found) == 4
    root = str(keys / "roots" / "root.pem")
    for number, (cms, content) in enumerate(found):
        (tmp_path / "cms").write_bytes(cms)
        (tmp_path / "content").write_bytes(content)
        if number < 3:
            command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "cms", "-content", "content"]
            command += ["-CAfile", root, "-purpose", "any", "-out", "/dev/null"]
        else:
            command = ["openssl", "ts", "-verify", "-token_in", "-in", "cms", "-data", "content", "-CAfile", root]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_signature_lasts(three: bytes, keys: Path, number: int) -> None:
    assert lasts(three, keys, number)


def lasts(pdf: bytes, keys: Path, number: int) -> bool:
    """pyHanko's own simulation: is everything in the file, so that renewing the time-stamps is enough?"""
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
            trust_manager=SimpleTrustManager.build(trust_roots=anchors.certificates(keys / "roots" / "root.pem")),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(),
        local_knowledge=LocalKnowledge(),
    )
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[number]
    later = datetime.now(UTC) + timedelta(days=365 * 5)
    found = asyncio.run(simulate_future_ades_lta_validation(signature, PdfSignatureValidationSpec(spec), future_validation_time=later))
    return bool(found.ades_subindic == AdESPassed.OK)


def test_our_own_engine_passes_all_three(three: bytes, keys: Path, tmp_path: Path, settings: Any) -> None:
    """Part B, as it judges a party's file, with a store that trusts the court's seal and its people and nothing else."""
    settings.PORTAL_SIGNING_DIR = keys
    pack = dropped.seals(tmp_path / "pack", people=True)
    file = tmp_path / "report.pdf"
    file.write_bytes(three)
    at = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    command = ["python", "-m", "evidence.verification", "--json", "--trust", str(pack), "--at", at, str(file)]

    done = subprocess.run([sys.executable, *command[1:]], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    verdict = json.loads(done.stdout)
    outcomes: dict[str, dict[str, str]] = {}
    for finding in verdict["findings"]:
        if finding["check"].startswith("SIG."):
            outcomes.setdefault(finding["check"], {})[finding["subject"].rpartition(" · ")[2]] = finding["outcome"]
    for check in ("SIG.INTACT", "SIG.MODIFIED", "SIG.DOCMDP", "SIG.CHAIN", "SIG.REVOCATION"):
        for field in ("CourtSeal", "Clerk", "Judge"):
            assert outcomes[check][field] == "PASSED", (check, field, outcomes[check])


# ── attacks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.__name__)
def test_any_revision_after_three_signatures_is_refused(three: bytes, keys: Path, attack: Attack) -> None:
    assert checking.check(revised(three, attack), keys=keys)


@pytest.mark.parametrize("attack", ATTACKS[:-1], ids=lambda a: a.__name__)
def test_a_change_between_two_signatures_is_refused(unsigned: bytes, keys: Path, attack: Attack) -> None:
    """Slipped in after the seal, then signed over by an honest judge."""
    hands = {h.field: h for h in keyring.hands(keys, clerk=None, judge="judge-r")}
    sealed = one_more(unsigned, hands["CourtSeal"], keys)
    found = checking.check(one_more(revised(sealed, attack), hands["Judge"], keys, last=True), keys=keys)
    assert any(f.startswith("CourtSeal") and ("modified" in f or "certification" in f) for f in found), found


def one_more(pdf: bytes, hand: keyring.Hand, keys: Path, *, last: bool = False, field: str = "") -> bytes:
    from evidence.reports import pyhanko_patches

    pyhanko_patches.apply()
    if field:
        hand = keyring.Hand(field, hand.name, hand.signer)
    stamp = signing._picture(hand, ("试",), FONTS)
    made = asyncio.run(signing._signature(pdf, hand, stamp, stamping.stamper(keys)))
    return archived(made, keys) if last else made


def archived(pdf: bytes, keys: Path) -> bytes:
    """An archive time-stamp by the court's own authority, whatever the bytes."""
    from pyhanko.sign.signers import PdfTimeStamper
    from pyhanko.sign.signers.pdf_signer import TimestampDSSContentSettings

    out = PdfTimeStamper(stamping.stamper(keys), field_name="DocTS1").timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), "sha256", validation_context=context(keys),
        dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
    )  # fmt: skip
    return bytes(out.getvalue())


def test_the_order_is_seal_clerk_judge(unsigned: bytes, keys: Path) -> None:
    seal_, clerk, judge = keyring.hands(keys, clerk="clerk-r", judge="judge-r")
    swapped = one_more(one_more(one_more(unsigned, seal_, keys), judge, keys), clerk, keys, last=True)
    assert any("out of order" in f for f in checking.check(swapped, keys=keys))


def test_a_person_who_signs_before_the_seal_is_refused(unsigned: bytes, keys: Path) -> None:
    seal_, clerk = keyring.hands(keys, clerk="clerk-r", judge=None)
    with pytest.raises(Exception, match="[Cc]ertif"):  # the library itself: only the first may certify
        one_more(one_more(unsigned, clerk, keys), seal_, keys, last=True)


def test_a_stranger_in_the_judges_field_is_refused(unsigned: bytes, court_keys: Path, keys: Path) -> None:
    """A good certificate under the court's own root, that is nobody's of the court."""
    authority.ensure(court_keys, at=datetime.now(UTC), people={"stranger": "somebody"})
    made = sign(unsigned, court_keys, judge="stranger")
    assert checking.check(made.pdf, keys=court_keys) == []
    assert checking.check(made.pdf, keys=keys) == ["Judge: not a person of the court"]


def test_a_persons_key_in_the_field_of_the_seal_is_refused(unsigned: bytes, keys: Path) -> None:
    _, clerk = keyring.hands(keys, clerk="clerk-r", judge=None)
    assert "CourtSeal: not a seal of the court" in checking.check(one_more(unsigned, clerk, keys, last=True, field="CourtSeal"), keys=keys)


def test_the_seal_in_a_persons_field_is_refused(unsigned: bytes, keys: Path) -> None:
    [seal_] = keyring.hands(keys, clerk=None, judge=None)
    twice = one_more(one_more(unsigned, seal_, keys), seal_, keys, last=True, field="Judge")
    assert "Judge: not a person of the court" in checking.check(twice, keys=keys)


def test_an_archive_time_stamp_may_not_be_left_out(three: bytes, keys: Path) -> None:
    from pyhanko.sign.signers import PdfTimeStamper
    from pyhanko.sign.signers.pdf_signer import TimestampDSSContentSettings

    out = PdfTimeStamper(stamping.stamper(keys), field_name="DocTS3").timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(three)), "sha256", validation_context=context(keys),
        dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
    )  # fmt: skip
    assert "DocTS2: left out" in checking.check(out.getvalue(), keys=keys)


def test_a_time_stamp_in_a_persons_field_is_refused(sealed: bytes, keys: Path) -> None:
    from pyhanko.sign.signers import PdfTimeStamper

    out = PdfTimeStamper(stamping.stamper(keys), field_name="Judge").timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(sealed)), "sha256")
    assert "Judge: holds /DocTimeStamp" in checking.check(out.getvalue(), keys=keys)


# ── renewal ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_renewal_extends_and_passes_the_same_check(three: bytes, keys: Path) -> None:
    again = signing.renew(three, keys=keys)
    assert again.pdf.startswith(three) and again.level == "PAdES-B-LTA"
    assert checking.check(again.pdf, keys=keys) == []
    assert [s.field for s in signatories.signatories(again.pdf)][-2:] == ["DocTS1", "DocTS2"]
    edition.conform(again.pdf)
    assert all(lasts(again.pdf, keys, n) for n in range(3))
    for attack in ATTACKS:
        assert checking.check(revised(again.pdf, attack), keys=keys)


def test_there_are_ten_fields_and_then_it_says_what_to_do(sealed: bytes, keys: Path) -> None:
    for _ in range(9):
        sealed = signing.renew(sealed, keys=keys).pdf
    assert checking.check(sealed, keys=keys) == []
    with pytest.raises(SigningError, match="issue the report anew"):
        signing.renew(sealed, keys=keys)
