"""Signed PDF files of others: pyHanko's own test files, EU-style PAdES levels, SM2, with the verdicts of the vectors' README.

The vectors stand outside the repository: MINGJIAN_VECTORS names their folder, otherwise `../shared/vectors` beside the
checkout is looked for.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.runs.jail import Jail
from evidence.verification import Exhibit, Source, TrustStore, Verdict, verify
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from tests.anchor_packs import write_pack

VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or Path(__file__).resolve().parents[3] / "shared" / "vectors")
if not VECTORS.is_dir():
    pytest.skip(f"NOT RUN: no vectors at {VECTORS} (set MINGJIAN_VECTORS)", allow_module_level=True)

PDF = VECTORS / "pdf"
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
"""The moment of receipt in the vectors' README."""
NOW = datetime(2027, 3, 1, tzinfo=UTC)
"""After the revocation lists have ended."""
FILES = sorted(PDF.rglob("*.pdf"), key=lambda p: p.as_posix())


def pem(*names: str) -> list[bytes]:
    return [(PDF / name).read_bytes() for name in names]


def lists() -> list[bytes]:
    return [(PDF / f"{name}.crl").read_bytes() for name in ("root", "interm")]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pack") / "pack"
    roots = pem("root.pem")
    return write_pack(place, seal_roots=roots, tsa_roots=roots, revocation_lists=lists())


def store(folder: Path) -> TrustStore:
    return TrustStore.load(folder)


def ask(name: str, trust: TrustStore, at: datetime = AT) -> Verdict:
    path = PDF / name
    exhibit = Exhibit.of([Source.from_bytes(path.name, path.read_bytes())])
    try:
        return verify(exhibit, trust, at)
    finally:
        exhibit.close()


def outcomes(result: Verdict, check: str) -> list[tuple[str, str | None]]:
    return [(f.outcome.value, f.reason and f.reason.value) for f in result.findings if f.check == check]


OK = ("PASSED", None)


def test_there_are_vectors() -> None:
    assert len(FILES) == 33


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("02-pades-b-t.pdf", 1),
        ("03-pades-b-lt.pdf", 1),
        ("04-pades-b-lta.pdf", 1),
        ("05-certified-3-signers-lta.pdf", 3),
        ("17-sample-report-3-signers-lta-attachments.pdf", 3),
        ("09-trailing-bytes-after-eof.pdf", 1),
    ],
)
def test_passed_at_receipt_and_later(name: str, count: int, pack: Path) -> None:
    """Stamped while the lists were current: no later day takes that away."""
    for at in (AT, NOW):
        result = ask(name, store(pack), at)
        assert (result.overall, result.reasons) == (Overall.CONSISTENT, ())
        for check in ("SIG.INTACT", "SIG.CHAIN", "SIG.REVOCATION", "SIG.IN_VALIDITY", "TIME.TSA"):
            assert outcomes(result, check) == [OK] * count, check
        assert not [f for f in result.findings if f.outcome is Outcome.FAILED]


def test_bytes_behind_the_end_are_said(pack: Path) -> None:
    result = ask("09-trailing-bytes-after-eof.pdf", store(pack))
    assert outcomes(result, "SIG.TRAILING") == [("INDETERMINATE", "MODIFIED_AFTER_SIGNING")]


def test_basic_level_has_no_trusted_time(pack: Path) -> None:
    result = ask("01-pades-b-b.pdf", store(pack))
    assert (result.overall, result.reasons) == (Overall.INDETERMINATE, (Reason.NO_POE,))
    assert outcomes(result, "SIG.REVOCATION") == [OK]
    later = ask("01-pades-b-b.pdf", store(pack), NOW)
    assert outcomes(later, "SIG.REVOCATION") == [("INDETERMINATE", "TRY_LATER")]


@pytest.mark.parametrize(
    ("name", "check", "reason"),
    [
        ("06-byte-flip.pdf", "SIG.INTACT", "HASH_FAILURE"),
        ("07-content-overlay-after-sign.pdf", "SIG.MODIFIED", "MODIFIED_AFTER_SIGNING"),
        ("07-content-overlay-after-sign.pdf", "SIG.VISUAL", "MODIFIED_AFTER_SIGNING"),
        ("10-usf-empty-contents.pdf", "SIG.ENUMERATED", "FORMAT_FAILURE"),
        ("11-byterange-shortened.pdf", "SIG.INTACT", "HASH_FAILURE"),
        ("11-byterange-shortened.pdf", "SIG.BYTERANGE", "FORMAT_FAILURE"),
        ("pyhanko/base.pdf", "SIG.ENUMERATED", "FORMAT_FAILURE"),
        ("pyhanko/one-byterange.pdf", "SIG.BYTERANGE", "FORMAT_FAILURE"),
        ("pyhanko/signature-gap-too-big.pdf", "SIG.BYTERANGE", "FORMAT_FAILURE"),
        ("pyhanko/weird-byterange.pdf", "SIG.BYTERANGE", "FORMAT_FAILURE"),
        ("pyhanko/tail-uncovered.pdf", "SIG.BYTERANGE", "FORMAT_FAILURE"),
        ("pyhanko/form-update-ap-indirect-sneaky-trailer.pdf", "SIG.MODIFIED", "MODIFIED_AFTER_SIGNING"),
        ("pyhanko/form-update-override-appearance-stream-sneaky.pdf", "SIG.MODIFIED", "MODIFIED_AFTER_SIGNING"),
    ],
)
def test_refuted(name: str, check: str, reason: str, pack: Path) -> None:
    for trust in (store(pack), TrustStore.empty()):
        result = ask(name, trust)
        assert result.overall is Overall.INCONSISTENT
        assert ("FAILED", reason) in outcomes(result, check)


@pytest.mark.parametrize(
    ("name", "check", "reason"),
    [
        ("12-revoked-signer-t.pdf", "SIG.REVOCATION", "REVOKED_NO_POE"),
        ("13-expired-signer-t.pdf", "SIG.IN_VALIDITY", "OUT_OF_BOUNDS_NO_POE"),
        ("15-unknown-subfilter.pdf", "SIG.ENUMERATED", "UNSUPPORTED_FORMAT"),
        ("pyhanko/pdf-sig-with-econtent.pdf", "SIG.CONSTRAINTS", "SIG_CONSTRAINTS_FAILURE"),
        ("pyhanko/sig-no-signed-attrs.pdf", "SIG.CONSTRAINTS", "SIG_CONSTRAINTS_FAILURE"),
        ("pyhanko/ed448-disallowed-hash.pdf", "SIG.INTACT", "CRYPTO_CONSTRAINTS_FAILURE"),
    ],
)
def test_open(name: str, check: str, reason: str, pack: Path) -> None:
    result = ask(name, store(pack))
    assert result.overall is Overall.INDETERMINATE
    assert ("INDETERMINATE", reason) in outcomes(result, check)
    assert not [f for f in result.findings if f.outcome is Outcome.FAILED]


@pytest.mark.parametrize(
    "name",
    ["pyhanko/form-update-override-appearance-stream.pdf", "pyhanko/minimal-two-fields-signed-twice.pdf",
     "pyhanko/pades-lta-dss-indirect-arrs-test.pdf"],
)  # fmt: skip
def test_permitted_updates(name: str, pack: Path) -> None:
    result = ask(name, store(pack))
    for check in ("SIG.BYTERANGE", "SIG.MODIFIED", "SIG.DOCMDP"):
        assert outcomes(result, check) == [OK, OK], check
    assert result.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("name", ["01-pades-b-b.pdf", "02-pades-b-t.pdf", "12-revoked-signer-t.pdf", "05-certified-3-signers-lta.pdf"])
def test_without_the_lists(name: str, tmp_path: Path) -> None:
    """A court that pins the roots alone: lists and answers that a file brings serve when their authority signed them."""
    roots = pem("root.pem")
    trust = store(write_pack(tmp_path / "pack", seal_roots=roots, tsa_roots=roots))
    found = outcomes(ask(name, trust), "SIG.REVOCATION")
    if name.startswith("05"):  # its security store holds a list and three OCSP answers
        assert found == [OK, OK, OK]
    else:
        assert found == [("INDETERMINATE", "TRY_LATER")]


@pytest.mark.parametrize("name", ["sm2/sm2-pades.pdf", "sm2/sm2-adobe_pkcs7_detached.pdf"])
def test_sm2(name: str, tmp_path: Path) -> None:
    trust = store(write_pack(tmp_path / "pack", seal_roots=pem("sm2/root.pem")))
    result = ask(name, trust)
    for check in ("SIG.INTACT", "SIG.CHAIN", "SIG.IN_VALIDITY", "SIG.CONSTRAINTS", "SIG.MODIFIED", "SIG.VISUAL"):
        assert outcomes(result, check) == [OK], check
    assert outcomes(result, "SIG.REVOCATION") == [("INDETERMINATE", "TRY_LATER")]
    assert result.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("name", ["00-unsigned-a3a-ua1.pdf", "pyhanko/circular-page-tree.pdf", "pyhanko/struct-tree-circular-ref.pdf"])
def test_unsigned(name: str, pack: Path) -> None:
    result = ask(name, store(pack))
    assert result.overall is Overall.INDETERMINATE
    assert not [f for f in result.findings if f.check == "SIG.INTACT"]


def test_every_vector_in_the_jail_as_outside(pack: Path) -> None:
    """The same bytes from the confined child and from here: nothing the filter forbids is needed, no library of the machine shows."""
    ran = 0
    with Jail() as jail:
        for path in FILES:
            result = jail.run([(path.name, path)], trust_dir=pack, at=AT)
            assert result.killed is None, (path.name, result.detail)
            assert result.verdict_json == ask(path.relative_to(PDF).as_posix(), store(pack)).to_json(), path.name
            ran += 1
    print(f"{ran} files in the jail")


def test_no_changed_byte_of_a_signed_file_passes(pack: Path) -> None:
    """One bit in each of some hundred places, spread over the whole file. The copy of the pinned root in the container is read by
    nobody: the court has its own."""
    data = (PDF / "02-pades-b-t.pdf").read_bytes()
    (root,) = x509.load_pem_x509_certificates(pem("root.pem")[0])
    copy = root.public_bytes(Encoding.DER).hex().encode()
    unread = range(data.lower().index(copy), data.lower().index(copy) + len(copy))
    trust = store(pack)
    survived = []
    for place in range(100, len(data), len(data) // 120):
        changed = bytearray(data)
        changed[place] ^= 1
        exhibit = Exhibit.of([Source.from_bytes("x.pdf", bytes(changed))])
        result = verify(exhibit, trust, AT)
        exhibit.close()
        if result.overall is Overall.CONSISTENT and place not in unread:
            survived.append(place)
    assert not survived
