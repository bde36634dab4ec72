"""Time-stamps, certificates and signatures against vectors of others: real authorities, known forgeries, hostile encodings.

The vectors stand outside the repository: MINGJIAN_VECTORS names their folder, otherwise `../shared/vectors` beside the
checkout is looked for.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence.verification import Exhibit, Source, TrustStore, verify
from evidence.verification.codecs import strict_json
from evidence.verification.codecs.strict_json import DEPTH_MAX, JsonError
from evidence.verification.keys import ecdsa, public_key, sm2
from evidence.verification.reasons import Reason
from evidence.verification.timestamps import rfc3161
from evidence.verification.verdict import Bearing, Outcome, Overall

VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or Path(__file__).resolve().parents[3] / "shared" / "vectors")
if not VECTORS.is_dir():
    pytest.skip(f"NOT RUN: no vectors at {VECTORS} (set MINGJIAN_VECTORS)", allow_module_level=True)

MADE, PUBLIC, HOSTILE = VECTORS / "rfc3161-trust", VECTORS / "public" / "rfc3161", VECTORS / "hostile"
AT = datetime(2026, 11, 23, tzinfo=UTC)


def certificates(path: Path) -> list[x509.Certificate]:
    """PEM or, whatever the name says, DER."""
    data = path.read_bytes()
    return x509.load_pem_x509_certificates(data) if b"-----BEGIN" in data else [x509.load_der_x509_certificate(data)]


def der(found: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    return tuple(c.public_bytes(Encoding.DER) for c in found)


def roots(path: Path) -> tuple[bytes, ...]:
    return der([c for c in certificates(path) if c.subject == c.issuer])


def others(path: Path) -> tuple[bytes, ...]:
    return der([c for c in certificates(path) if c.subject != c.issuer])


def check(
    path: Path, *, message: bytes, anchors: Sequence[bytes], supplied: Sequence[bytes] = (), at: datetime = AT
) -> rfc3161.Verification:
    trust = replace(TrustStore.empty(), digest="peers", tsa_roots=tuple(anchors))
    return rfc3161.verify_token(
        path.read_bytes(), message=message, subject=path.name, trust=trust, at=at, certificates=supplied
    )


def problems(found: rfc3161.Verification) -> dict[str, tuple[Outcome, Reason | None]]:
    return {
        f.check: (f.outcome, f.reason)
        for f in found.findings
        if f.outcome is not Outcome.PASSED and f.bearing is not Bearing.ADVISORY
    }


NO_CHAIN = {"TST.CHAIN": (Outcome.INDETERMINATE, Reason.NO_CERTIFICATE_CHAIN_FOUND)}


@pytest.mark.parametrize(
    ("token", "root", "expected"),
    [
        ("good", "good", {}),
        ("good", "evil", NO_CHAIN),
        ("evil", "good", NO_CHAIN),
        ("evil", "evil", {}),
        ("unsorted", "u", {}),
        ("unsorted", "good", NO_CHAIN),
    ],
)
def test_trust_vectors(token: str, root: str, expected: dict[str, Any]) -> None:
    message = (MADE / "msg.txt").read_bytes()
    found = check(MADE / f"{token}.tsr", message=message, anchors=roots(MADE / f"{root}-root.pem"))
    assert problems(found) == expected
    assert found.passed is (expected == {})


@pytest.mark.parametrize("token", ["good", "evil", "unsorted"])
def test_trust_vectors_through_the_front_door(token: str) -> None:
    """The whole engine: only the pinned root makes an exhibit CONSISTENT, whatever roots lie beside the token."""
    own = {"good": "good", "evil": "evil", "unsorted": "u"}[token]
    files = [
        Source.from_bytes("msg.txt", (MADE / "msg.txt").read_bytes()),
        Source.from_bytes("token.tsr", (MADE / f"{token}.tsr").read_bytes()),
        Source.from_bytes("roots.pem", b"".join((MADE / f"{r}-root.pem").read_bytes() for r in ("good", "evil", "u"))),
    ]
    for root in ("good", "evil", "u"):
        trust = replace(TrustStore.empty(), digest="peers", tsa_roots=roots(MADE / f"{root}-root.pem"))
        expected = Overall.CONSISTENT if root == own else Overall.INDETERMINATE
        assert verify(Exhibit.of(files), trust, AT).overall is expected
    changed = [Source.from_bytes("msg.txt", b"hello court"), files[1]]
    assert verify(Exhibit.of(changed), trust, AT).overall is Overall.INCONSISTENT


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_sigstage(digest: str) -> None:
    chain, token = PUBLIC / "sigstage/ts_chain.pem", PUBLIC / f"sigstage/response-{digest}.tsr"
    found = check(token, message=b"hello", anchors=roots(chain), supplied=others(chain))
    assert problems(found) == {}
    found = check(token, message=b"hello!", anchors=roots(chain), supplied=others(chain))
    assert problems(found) == {"TST.IMPRINT": (Outcome.FAILED, Reason.HASH_FAILURE)}


def test_sigstage_without_certificates() -> None:
    chain, token = PUBLIC / "sigstage/ts_chain.pem", PUBLIC / "sigstage/response-no-embedded-cert.tsr"
    assert check(token, message=b"hello", anchors=roots(chain), supplied=others(chain)).passed
    found = problems(check(token, message=b"hello", anchors=roots(chain)))
    assert found["TST.SIGNER"] == (Outcome.INDETERMINATE, Reason.NO_SIGNING_CERTIFICATE_FOUND)


def test_sigstage_with_a_broken_signature() -> None:
    chain = PUBLIC / "sigstage/ts_chain.pem"
    found = check(PUBLIC / "sigstage/response-invalid-signature.tsr", message=b"hello", anchors=roots(chain))
    assert problems(found)["TST.SIGNATURE"] == (Outcome.FAILED, Reason.SIG_CRYPTO_FAILURE)


def test_local_authority() -> None:
    chain, message = PUBLIC / "test_tsa/ts_chain.pem", b"hello"
    for name in ("response.tsr", "response-injected-certs.tsr"):
        found = check(PUBLIC / "test_tsa" / name, message=message, anchors=roots(chain), supplied=others(chain))
        assert problems(found) == {}, name
        assert found.signer is not None
        assert "Spoofed" not in found.signer
    other = check(PUBLIC / "test_tsa/other_response.tsr", message=message, anchors=roots(chain), supplied=others(chain))
    assert problems(other) == NO_CHAIN


def test_authority_whose_certificate_has_expired_since() -> None:
    folder = PUBLIC / "sigstore.mock"
    chain, message = folder / "ts_chain.pem", (folder / "payload").read_bytes()
    found = check(folder / "response-expired.tsr", message=message, anchors=roots(chain), supplied=others(chain))
    assert problems(found) == {}
    assert found.time is not None
    assert found.time.not_after == datetime(2023, 2, 1, 0, 0, 1, tzinfo=UTC)  # genTime ± one second
    # The same certificates at a later moment: out of bounds.
    from evidence.verification.keys import x509 as paths

    token = rfc3161.parse((folder / "response-expired.tsr").read_bytes())
    assert token is not None
    from evidence.verification.keys import cms

    signer = cms.signing_certificate(token.signed, others(chain))
    assert signer is not None
    late = paths.validate(
        signer.der,
        intermediates=others(chain),
        roots=roots(chain),
        at=AT,
        purpose=paths.Purpose.TIME_STAMPING,
    )
    assert late.reason is Reason.OUT_OF_BOUNDS_NO_POE


def test_a_real_authority() -> None:
    """IdenTrust: ESSCertID of the first version, two embedded certificates, no accuracy; also under the shipped store."""
    folder = PUBLIC / "identrust"
    found = check(folder / "issue-104.tsr", message=b"hello", anchors=roots(folder / "ts_chain.pem"))
    assert problems(found) == {}
    assert found.token is not None
    assert found.token.accuracy is None
    from evidence.verification.trust import SHIPPED

    files = [Source.from_bytes("f", b"hello"), Source.from_bytes("t.tsr", (folder / "issue-104.tsr").read_bytes())]
    verdict = verify(Exhibit.of(files), TrustStore.load(SHIPPED), AT)
    assert (verdict.overall, verdict.grade) == (Overall.CONSISTENT, "A")


def test_every_token_of_the_folder_was_looked_at() -> None:
    tokens = sorted(p.relative_to(VECTORS).as_posix() for p in (*MADE.rglob("*.tsr"), *PUBLIC.rglob("*.tsr")))
    assert len(tokens) == 13
    for name in tokens:
        assert rfc3161.sniff(Source.from_bytes(name, (VECTORS / name).read_bytes())) > 0


def test_evidence_records_are_not_taken_for_tokens() -> None:
    """An .ers file holds tokens; read as one it would seem broken, and a sound file would be refuted."""
    records = sorted((VECTORS / "public" / "ers").glob("*.er*"))
    assert len(records) > 20
    for path in records:
        assert rfc3161.sniff(Source.from_bytes(path.name, path.read_bytes())) == 0, path.name


def test_no_changed_byte_of_a_real_token_passes() -> None:
    """Each byte of the signed content and attributes of a real token."""
    from evidence.verification.keys import cms

    chain = PUBLIC / "sigstage/ts_chain.pem"
    data = (PUBLIC / "sigstage/response-sha256.tsr").read_bytes()
    token = rfc3161.parse(data)
    assert token is not None
    signed: cms.SignedData = token.signed
    trust = replace(TrustStore.empty(), digest="peers", tsa_roots=roots(chain))
    tried = 0
    for part in (signed.content, signed.signed_encodings[0][2:], signed.signature):
        start = data.index(part)
        for place in range(start, start + len(part)):
            changed = bytearray(data)
            changed[place] ^= 0x01
            found = rfc3161.verify_token(
                bytes(changed), message=b"hello", subject="t", trust=trust, at=AT, certificates=others(chain)
            )
            assert not found.passed, place
            tried += 1
    assert tried > 250


# ── hostile encodings ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_test_suite() -> None:
    """n_: must be refused; y_: must be read; i_: either, but only as a value or as JsonError.

    Of the accepted cases we refuse names that stand twice, and a number with more digits than any record writes.
    """
    folder = HOSTILE / "jsontestsuite" / "test_parsing"
    stricter = {
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
        "y_number_double_close_to_zero.json",
    }
    counted: Counter[str] = Counter()
    for path in sorted(folder.glob("*.json")):
        try:
            strict_json.loads(path.read_bytes())
            read = True
        except JsonError:
            read = False
        kind = path.name[0]
        counted[kind] += 1
        if kind == "n" or path.name in stricter:
            assert not read, path.name
        elif kind == "y":
            assert read, path.name
    assert counted["n"] > 150
    assert counted["y"] > 80
    assert counted["i"] > 30
    print(f"JSONTestSuite: {dict(counted)}")


def test_hostile_certificates_as_json() -> None:
    refused = {"cert-bom.json", "cert-nan.json", "cert-utf16.json", "cert-deep-100k.json"}
    for path in sorted((HOSTILE / "hostile").glob("cert-*.json")):
        try:
            strict_json.loads(path.read_bytes())
            assert path.name not in refused, path.name
        except JsonError:
            assert path.name in refused | {"cert-bigint.json"}, path.name
    assert DEPTH_MAX < 1000


CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp256k1": "secp256k1"}
DIGESTS = {"SHA-256": "SHA-256", "SHA-384": "SHA-384", "SHA-512": "SHA-512", "SHA3-256": "SHA3-256"}


def wycheproof() -> list[Path]:
    return sorted((HOSTILE / "wycheproof").rglob("*ecdsa*.json"))


def test_wycheproof_ecdsa() -> None:
    """Every ECDSA case on our curves. "acceptable" marks encodings some readers take: ours may refuse them."""
    counted: Counter[str] = Counter()
    for path in wycheproof():
        for group in json.loads(path.read_bytes())["testGroups"]:
            key = group.get("publicKey") or group.get("key")
            curve, digest = CURVES.get(key["curve"]), DIGESTS.get(group["sha"])
            if curve is None or digest is None:
                continue
            width = (ecdsa.ORDER[curve].bit_length() + 7) // 8
            public = bytes.fromhex(key["uncompressed"])[1:]
            for case in group["tests"]:
                signature: bytes | tuple[int, int] = bytes.fromhex(case["sig"])
                if "P1363" in group["type"]:
                    raw = bytes.fromhex(case["sig"])
                    signature = (
                        (int.from_bytes(raw[:width], "big"), int.from_bytes(raw[width:], "big"))
                        if len(raw) == 2 * width
                        else b""
                    )
                good = ecdsa.verify(public, signature, bytes.fromhex(case["msg"]), curve=curve, algorithm=digest)
                counted[f"{curve} {case['result']}"] += 1
                if case["result"] != "acceptable":
                    # Bitcoin's rule of a low s is not ECDSA's; those cases are refused by the caller that needs it.
                    if "bitcoin" in path.name and good and case["result"] == "invalid":
                        assert isinstance(signature, bytes)
                        half = ecdsa.ORDER[curve] // 2
                        from evidence.verification.codecs import der as strict_der

                        assert strict_der.signature(signature, order=ecdsa.ORDER[curve])[1] > half, case
                        continue
                    assert good is (case["result"] == "valid"), (path.name, case["tcId"], case["comment"])
    assert counted["P-256 valid"] > 100
    assert counted["P-256 invalid"] > 100
    assert counted["secp256k1 valid"] > 50
    assert counted["secp256k1 invalid"] > 100
    print(f"Wycheproof ECDSA: {dict(counted)}")


SCHEMES = {
    "rsa_signature_2048_sha256_test": public_key.Scheme("RSA", "SHA-256"),
    "rsa_signature_4096_sha256_test": public_key.Scheme("RSA", "SHA-256"),
    "rsa_pss_2048_sha256_mgf1_32_test": public_key.Scheme("RSA-PSS", "SHA-256", 32),
    "ed25519_test": public_key.Scheme("ED25519", None),
    "ecdsa_secp256r1_sha256_test": public_key.Scheme("ECDSA", "SHA-256"),
    "ecdsa_secp384r1_sha384_test": public_key.Scheme("ECDSA", "SHA-384"),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_wycheproof_public_keys(name: str) -> None:
    """The signatures that certificates and messages carry, under a SubjectPublicKeyInfo."""
    counted: Counter[str] = Counter()
    for group in json.loads((HOSTILE / "wycheproof" / f"{name}.json").read_bytes())["testGroups"]:
        spki = bytes.fromhex(group["publicKeyDer"])
        for case in group["tests"]:
            good = public_key.verify(spki, SCHEMES[name], bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            counted[case["result"]] += 1
            if case["result"] != "acceptable":
                assert good is (case["result"] == "valid"), (case["tcId"], case["comment"])
    assert counted["valid"] >= 5
    assert counted["invalid"] >= 20
    print(f"Wycheproof {name}: {dict(counted)}")


def test_the_standards_sm2_example() -> None:
    example = json.loads((VECTORS / "consortium/synthetic-gm/sm2-gmt0003.5-kat.json").read_bytes())
    public = bytes.fromhex(example["pub"])[1:]
    signature = int(example["r"], 16), int(example["s"], 16)
    message, uid = example["msg"].encode(), example["uid"].encode()
    assert sm2.verify(public, signature, message, uid=uid)
    assert not sm2.verify(public, signature, message + b"\n", uid=uid)


def test_collisions_of_broken_digests_never_pass() -> None:
    """Two files with one SHA-1 digest: why a SHA-1 imprint is INDETERMINATE whatever it equals."""
    first, second = (HOSTILE / "hash-collisions" / f"sha-mbles-{n}.bin" for n in (1, 2))
    one, two = first.read_bytes(), second.read_bytes()
    assert one != two
    assert hashlib.sha1(one, usedforsecurity=False).digest() == hashlib.sha1(two, usedforsecurity=False).digest()
    from tests.evidence.verification.authority import TIME_STAMPING, TokenPlan, issue, token

    root = issue("root", ca=True)
    tsa = issue("tsa", by=root, eku=[TIME_STAMPING])
    stamped = token(TokenPlan(one, tsa, embed=(tsa.der,), digest="sha1"))
    trust = replace(TrustStore.empty(), digest="peers", tsa_roots=(root.der,))
    for message in (one, two):
        found = rfc3161.verify_token(stamped, message=message, subject="t", trust=trust, at=AT)
        assert problems(found) == {"TST.IMPRINT": (Outcome.INDETERMINATE, Reason.CRYPTO_CONSTRAINTS_FAILURE)}
