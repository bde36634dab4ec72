"""Proof packages as archives (`*.mjproof.zip`), and the platform's seal on them."""

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from evidence.verification import Source, TrustStore, Verdict
from evidence.verification.chains import proof_package
from evidence.verification.reasons import Reason
from evidence.verification.trust import Platform
from evidence.verification.verdict import Grade, Overall
from portal.demonstration import fisco3
from tests.evidence.verification import fisco3_exhibits
from tests.evidence.verification.authority import Holder, issue
from tests.evidence.verification.chainmaker_exhibits import (
    AT,
    FAILED,
    OPEN,
    PAGE,
    PASSED,
    built,
    examine,
    finding,
    trust,
)
from tests.evidence.verification.test_proof_package import chainmaker_package

Json = dict[str, Any]
OK = (PASSED, None)


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


def reference(name: str, content: bytes, **more: Any) -> Json:
    return {"file": name, "sha256": hashlib.sha256(content).hexdigest(), **more}


def split(value: Json) -> tuple[Json, dict[str, bytes]]:
    """The same ChainMaker package with every octet and answer in a file of its own."""
    import base64

    members: dict[str, bytes] = {}

    def out(name: str, text: str) -> Json:
        members[name] = base64.b64decode(text)
        return reference(name, members[name])

    value["transaction"]["pb"] = out("raw/tx.pb", value["transaction"]["pb"])
    members["raw/header.json"] = json.dumps(value["header"].pop("json")).encode()
    value["header"] = {"json": reference("raw/header.json", members["raw/header.json"])}
    value["finality"]["voteset"] = out("raw/votes", value["finality"]["voteset"])
    value["rwset"] = out("raw/rw.pb", value["rwset"])
    path = value["inclusion"]["merkle_path"]
    value["inclusion"]["merkle_path"] = [out(f"raw/path/{i}", s) for i, s in enumerate(path)]
    return value, members


def zipped(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return held.getvalue()


def archive(change: Any = None, **extra: bytes) -> bytes:
    value, members = split(_parts())
    if change is not None:
        change(value, members)
    return zipped({"package.json": json.dumps(value).encode(), **members, **extra})


def _parts() -> Json:
    value = chainmaker_package(built(), form="both")
    del value["transaction"]["json"], value["header"]["pb"]
    return value


def given(data: bytes) -> dict[str, bytes]:
    return {"page.html": PAGE, "page.mjproof.zip": data}


def kind(verdict: Verdict) -> tuple[str, Reason | None, str]:
    found = [f for f in verdict.findings if f.check == "INCL.LEDGER_KIND"]
    assert len(found) == 1
    return found[0].outcome.value, found[0].reason, found[0].actual or ""


# ── the archive ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_says_what_the_json_says(method: int, store: TrustStore) -> None:
    value, members = split(_parts())
    packed = examine(given(zipped({"package.json": json.dumps(value).encode(), **members}, method=method)), store)
    plain = examine({"page.html": PAGE, "page.mjproof.zip": json.dumps(_parts()).encode()}, store)
    assert packed.overall is plain.overall is Overall.CONSISTENT
    assert packed.findings == plain.findings
    assert {s.name: s.format for s in packed.sources}["page.mjproof.zip"] == "proof-package"


def test_answers_of_a_node_as_files() -> None:
    chain = fisco3_exhibits.built()
    value = fisco3.package(chain, [("page.html", "SHA-256", hashlib.sha256(PAGE).digest())])
    members: dict[str, bytes] = {}
    for name in ("transaction", "receipt", "header"):
        members[f"raw/{name}.json"] = json.dumps(value[name]).encode()
        value[name] = reference(f"raw/{name}.json", members[f"raw/{name}.json"])
    data = zipped({"package.json": json.dumps(value).encode(), **members})
    assert examine(given(data), fisco3_exhibits.trust(chain)).overall is Overall.CONSISTENT


def test_recognition() -> None:
    assert proof_package.sniff(Source.from_bytes("a", archive())) == 95
    other = zipped({"package.json": b'{"name":"left-pad","version":"1.0.0"}', "raw/a": b""})
    assert proof_package.sniff(Source.from_bytes("a", other)) == 0
    assert proof_package.sniff(Source.from_bytes("a", zipped({"a/package.json": b'"mingjian.chain-proof"'}))) == 0
    assert proof_package.sniff(Source.from_bytes("a", b"PK\x03\x04")) == 0


def _remove(value: Json, members: dict[str, bytes]) -> None:
    del members["raw/tx.pb"]


def _other_bytes(value: Json, members: dict[str, bytes]) -> None:
    members["raw/tx.pb"] = members["raw/tx.pb"][:-1] + b"\x00"


def _outside(value: Json, members: dict[str, bytes]) -> None:
    members["elsewhere/tx.pb"] = members.pop("raw/tx.pb")
    value["transaction"]["pb"]["file"] = "elsewhere/tx.pb"


def _itself(value: Json, members: dict[str, bytes]) -> None:
    value["rwset"] = reference("package.json", b"")


def _no_digest(value: Json, members: dict[str, bytes]) -> None:
    del value["rwset"]["sha256"]


def _more(value: Json, members: dict[str, bytes]) -> None:
    value["rwset"]["size"] = 7


def _upper(value: Json, members: dict[str, bytes]) -> None:
    value["rwset"]["sha256"] = value["rwset"]["sha256"].upper()


def _not_json(value: Json, members: dict[str, bytes]) -> None:
    members["raw/header.json"] = b"{]"
    value["header"]["json"] = reference("raw/header.json", b"{]")


def _json_for_octets(value: Json, members: dict[str, bytes]) -> None:
    members["raw/rw.json"] = b"{}"
    del members["raw/rw.pb"]
    value["rwset"] = reference("raw/rw.json", b"{}")


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        (_remove, Reason.FORMAT_FAILURE, "transaction.pb.file"),
        (_other_bytes, Reason.HASH_FAILURE, "transaction.pb"),
        (_outside, Reason.FORMAT_FAILURE, "transaction.pb.file"),
        (_itself, Reason.FORMAT_FAILURE, "rwset.file"),
        (_no_digest, Reason.FORMAT_FAILURE, "rwset"),
        (_more, Reason.FORMAT_FAILURE, "raw/rw.pb"),
        (_upper, Reason.FORMAT_FAILURE, "rwset.sha256"),
        (_not_json, Reason.FORMAT_FAILURE, "header.json"),
        (_json_for_octets, Reason.FORMAT_FAILURE, "rwset"),
    ],
)
def test_references_that_do_not_hold(change: Any, reason: Reason, said: str, store: TrustStore) -> None:
    verdict = examine(given(archive(change)), store)
    assert verdict.overall is Overall.INCONSISTENT
    outcome, found, actual = kind(verdict)
    assert (outcome, found) == (FAILED, reason)
    assert actual.startswith(said)


def test_nothing_lies_beside_the_proof(store: TrustStore) -> None:
    for name in ("raw/unused", "readme.txt", "package.json.bak"):
        outcome, reason, actual = kind(examine(given(archive(**{name: b"x"})), store))
        assert (outcome, reason) == (FAILED, Reason.FORMAT_FAILURE)
        assert name in actual


def test_a_reference_below_a_nodes_answer_is_the_nodes_own(store: TrustStore) -> None:
    """Only the documented places are searched; within a node's answer the same words mean whatever the node means."""
    value, members = split(_parts())
    header = json.loads(members["raw/header.json"])
    header["proposer"] = {"file": "raw/tx.pb", "sha256": "00" * 32}
    members["raw/header.json"] = json.dumps(header).encode()
    value["header"]["json"] = reference("raw/header.json", members["raw/header.json"])
    verdict = examine(given(zipped({"package.json": json.dumps(value).encode(), **members})), store)
    assert kind(verdict)[1] is Reason.UNSUPPORTED_FORMAT
    assert "proposer.file" in kind(verdict)[2]


def test_archives_that_two_readers_take_differently(store: TrustStore) -> None:
    good = archive()
    held = io.BytesIO(good)
    with zipfile.ZipFile(held, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("package.json", b'{"format":"mingjian.chain-proof"}')
    twice = held.getvalue()
    for data in (twice, b"before" + good, good + b"behind", good[:-30]):
        verdict = examine(given(data), store)
        assert verdict.overall is not Overall.CONSISTENT
    assert kind(examine(given(twice), store))[:2] == (FAILED, Reason.FORMAT_FAILURE)


def test_bounds(store: TrustStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from evidence.verification.chains import package_archive

    monkeypatch.setattr(package_archive, "PACKAGE_BYTES_MAX", 3000)
    outcome, reason, _ = kind(examine(given(archive()), store))
    assert (outcome, reason) == (OPEN, Reason.RESOURCE_LIMIT)


def test_a_bomb_is_a_limit(store: TrustStore) -> None:
    bomb = b"\x00" * (70 << 20)

    def change(value: Json, members: dict[str, bytes]) -> None:
        members["raw/rw.pb"] = bomb
        value["rwset"] = {"file": "raw/rw.pb", "sha256": "00" * 32}

    data = archive(change)
    assert len(data) < 1 << 20
    assert kind(examine(given(data), store))[:2] == (OPEN, Reason.RESOURCE_LIMIT)


def test_no_changed_bit_passes(store: TrustStore) -> None:
    """But in what a zip says of itself and nobody takes for content: times, versions, attributes."""
    good = archive()
    rng = random.Random("archives")
    passed = 0
    for _ in range(400):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        verdict = examine(given(bytes(data)), store)
        assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR]
        if verdict.overall is Overall.CONSISTENT:
            passed += 1
            assert _contents(bytes(data)) == _contents(good)
    assert passed < 80


def _contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {n: file.read(n) for n in file.namelist()}


# ── the seal ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ROOT = issue("seal root", ca=True)
SEAL = issue("platform seal", by=ROOT)


def sealed_by(holder: Holder, message: bytes, *, embed: bool = True, detached: bool = True) -> bytes:
    """CMS as OpenSSL writes it."""
    options = [pkcs7.PKCS7Options.Binary]
    if detached:
        options.append(pkcs7.PKCS7Options.DetachedSignature)
    if not embed:
        options.append(pkcs7.PKCS7Options.NoCerts)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(message).add_signer(holder.certificate, holder.key, hashes.SHA256())
    return builder.sign(Encoding.DER, options)


def court(*, roots: tuple[bytes, ...] = (ROOT.der,), platform: bool = True, chain: bool = True) -> TrustStore:
    from dataclasses import replace

    pinned = trust(built() if chain else None)
    seal = hashlib.sha256(SEAL.der).digest()
    titles = {"zh": "平台", "en": "Platform"}
    platforms = (Platform("demo", titles, "demo", (), None, None, (seal,)),) if platform else ()
    return replace(pinned, seal_roots=roots, platforms=platforms)


def sealed(holder: Holder = SEAL, *, message: bytes | None = None, **options: Any) -> bytes:
    value, members = split(_parts())
    package = json.dumps(value).encode()
    seal = sealed_by(holder, package if message is None else message, **options)
    return zipped({"package.json": package, "package.p7s": seal, **members})


def seal_of(verdict: Verdict) -> tuple[str, Reason | None, tuple[str, ...]]:
    found = finding(verdict, "PACKAGE.SEAL")
    return found.outcome.value, found.reason, found.notes


def test_a_seal_below_a_pinned_root() -> None:
    verdict = examine(given(sealed()), court())
    assert seal_of(verdict) == (PASSED, None, ("PLATFORM_SEAL:demo", "REVOCATION_NOT_KNOWN"))
    assert (verdict.overall, verdict.grade) == (Overall.CONSISTENT, Grade.B)
    unlisted = examine(given(sealed()), court(platform=False))
    assert seal_of(unlisted)[2][0] == "SEAL_OF_NO_PLATFORM"
    # the pinned certificate may be the seal itself, and need not stand in the message
    itself = examine(given(sealed(embed=False)), court(roots=(SEAL.der,)))
    assert seal_of(itself)[:2] == OK


def test_a_seal_alone_proves_nothing_and_is_at_most_grade_d() -> None:
    """The chain is not known: what is left is a platform's word under its own signature."""
    verdict = examine(given(sealed()), court(chain=False))
    assert seal_of(verdict)[:2] == OK
    assert verdict.overall is Overall.INDETERMINATE
    walks = [w for w in verdict.walks if w.file]
    assert {w.grade for w in walks} == {Grade.E, Grade.D}
    assert not any(w.complete for w in walks)


def test_a_seal_of_nobody_changes_nothing() -> None:
    for roots in ((), (issue("other root", ca=True).der,)):
        verdict = examine(given(sealed()), court(roots=roots))
        assert seal_of(verdict)[:2] == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
        assert (verdict.overall, verdict.grade) == (Overall.CONSISTENT, Grade.B)
    verdict = examine(given(sealed(embed=False)), court())
    assert seal_of(verdict)[:2] == (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    late = issue("late", by=ROOT, begin=AT.replace(year=2027))
    assert seal_of(examine(given(sealed(late)), court()))[:2] == (OPEN, Reason.NOT_YET_VALID)


@pytest.mark.parametrize("message", [b"", b"another package", b"{}"])
def test_a_seal_over_something_else_refutes(message: bytes) -> None:
    verdict = examine(given(sealed(message=message)), court())
    assert seal_of(verdict)[:2] == (FAILED, Reason.SIG_CRYPTO_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT
    # whoever signed it
    verdict = examine(given(sealed(message=message)), court(roots=()))
    assert verdict.overall is Overall.INCONSISTENT


def test_a_seal_that_brings_its_own_content() -> None:
    verdict = examine(given(sealed(detached=False)), court())
    assert seal_of(verdict)[:2] == (OPEN, Reason.UNSUPPORTED_FORMAT)


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"-----BEGIN CMS-----", b"\x30\x80\x00\x00", b"\x00" * 100])
def test_what_is_no_seal(data: bytes) -> None:
    value, members = split(_parts())
    packed = zipped({"package.json": json.dumps(value).encode(), "package.p7s": data, **members})
    verdict = examine(given(packed), court())
    assert seal_of(verdict)[:2] == (FAILED, Reason.FORMAT_FAILURE)


def test_another_certificate_under_the_same_name() -> None:
    """Issuer and serial number are data; the key decides."""
    own = ec.generate_private_key(ec.SECP256R1())
    like = SEAL.certificate
    forged = (
        x509.CertificateBuilder(like.issuer, like.subject, own.public_key(), like.serial_number, like.not_valid_before_utc, like.not_valid_after_utc)
        .sign(own, hashes.SHA256())
    )
    verdict = examine(given(sealed(Holder(own, forged))), court())
    assert seal_of(verdict)[0] != PASSED


def test_changed_bits_of_a_seal() -> None:
    value, members = split(_parts())
    package = json.dumps(value).encode()
    good = sealed_by(SEAL, package)
    trusted = court()
    rng = random.Random("seals")
    for _ in range(150):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        verdict = examine(given(zipped({"package.json": package, "package.p7s": bytes(data), **members})), trusted)
        assert not [f for f in verdict.findings if f.reason is Reason.INTERNAL_ERROR]
