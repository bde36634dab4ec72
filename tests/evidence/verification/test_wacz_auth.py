"""WACZ signatures with a test authority: what holds, and each thing that keeps it from holding."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.verification.reasons import Reason
from evidence.verification.verdict import NodeKind, Overall, ProofState

from . import authority
from .authority import SERVER_AUTH, TokenPlan, issue, response
from .snapshot_exhibits import FAILED, OPEN, PASSED, answer, asked, finding, notes, sha256
from .wacz_exhibits import CREATED, content, manifest, package, zipped
from .wacz_signing import HOST, OK, STAMPED, by_domain, examine, leaf, sign, signed_package, signing

# ── what holds ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_domain_signature_with_a_trusted_time_is_consistent_at_grade_a() -> None:
    verdict = examine(signed_package())
    assert all(f.outcome is PASSED for f in verdict.findings), [f for f in verdict.findings if f.reason]
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert verdict.time is not None and (verdict.time.not_after, verdict.time.basis) == (
        STAMPED + timedelta(seconds=1),  # genTime ± one second
        "TSA",
    )
    (walk,) = verdict.walks
    assert walk.complete and walk.state is ProofState.PROVEN
    kinds = [walk.steps[0].start.kind, *(step.end.kind for step in walk.steps)]
    assert kinds[0] is NodeKind.FILE and kinds[1] is NodeKind.MANIFEST and kinds[-1] is NodeKind.ANCHOR
    assert {NodeKind.SIGNATURE, NodeKind.CERTIFICATE, NodeKind.TOKEN} <= set(kinds)
    assert [s.check for s in walk.steps] == [
        "WACZ.HASHES", "WAUTH.DIGEST", "WAUTH.FIELDS", "WAUTH.SIGNATURE", "WAUTH.DOMAIN", "WAUTH.CHAIN", "WAUTH.TOKEN",
        "WAUTH.TIME",
    ]  # fmt: skip
    assert f"SIGNER_DOMAIN:{HOST} 2026-11-22T07:36:00.000Z" in notes(verdict, "WACZ.CONTAINER")


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA 2048", "RSA 3072"])
def test_the_kinds_of_key_a_domain_may_have(kind: str) -> None:
    name, _, bits = kind.partition(" ")
    curves: Any = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}
    key: Any = authority.rsa_key(int(bits)) if name == "RSA" else ec.generate_private_key(curves[kind]())
    s = leaf(key=key)
    verdict = examine(signed_package(s), s)
    assert answer(verdict, "WAUTH.SIGNATURE") == OK and verdict.overall is Overall.CONSISTENT


def test_certificates_that_expired_since_are_noted_and_hold() -> None:
    """Years later, when leaf, root and the authority's certificate have run out."""
    s = signing()
    verdict = examine(signed_package(s), s, at=datetime(2045, 1, 1, tzinfo=UTC))
    assert verdict.overall is Overall.CONSISTENT
    assert any(n.startswith("ROOT_EXPIRED_SINCE:2040") for n in notes(verdict, "WAUTH.CHAIN"))
    assert any(n.startswith("TSA_CERT_EXPIRED_SINCE:2040") for n in notes(verdict, "WAUTH.TOKEN"))


def test_an_old_certificate_is_noted_only() -> None:
    verdict = examine(signed_package())
    assert any(n.startswith("CERT_AGE_OVER_POLICY:") for n in notes(verdict, "WAUTH.CHAIN"))


def test_a_cross_signed_certificate_completes_a_path() -> None:
    old_root = issue("Old Root", ca=True)
    s = signing()
    new_root_key = s.root.key
    crossed = issue("Web Root", by=old_root, key=new_root_key, ca=True)
    court = replace(s, root=old_root, extra={"crossSignedCert": crossed.pem.decode()})
    assert examine(signed_package(court), court).overall is Overall.CONSISTENT
    without = replace(s, root=old_root)
    assert answer(examine(signed_package(without), without), "WAUTH.CHAIN") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)


# ── what does not: the digest ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_transplanted_signature_is_refuted() -> None:
    """Signature and certificates of one package on another, with the digest file's own hash made to fit."""
    other = by_domain(signing(), sha256(b"another manifest"))
    verdict = examine(signed_package(change=lambda d: d.update(signedData=other)))
    assert answer(verdict, "WAUTH.DIGEST") == (FAILED, Reason.HASH_FAILURE)
    assert answer(verdict, "WAUTH.SIGNATURE") == OK
    assert verdict.overall is Overall.INCONSISTENT and verdict.grade.value == "E"
    assert "SIGNER_BROKEN" in notes(verdict, "WACZ.CONTAINER")


def test_all_three_digests_must_be_one() -> None:
    wrong = sha256(b"x")
    verdict = examine(signed_package(change=lambda d: d.update(hash=wrong)))
    assert answer(verdict, "WAUTH.DIGEST") == (FAILED, Reason.HASH_FAILURE)
    # The manifest changed after signing: everything inside fits it, the signature does not.
    about = manifest(content())
    signed = by_domain(signing(), sha256(about))
    later = manifest(content(), title="changed")
    digest = json.dumps({"path": "datapackage.json", "hash": sha256(about), "signedData": signed}).encode()
    verdict = examine(package(about=later, digest=digest))
    assert answer(verdict, "WAUTH.DIGEST") == (FAILED, Reason.HASH_FAILURE)


@pytest.mark.parametrize(
    ("digest", "wanted"),
    [
        (None, (OPEN, Reason.NOT_SIGNED)),
        (b"", (OPEN, Reason.NOT_SIGNED)),
        (b"{", (FAILED, Reason.FORMAT_FAILURE)),
        (b"[]", (FAILED, Reason.FORMAT_FAILURE)),
        (b"{}", (FAILED, Reason.FORMAT_FAILURE)),
        (b'{"path": "datapackage.json"}', (FAILED, Reason.DIGEST_MALFORMED)),
        (b'{"path": "datapackage.json", "hash": "sha256:00"}', (FAILED, Reason.DIGEST_MALFORMED)),
        (b'{"path": "datapackage.json", "hash": "md5:' + b"0" * 32 + b'"}', (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN)),
        (b'{"path": "datapackage.json", "hash": "sha256:' + b"0" * 64 + b'"}', (FAILED, Reason.HASH_FAILURE)),
        (b'{"path": "pages/pages.jsonl", "hash": "sha256:' + b"0" * 64 + b'"}', (FAILED, Reason.FORMAT_FAILURE)),
    ],
)
def test_digest_files_without_a_signature_are_never_signed(digest: bytes | None, wanted: object) -> None:
    verdict = examine(package(digest=digest))
    assert answer(verdict, "WAUTH.DIGEST") == wanted
    assert verdict.overall is not Overall.CONSISTENT and verdict.walks == ()
    assert "WAUTH.SIGNATURE" not in asked(verdict)


def test_signed_data_that_are_no_object() -> None:
    for value in (None, [], "x", 1):
        verdict = examine(signed_package(change=lambda d, v=value: d.update(signedData=v)))
        assert answer(verdict, "WAUTH.DIGEST") == (OPEN, Reason.NOT_SIGNED)


# ── fields, signature ─────────────────────────────────────────────────────────────────────────────────────────────────


def signed_with(**changes: Any) -> bytes:
    """signedData with members changed after signing; None takes one out."""

    def change(digest: dict[str, Any]) -> None:
        digest["signedData"].update(changes)
        for name in [k for k, v in changes.items() if v is None]:
            del digest["signedData"][name]

    return signed_package(change=change)


def test_created_must_be_the_manifests() -> None:
    verdict = examine(signed_with(created="2026-11-22T07:35:31Z"))
    assert answer(verdict, "WAUTH.FIELDS") == (FAILED, Reason.SIG_CONSTRAINTS_FAILURE)
    missing = examine(signed_with(created=None))
    assert answer(missing, "WAUTH.FIELDS") == (OPEN, Reason.SIG_CONSTRAINTS_FAILURE)
    assert missing.overall is Overall.INDETERMINATE


def test_members_that_nobody_knows_are_not_guessed() -> None:
    verdict = examine(signed_with(algorithm="none"))
    assert answer(verdict, "WAUTH.FIELDS") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_signature_that_does_not_fit() -> None:
    other = base64.b64encode(sign(signing().chain[0].key, b"something else")).decode()
    raw = sign(signing().chain[0].key, sha256(manifest(content())).encode())
    for text in (other, base64.b64encode(raw[:-1]).decode(), "", "not base64!", base64.b64encode(raw).decode() + "\n"):
        verdict = examine(signed_with(signature=text))
        assert answer(verdict, "WAUTH.SIGNATURE") == (FAILED, Reason.SIG_CRYPTO_FAILURE)
        assert verdict.overall is Overall.INCONSISTENT


def test_the_bits_of_the_signature_count() -> None:
    about = manifest(content())
    signed = by_domain(signing(), sha256(about))
    raw = base64.b64decode(signed["signature"])
    for bit in range(0, 8 * len(raw), 3):
        mutated = bytearray(raw)
        mutated[bit // 8] ^= 1 << bit % 8
        altered = {**signed, "signature": base64.b64encode(bytes(mutated)).decode()}
        digest = json.dumps({"path": "datapackage.json", "hash": sha256(about), "signedData": altered}).encode()
        assert answer(examine(package(about=about, digest=digest), runs=1), "WAUTH.SIGNATURE")[0] is FAILED


def test_keys_that_are_too_weak_or_of_another_kind() -> None:
    for key in (authority.rsa_key(1024), ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP521R1())):
        s = leaf(key=key)
        verdict = examine(signed_package(s), s)
        assert answer(verdict, "WAUTH.SIGNATURE") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
        assert verdict.overall is Overall.INDETERMINATE


# ── domain and path ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_domain_must_be_one_of_the_certificate() -> None:
    verdict = examine(signed_with(domain="court.example.org"))
    assert answer(verdict, "WAUTH.DOMAIN") == (FAILED, Reason.CERT_HOST_MISMATCH)
    assert verdict.overall is Overall.INCONSISTENT
    for domain in ("", None, "example.org", HOST + ".evil.example", "*." + HOST):
        assert answer(examine(signed_with(domain=domain)), "WAUTH.DOMAIN")[0] is FAILED or domain is None


def test_a_root_that_only_the_file_carries_is_no_trust() -> None:
    s = replace(signing(), pinned_web=False, extra={"domainCert": b"".join(h.pem for h in (*signing().chain, signing().root)).decode()})
    verdict = examine(signed_package(s), s)
    assert answer(verdict, "WAUTH.CHAIN") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    assert "SIGNER_UNTRUSTED_ROOT" in notes(verdict, "WACZ.CONTAINER")


def test_a_leaf_may_not_act_as_an_authority() -> None:
    """Anybody with a certificate of the same root could otherwise sign as any domain."""
    s = signing()
    mine = issue("mine.example.net", by=s.chain[1], eku=[SERVER_AUTH], dns=["mine.example.net"])
    forged = leaf(by=mine)
    forged = replace(forged, chain=(forged.chain[0], mine, *s.chain[1:]))
    verdict = examine(signed_package(forged), forged)
    assert answer(verdict, "WAUTH.DOMAIN") == answer(verdict, "WAUTH.SIGNATURE") == OK
    assert answer(verdict, "WAUTH.CHAIN") == (OPEN, Reason.CHAIN_CONSTRAINTS_FAILURE)
    assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"end": datetime(2026, 11, 1, tzinfo=UTC)}, (OPEN, Reason.OUT_OF_BOUNDS_NO_POE)),
        ({"begin": datetime(2026, 11, 23, tzinfo=UTC)}, (FAILED, Reason.NOT_YET_VALID)),
        ({"eku": [x509.ExtendedKeyUsageOID.CLIENT_AUTH]}, (OPEN, Reason.CHAIN_CONSTRAINTS_FAILURE)),
    ],
    ids=["expired when stamped", "not yet valid when stamped", "no server certificate"],
)
def test_the_path_is_judged_at_the_time_stamped(options: dict[str, Any], wanted: object) -> None:
    s = leaf(**options)
    verdict = examine(signed_package(s), s)
    assert answer(verdict, "WAUTH.CHAIN") == wanted
    assert verdict.overall is not Overall.CONSISTENT


def test_a_clock_that_nobody_trusts_refutes_nothing() -> None:
    """A certificate younger than the stamp contradicts the signature only when the stamp's clock is proven."""
    s = replace(leaf(begin=datetime(2026, 11, 23, tzinfo=UTC)), pinned_tsa=False)
    verdict = examine(signed_package(s), s)
    assert answer(verdict, "WAUTH.CHAIN") == (OPEN, Reason.NOT_YET_VALID)
    assert verdict.overall is Overall.INDETERMINATE


def test_without_certificates_nothing_can_be_said() -> None:
    for pem in ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None):
        verdict = examine(signed_with(domainCert=pem))
        for check in ("WAUTH.SIGNATURE", "WAUTH.DOMAIN", "WAUTH.CHAIN"):
            assert answer(verdict, check) == (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)
        assert verdict.overall is Overall.INDETERMINATE


# ── the time-stamp ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_token_the_domain_is_worth_d() -> None:
    verdict = examine(signed_with(timeSignature=None, timestampCert=None))
    assert answer(verdict, "WAUTH.TOKEN") == (OPEN, Reason.NO_POE)
    assert (verdict.overall, verdict.grade.value, verdict.reasons) == (Overall.INDETERMINATE, "D", (Reason.NO_POE,))
    assert verdict.time is None


def test_an_authority_that_the_court_has_not_pinned() -> None:
    s = replace(signing(), pinned_tsa=False)
    verdict = examine(signed_package(s), s)
    assert answer(verdict, "WAUTH.TOKEN") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert "TOKEN_RUNG:TST.CHAIN" in notes(verdict, "WAUTH.TOKEN")
    assert (verdict.overall, verdict.grade.value, verdict.time) == (Overall.INDETERMINATE, "D", None)


def test_a_token_over_something_else() -> None:
    """Over the decoded signature instead of its text, or over another signature."""
    about = manifest(content())
    signed = by_domain(signing(), sha256(about))
    for message in (base64.b64decode(signed["signature"]), b"another signature"):
        stamp = base64.b64encode(response(TokenPlan(message, signing().tsa, when=STAMPED))).decode()
        verdict = examine(signed_with(signature=signed["signature"], timeSignature=stamp))
        assert answer(verdict, "WAUTH.TOKEN") == (FAILED, Reason.HASH_FAILURE)
        assert verdict.overall is Overall.INCONSISTENT


def test_tokens_that_do_not_hold() -> None:
    refused = signed_package(message_digest=bytes(32))
    assert answer(examine(refused), "WAUTH.TOKEN")[0] is FAILED
    web = replace(signing(), tsa=issue("TSA", by=signing().tsa_root, eku=[SERVER_AUTH]))
    assert examine(signed_package(web), web).overall is Overall.INDETERMINATE
    for text in ("AAAA", "not base64!"):
        assert answer(examine(signed_with(timeSignature=text)), "WAUTH.TOKEN") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(examine(signed_with(timestampCert=None)), "WAUTH.TOKEN") == (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    weak = signed_package(digest="sha1")
    assert answer(examine(weak), "WAUTH.TOKEN") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0, OK),
        (600, OK),
        (-1, (FAILED, Reason.TIMESTAMP_ORDER_FAILURE)),
        (601, (FAILED, Reason.TIMESTAMP_ORDER_FAILURE)),
    ],
)
def test_created_lies_at_most_ten_minutes_before_the_stamp(seconds: int, wanted: object) -> None:
    created = datetime.fromisoformat(CREATED)
    verdict = examine(signed_package(when=created + timedelta(seconds=seconds)))
    assert answer(verdict, "WAUTH.TIME") == wanted
    assert (verdict.overall is Overall.CONSISTENT) is (wanted == OK)


def test_a_time_without_a_zone_is_not_guessed() -> None:
    files = content()
    bare = "2026-11-22T07:35:30"
    about = manifest(files, created=bare)
    verdict = examine(signed_package(about=about, files=files, change=lambda d: d["signedData"].update(created=bare)))
    assert answer(verdict, "WAUTH.TIME") == (OPEN, Reason.TIME_ZONE_AMBIGUOUS)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_stamp_from_the_future_of_the_verification() -> None:
    verdict = examine(signed_package(), at=datetime(2026, 11, 22, 7, 0, tzinfo=UTC))
    assert answer(verdict, "WAUTH.TOKEN") == (OPEN, Reason.TIMESTAMP_ORDER_FAILURE)
    assert verdict.overall is Overall.INDETERMINATE


# ── the package under the signature ───────────────────────────────────────────────────────────────────────────────────


def test_a_signature_does_not_cover_what_the_manifest_does_not_list() -> None:
    files = content()
    about = manifest(files)
    digest = {"path": "datapackage.json", "hash": sha256(about), "signedData": by_domain(signing(), sha256(about))}
    signed = {**files, "datapackage.json": about, "datapackage-digest.json": json.dumps(digest).encode()}
    for changed in (
        {**signed, "archive/evil.warc": b"x"},
        {**signed, "pages/pages.jsonl": files["pages/pages.jsonl"].replace(b'"t"', b'"u"')},
        {n: d for n, d in signed.items() if n != "pages/pages.jsonl"},
    ):
        verdict = examine(zipped(changed))
        assert verdict.overall is Overall.INCONSISTENT and verdict.grade.value == "E"
        assert not any(w.complete for w in verdict.walks)
    assert examine(zipped(signed)).overall is Overall.CONSISTENT


def test_a_broken_digest_in_the_manifest_breaks_the_walk() -> None:
    files = content()
    listed = json.loads(manifest(files))["resources"]
    listed[0]["hash"] = "md5:" + hashlib.md5(files[listed[0]["path"]]).hexdigest()
    verdict = examine(signed_package(about=manifest(files, resources=listed)))
    assert verdict.overall is Overall.INDETERMINATE and Reason.CRYPTO_CONSTRAINTS_FAILURE in verdict.reasons


def test_records_without_digests_do_not_stand_in_the_way() -> None:
    from .snapshot_exhibits import record

    files = {"archive/a.warc": record(block_digest=None, payload_digest=None)}
    verdict = examine(signed_package(files=files, about=manifest(files)))
    assert answer(verdict, "WARC.COVERAGE") == (OPEN, Reason.NO_DIGEST)
    assert verdict.overall is Overall.CONSISTENT


# ── anonymous keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def anonymous(curve: ec.EllipticCurve, *, raw: bool = True, **changes: Any) -> bytes:
    key = ec.generate_private_key(curve)
    about = manifest(content())
    text = sha256(about)
    signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    width = (curve.key_size + 7) // 8
    if raw:
        signature = b"".join(n.to_bytes(width, "big") for n in decode_dss_signature(signature))
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed = {
        "hash": text,
        "created": CREATED,
        "software": "tests",
        "signature": base64.b64encode(signature).decode(),
        "publicKey": base64.b64encode(spki).decode(),
        **changes,
    }
    digest = {"path": "datapackage.json", "hash": text, "signedData": signed}
    return package(about=about, digest=json.dumps(digest).encode())


def test_an_anonymous_key_names_nobody_and_proves_no_time() -> None:
    for curve in (ec.SECP384R1(), ec.SECP256R1()):
        verdict = examine(anonymous(curve))
        assert answer(verdict, "WAUTH.SIGNATURE") == OK
        assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
        assert verdict.reasons == (Reason.NO_POE,)
        assert verdict.walks[0].state is ProofState.ASSERTED
        assert any(n.startswith("SIGNER_ANONYMOUS_KEY:") for n in notes(verdict, "WACZ.CONTAINER"))


def test_anonymous_signatures_that_do_not_hold() -> None:
    for data in (
        anonymous(ec.SECP384R1(), raw=False),
        anonymous(ec.SECP384R1(), signature=base64.b64encode(bytes(96)).decode()),
        anonymous(ec.SECP384R1(), signature="not base64"),
    ):
        assert answer(examine(data), "WAUTH.SIGNATURE") == (FAILED, Reason.SIG_CRYPTO_FAILURE)
    for curve in (ec.SECP521R1(), ec.SECP256K1()):
        assert answer(examine(anonymous(curve)), "WAUTH.SIGNATURE") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
    rsa = authority.rsa_key(2048).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for spki in (rsa, b"no key at all", rsa[:-1]):
        other = anonymous(ec.SECP384R1(), publicKey=base64.b64encode(spki).decode())
        assert answer(examine(other), "WAUTH.SIGNATURE") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
    none = examine(anonymous(ec.SECP384R1(), publicKey="!"))
    assert answer(none, "WAUTH.SIGNATURE") == (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)


def test_an_anonymous_key_beside_a_domain_is_no_domain_signature() -> None:
    """The fields of a domain added to an anonymous signature are not known there."""
    extra = {k: v for k, v in by_domain(signing(), "x").items() if k.startswith(("domain", "time"))}
    verdict = examine(anonymous(ec.SECP384R1(), **extra))
    assert answer(verdict, "WAUTH.FIELDS") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE and "WAUTH.DOMAIN" not in asked(verdict)


# ── every bit, and without assertions ─────────────────────────────────────────────────────────────────────────────────


def test_no_single_bit_of_the_signed_parts_leaves_the_package_consistent() -> None:
    """Manifest and digest file: a changed bit may make it INCONSISTENT or INDETERMINATE, never CONSISTENT."""
    files = content()
    about = manifest(files)
    digest = json.dumps(
        {"path": "datapackage.json", "hash": sha256(about), "signedData": by_domain(signing(), sha256(about))}
    ).encode()
    assert examine(package(files, about=about, digest=digest)).overall is Overall.CONSISTENT
    for bit in range(0, 8 * len(about), 13):
        mutated = bytearray(about)
        mutated[bit // 8] ^= 1 << bit % 8
        verdict = examine(package(files, about=bytes(mutated), digest=digest), runs=1)
        assert verdict.overall is not Overall.CONSISTENT
    survived = []
    for bit in range(0, 8 * len(digest), 97):
        mutated = bytearray(digest)
        mutated[bit // 8] ^= 1 << bit % 8
        if examine(package(files, about=about, digest=bytes(mutated)), runs=1).overall is Overall.CONSISTENT:
            survived.append(bytes(mutated))
    # What nobody signs may change without harm: the name of the software, the case of the domain, certificates that are not
    # needed, and in a token the fields outside its signature (status text, list of digest algorithms).
    for data in survived:
        signed = json.loads(data)["signedData"]
        truth = json.loads(digest)["signedData"]
        differing = {k for k in truth if signed.get(k) != truth[k]}
        assert differing <= {"software", "domain", "domainCert", "timestampCert", "timeSignature"}, differing
        assert signed["domain"].lower() == HOST


OPTIMISED = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from evidence.verification import Exhibit, TrustStore, verify
assert False, "this line is not there when Python optimises"
for name in sys.argv[2:]:
    v = verify(Exhibit.from_paths([Path(name)]), TrustStore.load(Path(sys.argv[1])), datetime(2026, 11, 22, 12, tzinfo=UTC))
    print(v.overall.value)
"""


def test_the_verdicts_do_not_depend_on_assertions(tmp_path: Path) -> None:
    """One peer checks nothing at all under PYTHONOPTIMIZE=1."""
    from tests.anchor_packs import write_pack

    s = signing()
    pack = write_pack(tmp_path / "pack", tsa_roots=[s.tsa_root.pem], web_roots=[s.root.pem])
    other = by_domain(s, sha256(b"another manifest"))
    for name, data in (
        ("good.wacz", signed_package()),
        ("transplanted.wacz", signed_package(change=lambda d: d.update(signedData=other))),
        ("unsigned.wacz", package()),
    ):
        (tmp_path / name).write_bytes(data)
    files = [str(tmp_path / n) for n in ("good.wacz", "transplanted.wacz", "unsigned.wacz")]
    done = subprocess.run(
        [sys.executable, "-c", OPTIMISED, str(pack), *files],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONOPTIMIZE": "1", "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.stdout.split() == ["CONSISTENT", "INCONSISTENT", "INDETERMINATE"], done.stderr


def test_the_finding_of_the_time_names_both_times() -> None:
    found = finding(examine(signed_package()), "WAUTH.TIME")
    assert (found.expected, found.actual) == ("2026-11-22T07:36:00.000Z", CREATED)
