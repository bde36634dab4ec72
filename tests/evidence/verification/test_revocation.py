"""Answers of authorities on a certificate (OCSP), made with `cryptography`: which of them may be believed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from evidence.verification.keys import revocation
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome

from .authority import Holder, issue
from .pdf_exhibits import AT, LISTS, MIDDLE, ROOT, SEAL, SIGNED, STRANGER_ROOT

PATH = (SEAL.der, MIDDLE.der, ROOT.der)
OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING
NO_CHECK = [(x509.OCSPNoCheck(), False)]
RESPONDER = issue("Responder", by=MIDDLE, eku=[OCSP_SIGNING], extra=NO_CHECK)


def answer(
    *,
    subject: Holder = SEAL,
    issuer: Holder = MIDDLE,
    by: Holder = RESPONDER,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    since: datetime | None = None,
    begin: datetime = SIGNED - timedelta(hours=1),
    end: datetime | None = SIGNED + timedelta(hours=1),
    embed: bool = True,
    digest: Any = hashes.SHA256,
) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        subject.certificate, issuer.certificate, digest(), status, begin, end, since, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, by.certificate)
    if embed and by is not issuer:
        builder = builder.certificates([by.certificate])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def asked(*answers: bytes, lists: Sequence[bytes] = LISTS[:1], moment: datetime = SIGNED) -> Reason | None:
    found = revocation.check(PATH, lists=lists, answers=answers, moment=moment, now=AT)
    assert (found.outcome is Outcome.PASSED) == (found.reason is None)
    return found.reason


@pytest.mark.parametrize("by", [RESPONDER, MIDDLE], ids=["named responder", "issuer itself"])
@pytest.mark.parametrize("digest", [hashes.SHA1, hashes.SHA256])
def test_good(by: Holder, digest: Any) -> None:
    assert asked(answer(by=by, digest=digest)) is None


def test_revoked_before_and_after() -> None:
    revoked = ocsp.OCSPCertStatus.REVOKED
    assert asked(answer(status=revoked, since=SIGNED - timedelta(minutes=1))) is Reason.REVOKED_NO_POE
    later = answer(status=revoked, since=SIGNED + timedelta(days=1), begin=SIGNED + timedelta(days=2), end=None)
    assert asked(later) is None
    # One good answer does not outweigh another that says revoked.
    assert asked(answer(), answer(status=revoked, since=SIGNED - timedelta(days=1))) is Reason.REVOKED_NO_POE


NO_POWER = issue("Responder", by=MIDDLE, extra=NO_CHECK)
NOT_EXEMPT = issue("Responder", by=MIDDLE, eku=[OCSP_SIGNING])
EXPIRED = issue("Responder", by=MIDDLE, eku=[OCSP_SIGNING], extra=NO_CHECK, end=SIGNED)
FOREIGN = issue("Responder", by=STRANGER_ROOT, eku=[OCSP_SIGNING], extra=NO_CHECK)
UNBELIEVED = {
    "none": b"",
    "no OCSP response": b"\x30\x03\x0a\x01\x06",
    "by another responder": answer(by=FOREIGN),
    "by a certificate for something else": answer(by=NO_POWER),
    "by the subject itself": answer(by=SEAL),
    "by a responder who may be revoked": answer(by=NOT_EXEMPT),
    "by a responder out of its time": answer(by=EXPIRED),
    "responder not there": answer(embed=False),
    "of another certificate": answer(subject=MIDDLE, issuer=ROOT, by=issue("R", by=ROOT, eku=[OCSP_SIGNING], extra=NO_CHECK)),
    "under another issuer": answer(issuer=STRANGER_ROOT),
    "unknown": answer(status=ocsp.OCSPCertStatus.UNKNOWN),
    "ended before": answer(begin=SIGNED - timedelta(days=9), end=SIGNED - timedelta(days=8)),
    "without an end, from before": answer(begin=SIGNED - timedelta(days=9), end=None),
    "from after the verification": answer(begin=AT + timedelta(days=1), end=AT + timedelta(days=2)),
}


@pytest.mark.parametrize("data", UNBELIEVED.values(), ids=UNBELIEVED)
def test_what_is_not_believed(data: bytes) -> None:
    assert asked(data) is Reason.TRY_LATER


def test_no_changed_bit_is_believed() -> None:
    data = answer()
    embedded = data.index(RESPONDER.der)
    for place in range(0, len(data), 3):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        if asked(bytes(changed)) is None:
            # Only what no check reads: the frame around the copy of the responder's certificate.
            assert abs(place - embedded) < 16, place
