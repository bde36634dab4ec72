"""Dialects of WACZ packages: marks, packages of packages, archives in Zstandard."""

import base64
import hashlib
import json

from backports import zstd
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall

from .authority import TIME_STAMPING, TokenPlan, issue, response
from .snapshot_exhibits import FAILED, OPEN, PASSED, answer, notes, record, sha256, verified
from .test_opentimestamps import proof
from .test_wacz import wacz
from .wacz_exhibits import CREATED, URL, content, manifest, package
from .wacz_signing import STAMPED, signing


def test_a_package_of_packages_is_listed_and_hashed_and_not_opened() -> None:
    inner = {"one.wacz": package(), "two.wacz": b"not even a zip"}
    verdict = wacz(package(inner, profile="multi-wacz-package", wacz_version=None))
    assert {"DIALECT:multi", "PACKAGES_NOT_OPENED:2"} <= set(notes(verdict, "WACZ.LISTED"))
    assert answer(verdict, "WACZ.HASHES") == answer(verdict, "WACZ.UNLISTED") == (PASSED, None)
    assert not any(f.check.startswith("WARC.") for f in verdict.findings)
    changed = {**inner, "two.wacz": b"not even a ziq"}
    about = manifest(inner, profile="multi-wacz-package", wacz_version=None)
    assert answer(wacz(package(changed, about=about)), "WACZ.HASHES") == (FAILED, Reason.HASH_FAILURE)


def test_packages_that_stand_elsewhere_are_missing_data_only_in_a_package_of_packages() -> None:
    there = {"one.wacz": package()}
    far = {**there, "https://example.com/far.wacz": b"far"}
    multi = manifest(far, profile="multi-wacz-package", wacz_version=None)
    assert answer(wacz(package(there, about=multi)), "WACZ.LISTED") == (OPEN, Reason.NOT_CONTAINED)
    assert answer(wacz(package(there, about=manifest(far))), "WACZ.LISTED") == (FAILED, Reason.RESOURCE_MISSING)
    beside = manifest({**far, "gone.wacz": b""}, profile="multi-wacz-package", wacz_version=None)
    assert answer(wacz(package(there, about=beside)), "WACZ.LISTED") == (FAILED, Reason.RESOURCE_MISSING)


def test_marks_of_the_dialects() -> None:
    for changes, dialect in (
        ({"profile": "wacz", "home": {"url": URL, "ts": CREATED}}, "1.2.0"),
        ({"profile": None}, "unknown"),
        ({"profile": "data-package"}, "unknown"),
        ({"profile": None, "wacz_version": "1.1.1"}, "1.1.1"),
    ):
        verdict = wacz(package(**{"wacz_version": None, **changes}))
        assert f"DIALECT:{dialect}" in notes(verdict, "WACZ.LISTED")


def test_an_archive_in_zstandard_inside_a_package() -> None:
    files = {"archive/data.warc.zst": zstd.compress(record())}
    verdict = wacz(package(files))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (PASSED, None)
    bad = wacz(package({"archive/data.warc.zst": zstd.compress(record(block_digest=sha256(b"else")))}))
    assert answer(bad, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_the_files_that_page_archivers_put_beside_a_package() -> None:
    """`x.wacz.digicert.tsr`, `x.wacz.sectigo.tsr`, `x.wacz.qtsa.tsr` and `x.wacz.ots`: each over the whole file, found by its digest,
    not by its name."""
    s, packed = signing(), package()
    other_tsa = issue("Other TSA", by=issue("Other Root", ca=True), eku=[TIME_STAMPING])
    stamp, foreign = (response(TokenPlan(packed, t, embed=[t.der], when=STAMPED)) for t in (s.tsa, other_tsa))
    ots = proof(digest=hashlib.sha256(packed).digest())
    beside = [("p.wacz.digicert.tsr", stamp), ("p.wacz.sectigo.tsr", foreign), ("p.wacz.qtsa.tsr", foreign), ("p.wacz.ots", ots)]
    verdict = verified(("p.wacz", packed), *beside, store=s.store)
    assert verdict.overall is Overall.CONSISTENT and verdict.time is not None
    assert {src.format for src in verdict.sources} == {"wacz", "rfc3161", "opentimestamps"}
    # Under any other name the same; over another package, none of them binds this one.
    renamed = [(f"{n}", d) for n, (_, d) in enumerate(beside)]
    assert verified(("p.wacz", packed), *renamed, store=s.store).overall is Overall.CONSISTENT
    other = package(software="other")
    assert verified(("p.wacz", other), *beside, store=s.store).overall is not Overall.CONSISTENT
    without = [b for b in beside if b[1] is not stamp]
    assert verified(("p.wacz", packed), *without, store=s.store).overall is Overall.INDETERMINATE


def test_signed_data_of_a_dialect_that_nobody_registered() -> None:
    """Ed25519 with fields of its own (Web Resource Ledger): shown as not read, never as a signature that holds."""
    key = ed25519.Ed25519PrivateKey.generate()
    about = manifest(content())
    text = sha256(about)
    signed = {
        "hash": text,
        "created": CREATED,
        "software": "tests",
        "algorithm": "Ed25519",
        "publicKey": base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode(),
        "signature": base64.b64encode(key.sign(text.encode())).decode(),
    }
    digest = json.dumps({"path": "datapackage.json", "hash": text, "signedData": signed}).encode()
    verdict = wacz(package(about=about, digest=digest))
    assert answer(verdict, "WAUTH.FIELDS") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert answer(verdict, "WAUTH.SIGNATURE") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
    assert verdict.overall is Overall.INDETERMINATE
