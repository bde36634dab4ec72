"""The court's second e-seal, on SM2: made beside the first, judged by our own check and by OpenSSL, refused when it is not whole."""

import asyncio
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import cms

from evidence.reports import checking, edition, keyring, rendering, signatories, signing, stamping
from evidence.reports.keyring import SigningError

from . import conftest
from .conftest import FONTS
from .test_checking import ATTACKS, Attack, archived_by_anybody, revised
from .test_signing import pieces, sign

pytestmark = pytest.mark.needs("openssl")
DISTID = ["-pkeyopt", "distid:1234567812345678"]
SEALABLE = conftest.SEALABLE + '#field("CourtSealSM2", 48mm, 12.8mm)'


def run(*command: str, at: Path) -> str:
    done = subprocess.run(["openssl", *command], cwd=at, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout + done.stderr


def make(keys: Path, *, name: str = "seal-sm2", days: str = "3650") -> None:
    """An SM2 root, a seal under it and an empty revocation list, all by OpenSSL."""
    place = keys / f"openssl-{name}"
    place.mkdir()
    (place / "index.txt").touch()
    (place / "ca.cnf").write_text(
        "[ca]\ndefault_ca=here\n[here]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sm3\ndefault_crl_days=300\n"
        "[leaf]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        "[root]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
        "[req]\ndistinguished_name=dn\n[dn]\n"
    )
    (place / "crlnumber").write_text("01")
    for who in ("root", "leaf"):
        run("genpkey", "-algorithm", "SM2", "-out", f"{who}.key", at=place)
    signing_ = ["-sm3", "-sigopt", "distid:1234567812345678", "-config", "ca.cnf"]
    run("req", "-new", "-x509", "-key", "root.key", "-subj", f"/CN={name} SM2 ROOT", "-days", "9000", "-extensions", "root", *signing_, "-out", "root.pem", at=place)
    run("req", "-new", "-key", "leaf.key", "-subj", f"/CN={name} SM2 E-SEAL", *signing_, "-out", "leaf.csr", at=place)
    run(
        "x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", days, "-extfile", "ca.cnf", "-extensions", "leaf",
        "-sm3", "-vfyopt", "distid:1234567812345678", "-sigopt", "distid:1234567812345678", "-out", "leaf.pem", at=place,
    )  # fmt: skip
    run("ca", "-gencrl", "-config", "ca.cnf", "-keyfile", "root.key", "-cert", "root.pem", "-sigopt", "distid:1234567812345678", "-out", "crl.pem", at=place)
    run("crl", "-in", "crl.pem", "-outform", "DER", "-out", str(keys / "crls" / f"{name}.crl"), at=place)
    shutil.copy(place / "leaf.key", keys / f"{name}.key")
    (keys / f"{name}.pem").write_text((place / "leaf.pem").read_text() + (place / "root.pem").read_text())
    shutil.copy(place / "root.pem", keys / "roots" / f"{name}.pem")
    shutil.copy(place / "leaf.pem", keys / "seals" / f"{name}.pem")


@pytest.fixture(scope="module")
def twin(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's signing directory with an SM2 seal in it."""
    directory = tmp_path_factory.mktemp("sm2") / "keys"
    shutil.copytree(keys, directory)
    assert not keyring.has_sm2_seal(directory)
    make(directory)
    assert keyring.has_sm2_seal(directory)
    return directory


@pytest.fixture
def spoilt(twin: Path, tmp_path: Path) -> Path:
    shutil.copytree(twin, tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture(scope="module")
def blank(render: object) -> bytes:
    attached = rendering.Attached("result.json", b'{"a":1}', "结论", "data")
    return render(SEALABLE, attachments=[attached])  # type: ignore[operator]


@pytest.fixture(scope="module")
def sealed(blank: bytes, twin: Path) -> bytes:
    made = sign(blank, twin, clerk="clerk-r", judge="judge-r")
    assert (made.level, made.pending) == ("PAdES-B-LTA", "")
    return made.pdf


def test_it_stands_between_the_seal_and_the_persons(sealed: bytes, twin: Path) -> None:
    found = checking.examine(sealed, anchors=twin)
    assert found.faults == ()
    assert [field for field, _ in found.signed_by] == ["CourtSealSM2", "Clerk", "Judge"]
    assert "SM2 E-SEAL" in found.signed_by[0][1]
    assert [s.field for s in signatories.signatories(sealed)] == ["CourtSeal", "CourtSealSM2", "Clerk", "Judge", "DocTS1"]
    edition.conform(sealed)


def test_it_is_sm2_with_sm3_and_bears_a_time_stamp(sealed: bytes) -> None:
    signer = cms.ContentInfo.load(pieces(sealed)[1][0])["content"]["signer_infos"][0]
    assert signer["digest_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.401"
    assert signer["signature_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.501"
    assert [a["type"].native for a in signer["unsigned_attrs"]] == ["signature_time_stamp_token"]


def test_openssl_verifies_it(sealed: bytes, twin: Path, tmp_path: Path) -> None:
    """The signature over the signed attributes with the key out of the certificate, and the digest over the bytes of the file."""
    message, content = pieces(sealed)[1]
    signer = cms.ContentInfo.load(message)["content"]["signer_infos"][0]
    attributes = {a["type"].native: a["values"][0] for a in signer["signed_attrs"]}
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "attributes").write_bytes(b"\x31" + signer["signed_attrs"].dump()[1:])
    (tmp_path / "signature").write_bytes(signer["signature"].native)
    assert attributes["message_digest"].native.hex() in run("dgst", "-sm3", "-r", "content", at=tmp_path)
    run("x509", "-in", str(twin / "seal-sm2.pem"), "-pubkey", "-noout", "-out", "public.pem", at=tmp_path)
    command = ["pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-in", "attributes", "-rawin", "-digest", "sm3", "-sigfile", "signature", *DISTID]
    assert "Signature Verified Successfully" in run(*command, at=tmp_path)
    (tmp_path / "attributes").write_bytes(b"\x31" + signer["signed_attrs"].dump()[1:-1] + b"\0")
    assert subprocess.run(["openssl", *command], cwd=tmp_path, capture_output=True).returncode != 0
    run("verify", "-CAfile", str(twin / "roots" / "seal-sm2.pem"), "-vfyopt", "distid:1234567812345678", str(twin / "seal-sm2.pem"), at=tmp_path)


def test_the_certificate_is_bound_by_its_digest(sealed: bytes, twin: Path) -> None:
    signer = cms.ContentInfo.load(pieces(sealed)[1][0])["content"]["signer_infos"][0]
    (bound,) = [a["values"][0] for a in signer["signed_attrs"] if a["type"].native == "signing_certificate_v2"]
    certificate = cms.ContentInfo.load(pieces(sealed)[1][0])["content"]["certificates"]
    named, algorithm = bytes(bound["certs"][0]["cert_hash"].native), bound["certs"][0]["hash_algorithm"]["algorithm"].native
    assert algorithm in ("sha256", "sm3")
    assert named in {hashlib.new(algorithm, c.chosen.dump()).digest() for c in certificate}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.__name__)
def test_any_revision_after_it_is_refused(sealed: bytes, twin: Path, attack: Attack) -> None:
    assert checking.check(revised(sealed, attack), keys=twin)


def test_a_report_that_it_was_cut_off_from_is_refused(sealed: bytes, twin: Path) -> None:
    """Everything behind the first seal is taken away, and an archive time-stamp of the same authority put on what is left."""
    numbers = re.search(rb"/ByteRange\s*\[\s*0\s+\d+\s+(\d+)\s+(\d+)", sealed)
    assert numbers is not None
    cut = archived_by_anybody(sealed[: int(numbers[1]) + int(numbers[2])], twin)
    assert checking.check(cut, keys=twin) == ["CourtSealSM2: not filled"]


def test_a_flipped_bit_in_it_is_refused(sealed: bytes, twin: Path) -> None:
    signature = cms.ContentInfo.load(pieces(sealed)[1][0])["content"]["signer_infos"][0]["signature"].native.hex().encode()
    signature = signature if signature in sealed else signature.upper()
    place = sealed.index(signature) + len(signature) // 2
    flipped = sealed[:place] + (b"0" if sealed[place : place + 1] != b"0" else b"1") + sealed[place + 1 :]
    assert any(f.startswith("CourtSealSM2: broken") for f in checking.check(flipped, keys=twin))


def test_another_sm2_key_is_not_the_courts(blank: bytes, keys: Path, twin: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(keys, other)
    make(other)
    made = sign(blank, other)
    assert checking.check(made.pdf, keys=other) == []
    found = checking.check(made.pdf, keys=twin)
    assert "CourtSealSM2: not a seal of the court" in found and any(f.startswith("CourtSealSM2: no path") for f in found)


def test_it_cannot_come_first(blank: bytes, twin: Path) -> None:
    """Only the first signature may certify, and that is the international seal's."""
    seal_, second = keyring.hands(twin, clerk=None, judge=None)
    authority = stamping.stamper(twin)
    pdf = asyncio.run(signing._signature(blank, second, signing._picture(second, ("试",), FONTS), authority))
    with pytest.raises(Exception, match="[Cc]ertif"):
        asyncio.run(signing._signature(pdf, seal_, signing._picture(seal_, ("试",), FONTS), authority))


def test_a_key_without_its_field_signs_nothing(unsigned: bytes, twin: Path) -> None:
    with pytest.raises(SigningError, match="without the field CourtSealSM2"):
        sign(unsigned, twin)


def test_a_field_without_its_key_signs_nothing(blank: bytes, keys: Path) -> None:
    with pytest.raises(SigningError, match="no SM2 seal on file"):
        sign(blank, keys)


def test_a_key_that_belongs_to_another_certificate(blank: bytes, spoilt: Path) -> None:
    run("genpkey", "-algorithm", "SM2", "-out", "seal-sm2.key", at=spoilt)
    with pytest.raises(SigningError, match="does not belong"):
        sign(blank, spoilt)


def test_a_key_of_another_kind(blank: bytes, spoilt: Path) -> None:
    run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "seal-sm2.key", at=spoilt)
    with pytest.raises(SigningError, match="sm2p256v1"):
        sign(blank, spoilt)


def test_a_compressed_point_is_refused(blank: bytes, spoilt: Path) -> None:
    """GB/T 35276 writes points uncompressed; a second spelling of one key would be a second certificate of it."""
    run("ec", "-in", "seal-sm2.key", "-conv_form", "compressed", "-out", "c.key", at=spoilt)
    run("req", "-new", "-x509", "-key", "c.key", "-subj", "/CN=compressed", "-sm3", "-sigopt", "distid:1234567812345678", "-out", "seal-sm2.pem", at=spoilt)
    with pytest.raises(SigningError):
        sign(blank, spoilt)


def test_it_lasts_like_the_others(sealed: bytes, twin: Path) -> None:
    again = signing.renew(sealed, keys=twin)
    assert again.pdf.startswith(sealed) and checking.check(again.pdf, keys=twin) == []


def test_without_a_list_of_its_authority_it_waits(blank: bytes, spoilt: Path) -> None:
    kept = (spoilt / "crls" / "seal-sm2.crl").read_bytes()
    (spoilt / "crls" / "seal-sm2.crl").unlink()
    made = sign(blank, spoilt)
    assert made.level == "PAdES-B-T" and "SM2 e-seal" in made.pending
    (spoilt / "crls" / "seal-sm2.crl").write_bytes(kept)
    later = signing.upgrade(made.pdf, keys=spoilt)
    assert checking.check(later.pdf, keys=spoilt) == []


def test_signatures_differ_each_time(twin: Path) -> None:
    """The secret of one signature is never used for another: two with the same first number would give the key away."""
    from evidence.reports import sm2_seal

    signer = sm2_seal.opened(twin / "seal-sm2.key", twin / "seal-sm2.pem")
    made = {asyncio.run(signer.async_sign_raw(b"the same", "sm3")) for _ in range(8)}
    assert len({m[4:36] for m in made}) == 8
    with pytest.raises(ValueError, match="SM3"):
        asyncio.run(signer.async_sign_raw(b"x", "sha256"))
