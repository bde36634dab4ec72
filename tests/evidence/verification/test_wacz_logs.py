"""Promises of transparency logs inside a signer's certificate: read strictly, judged only by logs that the court has pinned, and never
in the way of a verdict."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.verification import TrustError, TrustStore, Verdict
from evidence.verification.keys import sct
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Bearing, Overall
from tests.anchor_packs import write_pack

from .authority import SERVER_AUTH, issue
from .snapshot_exhibits import FAILED, OPEN, PASSED, answer, asked, finding, notes, trust, verified
from .wacz_signing import HOST, OK, Signing, signed_package, signing

OID = x509.ObjectIdentifier(sct.EXTENSION)
LOG, OTHER_LOG = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
MOMENT = int(datetime(2026, 11, 1, 8, 30, 0, 123000, tzinfo=UTC).timestamp() * 1000)


def spki(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def vector(content: bytes, width: int = 2) -> bytes:
    return len(content).to_bytes(width) + content


def promise(tbs: bytes, issuer_key: bytes, log: Any = LOG, *, moment: int = MOMENT, extensions: bytes = b"", version: int = 0) -> bytes:
    """One timestamp as RFC 6962 §3.2 has the log make it."""
    message = bytes((0, 0)) + moment.to_bytes(8) + b"\0\1" + hashlib.sha256(issuer_key).digest()
    message += vector(tbs, 3) + vector(extensions)
    if isinstance(log, rsa.RSAPrivateKey):
        algorithm, signature = b"\4\1", log.sign(message, padding.PKCS1v15(), hashes.SHA256())
    else:
        algorithm, signature = b"\4\3", log.sign(message, ec.ECDSA(hashes.SHA256()))
    body = bytes((version,)) + hashlib.sha256(spki(log)).digest() + moment.to_bytes(8) + vector(extensions)
    return body + algorithm + vector(signature)


def leaf_with(*logs: Any, listed: bytes | None = None, other_issuer: bool = False, **options: Any) -> Signing:
    """The test authority with a leaf that carries the promises of `logs` (or `listed` as the list, whatever it is)."""
    s = signing()
    middle = s.chain[1]
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    issuer_key = spki(s.root.key) if other_issuer else spki(middle.key)

    def made(*extra: tuple[x509.ExtensionType, bool]) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(x509, "random_serial_number", lambda: serial)
            return issue(HOST, by=middle, key=key, eku=[SERVER_AUTH], eku_critical=False, dns=[HOST], extra=extra)

    tbs = made().certificate.tbs_certificate_bytes
    if listed is None:
        listed = vector(b"".join(vector(promise(tbs, issuer_key, log, **options)) for log in logs))
    wrapped = core.OctetString(listed).dump()
    return replace(s, chain=(made((x509.UnrecognizedExtension(OID, wrapped), False)), *s.chain[1:]))


def judged(s: Signing, *pinned: Any) -> Verdict:
    store = trust(web=[s.root.pem], tsa=[s.tsa_root.pem], ct_logs=[spki(k) for k in pinned])
    return verified(("page.wacz", signed_package(s)), store=store)


def test_without_a_promise_nobody_asks() -> None:
    assert "WAUTH.LOGS" not in asked(judged(signing(), LOG))


@pytest.mark.parametrize("log", [LOG, rsa.generate_private_key(65537, 2048)], ids=["ECDSA", "RSA"])
def test_the_promise_of_a_pinned_log(log: Any) -> None:
    verdict = judged(leaf_with(log), log)
    assert answer(verdict, "WAUTH.LOGS") == OK and finding(verdict, "WAUTH.LOGS").bearing is Bearing.ADVISORY
    assert "CT_LOGGED_AT:2026-11-01T08:30:00.123Z" in notes(verdict, "WAUTH.LOGS")
    assert verdict.overall is Overall.CONSISTENT


def test_a_log_that_the_court_has_not_pinned_is_not_judged_and_changes_nothing() -> None:
    s = leaf_with(LOG, OTHER_LOG)
    for pinned in ((), (ec.generate_private_key(ec.SECP256R1()),)):
        verdict = judged(s, *pinned)
        assert answer(verdict, "WAUTH.LOGS") == (OPEN, Reason.ANCHOR_UNTRUSTED)
        assert f"CT_LOG_NOT_PINNED:{hashlib.sha256(spki(LOG)).hexdigest()}" in notes(verdict, "WAUTH.LOGS")
        assert verdict.overall is Overall.CONSISTENT and verdict.grade.value == "A"
    one = judged(s, LOG)
    assert answer(one, "WAUTH.LOGS") == OK and finding(one, "WAUTH.LOGS").actual == "1"


def test_promises_that_do_not_fit_fail_and_decide_nothing() -> None:
    """By another key under the name of the log, over another authority's key, or moved to another moment."""
    good = leaf_with(LOG)
    leaf = sct.Certificate(good.chain[0].der)
    found = sct.promises(leaf)
    assert found is not None
    moved = vector(vector(bytes((0,)) + found[0].log + (found[0].moment + 1).to_bytes(8) + b"\0\0\4\3" + vector(found[0].signature)))
    for s in (leaf_with(LOG, other_issuer=True), leaf_with(listed=moved)):
        verdict = judged(s, LOG)
        assert answer(verdict, "WAUTH.LOGS") == (FAILED, Reason.SIG_CRYPTO_FAILURE)
        assert verdict.overall is Overall.CONSISTENT
        assert any(n.startswith("SIGNER_DOMAIN:") for n in notes(verdict, "WACZ.CONTAINER"))
    twice = judged(leaf_with(listed=vector(moved[2:] * 2)), LOG)
    assert (finding(twice, "WAUTH.LOGS").expected, finding(twice, "WAUTH.LOGS").actual) == ("2", "0")


def test_other_algorithms_are_no_promise() -> None:
    good = leaf_with(LOG)
    one = sct.promises(sct.Certificate(good.chain[0].der))[0]  # type: ignore[index]
    for algorithm in (b"\4\1", b"\2\3", b"\5\3"):
        listed = vector(vector(bytes((0,)) + one.log + one.moment.to_bytes(8) + b"\0\0" + algorithm + vector(one.signature)))
        assert answer(judged(leaf_with(listed=listed), LOG), "WAUTH.LOGS") == (FAILED, Reason.SIG_CRYPTO_FAILURE)


ONE = bytes((0,)) + hashlib.sha256(spki(LOG)).digest() + MOMENT.to_bytes(8) + b"\0\0\4\3" + vector(b"x" * 70)
MALFORMED = {
    "an empty list": vector(b""),
    "bytes behind the list": vector(vector(ONE)) + b"\0",
    "a list that is longer than it is": b"\0\xff" + vector(ONE),
    "a promise that is cut": vector(vector(ONE[:-1])),
    "bytes behind a promise": vector(vector(ONE + b"\0")),
    "another version": vector(vector(b"\1" + ONE[1:])),
    "too many": vector(vector(ONE) * (sct.SCTS_MAX + 1)),
    "nothing": b"",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_lists_that_are_not_what_the_standard_describes(case: str) -> None:
    """Refused by the certificate's reader or by the list's: never a pass of this question, and never an error."""
    verdict = judged(leaf_with(listed=MALFORMED[case]), LOG)
    if "WAUTH.LOGS" in asked(verdict):
        assert answer(verdict, "WAUTH.LOGS") == (FAILED, Reason.FORMAT_FAILURE)
    else:
        assert answer(verdict, "WAUTH.CHAIN")[0] is not PASSED


def test_the_authority_may_be_missing() -> None:
    s = leaf_with(LOG)
    alone = replace(s, chain=s.chain[:1])
    verdict = judged(alone, LOG)
    assert answer(verdict, "WAUTH.LOGS") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)


def test_logs_of_a_pack_are_read_strictly(tmp_path: Path) -> None:
    good = write_pack(tmp_path / "good", ct_logs=[spki(LOG), spki(OTHER_LOG)])
    assert set(TrustStore.load(good).ct_logs) == {hashlib.sha256(spki(k)).digest() for k in (LOG, OTHER_LOG)}
    bad = {
        "twice": [spki(LOG), spki(LOG)],
        "no key": [b"no key"],
        "a curve no log has": [spki(ec.generate_private_key(ec.SECP384R1()))],
        "a short key": [spki(rsa.generate_private_key(65537, 1024))],
    }
    for name, keys in bad.items():
        with pytest.raises(TrustError):
            TrustStore.load(write_pack(tmp_path / name, ct_logs=keys))
    for number, log in enumerate(({"title": "x"}, {"title": "x", "key": "!"}, {"title": "x", "key": "", "url": "y"})):
        pack = write_pack(tmp_path / str(number), ct_logs=[spki(LOG)])
        data = json.dumps({"logs": [log]}).encode()
        manifest = json.loads((pack / "manifest.json").read_bytes())
        (pack / "ct" / "logs.json").write_bytes(data)
        for member in manifest["members"]:
            if member["path"] == "ct/logs.json":
                member["sha256"] = hashlib.sha256(data).hexdigest()
        (pack / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(TrustError, match="logs"):
            TrustStore.load(pack)
