"""Answers of an authority on one certificate: OCSP responses (RFC 6960), as files bring them in their security store.

An answer counts only when the issuer signed it, or a responder whom the issuer named for this purpose and whose own
certificate the issuer exempted from revocation (§4.2.2.2.1): that exemption is the issuer's word, and nothing else stands for it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import public_key
from .public_key import UnsupportedKey
from .x509 import Certificate, CertificateError

ANSWERS_MAX = 64
"""Answers looked at; a signature brings one for each certificate of its path."""
RESPONDERS_MAX = 4
"""Certificates in one answer; one is usual."""

_BASIC, _NO_CHECK, _OCSP_SIGNING = "1.3.6.1.5.5.7.48.1.1", "1.3.6.1.5.5.7.48.1.5", "1.3.6.1.5.5.7.3.9"
_HASHES = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256", "1.2.156.10197.1.401": "sm3"}
"""Of names and keys, to tell which certificate is meant: a collision here forges nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`revoked_since`: None when the certificate was good."""

    this_update: datetime
    next_update: datetime | None
    revoked_since: datetime | None


def answers(
    data: Sequence[bytes], *, certificate: Certificate, issuer: Certificate
) -> list[Answer]:
    """Those of the responses (DER) that speak of `certificate` and carry the issuer's authority. Never raises for bad ones."""
    from .cms import ASN1_FAULTS

    found = []
    for response in sorted(set(data))[:ANSWERS_MAX]:
        try:
            found += _answers(response, certificate, issuer)
        except (*ASN1_FAULTS, UnsupportedKey, CertificateError):
            continue
    return found


def _answers(data: bytes, certificate: Certificate, issuer: Certificate) -> list[Answer]:
    from asn1crypto import ocsp

    response = ocsp.OCSPResponse.load(data, strict=True)
    if response["response_status"].native != "successful":
        return []
    if response["response_bytes"]["response_type"].dotted != _BASIC:
        return []
    basic = response["response_bytes"]["response"].parsed
    told = basic["tbs_response_data"]
    singles = [s for s in told["responses"] if _means(s["cert_id"], certificate, issuer)]
    if not singles or not _is_authorised(basic, told["produced_at"].native, issuer):
        return []
    found = []
    for single in singles:
        status = single["cert_status"]
        if status.name == "unknown" or any(e["critical"].native for e in single["single_extensions"] or ()):
            continue
        since = status.chosen["revocation_time"].native if status.name == "revoked" else None
        found.append(Answer(single["this_update"].native, single["next_update"].native, since))
    return found


def _means(identity: Any, certificate: Certificate, issuer: Certificate) -> bool:
    name = _HASHES.get(identity["hash_algorithm"]["algorithm"].dotted)
    if name is None or int(identity["serial_number"].native) != certificate.serial:
        return False
    from asn1crypto import keys

    from .. import digests

    def digest(value: bytes) -> bytes:
        return digests.digest("SM3", value) if name == "sm3" else hashlib.new(name, value, usedforsecurity=False).digest()

    key = bytes(keys.PublicKeyInfo.load(issuer.spki, strict=True)["public_key"])
    return bool(
        identity["issuer_name_hash"].native == digest(issuer.subject)
        and identity["issuer_key_hash"].native == digest(key)
    )


def _is_authorised(basic: Any, produced: datetime, issuer: Certificate) -> bool:
    tbs, signature = basic["tbs_response_data"].dump(), bytes(basic["signature"].native)
    scheme = public_key.scheme(basic["signature_algorithm"].dump())
    if scheme.broken:
        return False
    responders = [issuer, *(Certificate(c.dump()) for c in list(basic["certs"] or ())[:RESPONDERS_MAX])]
    for responder in responders:
        if responder is not issuer and not _is_responder(responder, produced, issuer):
            continue
        if public_key.weakness(responder.spki) is None and public_key.verify(responder.spki, scheme, tbs, signature):
            return True
    return False


def _is_responder(responder: Certificate, produced: datetime, issuer: Certificate) -> bool:
    purposes = [u.dotted_string for u in responder.extension("2.5.29.37") or ()]
    return (
        responder.issuer == issuer.subject
        and _OCSP_SIGNING in purposes
        and responder.extension(_NO_CHECK) is not None
        and responder.not_before <= produced <= responder.not_after
        and not responder.signature_scheme.broken
        and responder.signed_by(issuer)
    )
