"""What is shown of the signer of a package, and what stands beside the findings of its signature."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from evidence.verification import Verdict
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall

from .snapshot_exhibits import FAILED, OPEN, answer, notes, sha256
from .test_wacz_auth import signed_with
from .wacz_exhibits import content, manifest, package
from .wacz_signing import HOST, OK, STAMPED, by_domain, examine, leaf, signed_package, signing


def signer(verdict: Verdict) -> str:
    (note,) = [n for n in notes(verdict, "WACZ.CONTAINER") if n.startswith("SIGNER_")]
    return note


def test_the_signer_is_named_only_where_signature_and_path_hold() -> None:
    assert signer(examine(signed_package())).startswith(f"SIGNER_DOMAIN:{HOST} ")
    unstamped = examine(signed_with(timeSignature=None, timestampCert=None))
    assert signer(unstamped) == f"SIGNER_DOMAIN:{HOST}"
    for broken in (
        signed_with(signature=base64.b64encode(bytes(70)).decode()),
        signed_with(domain="example.com"),
        signed_with(timeSignature="AAAA"),
        signed_package(when=STAMPED + timedelta(hours=1)),
    ):
        assert signer(examine(broken)) == "SIGNER_BROKEN"
    foreign = replace(signing(), pinned_web=False)
    assert signer(examine(signed_package(foreign), foreign)) == "SIGNER_UNTRUSTED_ROOT"
    # The path holds, but the key is of a kind that is not judged.
    odd = leaf(key=ec.generate_private_key(ec.SECP521R1()))
    verdict = examine(signed_package(odd), odd)
    assert answer(verdict, "WAUTH.CHAIN") == OK and signer(verdict) == "SIGNER_UNTRUSTED_ROOT"


def test_a_digest_file_without_signature_is_broken_only_when_its_digest_is_wrong() -> None:
    about = manifest(content())
    for text, state in ((sha256(about), "SIGNER_NONE"), (sha256(b"x"), "SIGNER_BROKEN")):
        digest = json.dumps({"path": "datapackage.json", "hash": text}).encode()
        assert signer(examine(package(about=about, digest=digest))) == state


def test_a_signature_beside_a_manifest_that_cannot_be_read() -> None:
    digest = json.dumps({"path": "datapackage.json", "hash": sha256(b"{"), "signedData": by_domain(signing(), sha256(b"{"))})
    verdict = examine(package(about=b"{", digest=digest.encode()))
    assert answer(verdict, "WACZ.LISTED") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(verdict, "WAUTH.DIGEST") == (OPEN, Reason.NOT_SIGNED)
    assert verdict.overall is Overall.INCONSISTENT and not verdict.walks


def test_signed_data_of_neither_kind() -> None:
    """Neither a key nor a domain: nobody's dialect."""
    verdict = examine(signed_with(domain=None))
    assert answer(verdict, "WAUTH.FIELDS") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is not Overall.CONSISTENT


def test_the_path_of_another_domain_is_open_and_its_name_is_what_fails() -> None:
    verdict = examine(signed_with(domain="example.com"))
    assert answer(verdict, "WAUTH.DOMAIN") == (FAILED, Reason.CERT_HOST_MISMATCH)
    assert answer(verdict, "WAUTH.CHAIN") == (OPEN, Reason.CHAIN_CONSTRAINTS_FAILURE)


def test_notes_of_certificates_stand_only_where_they_are_due() -> None:
    fresh = leaf(begin=STAMPED - timedelta(days=7))
    verdict = examine(signed_package(fresh), fresh)
    assert not any(n.startswith(("CERT_AGE", "ROOT_EXPIRED")) for n in notes(verdict, "WAUTH.CHAIN"))
    assert not any(n.startswith("TSA_CERT_EXPIRED") for n in notes(verdict, "WAUTH.TOKEN"))
    older = leaf(begin=STAMPED - timedelta(days=7, seconds=1))
    assert "CERT_AGE_OVER_POLICY:7" in notes(examine(signed_package(older), older), "WAUTH.CHAIN")


def test_a_root_that_is_not_pinned_is_not_drawn_as_one() -> None:
    foreign = replace(signing(), pinned_web=False)
    (walk,) = examine(signed_package(foreign), foreign).walks
    drawn = [s.end.label for s in walk.steps if s.check == "WAUTH.CHAIN"]
    assert drawn == ["–"]
