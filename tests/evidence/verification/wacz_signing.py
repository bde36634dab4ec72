"""WACZ signatures for tests: a web authority, a time-stamping authority, and what they sign."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from evidence.verification import TrustStore, Verdict

from .authority import SERVER_AUTH, TIME_STAMPING, Holder, TokenPlan, issue, response
from .snapshot_exhibits import PASSED, sha256, trust, verified
from .wacz_exhibits import CREATED, content, manifest, package

OK = (PASSED, None)
HOST = "archive.example.org"
STAMPED = datetime(2026, 11, 22, 7, 36, 0, tzinfo=UTC)
"""Half a minute after the manifest says it was created."""


@dataclass
class Signing:
    """Who signs and stamps. Tests change one thing at a time."""

    root: Holder
    chain: tuple[Holder, ...]
    """Leaf first."""
    tsa_root: Holder
    tsa: Holder
    pinned_web: bool = True
    pinned_tsa: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> TrustStore:
        web = [self.root.pem] if self.pinned_web else []
        return trust(web=web, tsa=[self.tsa_root.pem] if self.pinned_tsa else [])


@cache
def signing() -> Signing:
    root = issue("Web Root", ca=True)
    middle = issue("Web CA", by=root, ca=True, path_length=0)
    leaf = issue(HOST, by=middle, eku=[SERVER_AUTH], eku_critical=False, dns=[HOST])
    tsa_root = issue("TSA Root", ca=True)
    tsa = issue("TSA", by=tsa_root, eku=[TIME_STAMPING])
    return Signing(root, (leaf, middle), tsa_root, tsa)


def leaf(**options: Any) -> Signing:
    """The same authority with another leaf."""
    s = signing()
    middle = options.pop("by", s.chain[1])
    key = options.pop("key", None)
    arguments = {"eku": [SERVER_AUTH], "eku_critical": False, "dns": [HOST], **options}
    return replace(s, chain=(issue(HOST, by=middle, key=key, **arguments), *s.chain[1:]))


def sign(key: Any, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    return bytes(key.sign(message, ec.ECDSA(hashes.SHA256())))


def by_domain(s: Signing, text: str, *, when: datetime = STAMPED, **plan: Any) -> dict[str, Any]:
    """signedData as the signing service makes it."""
    signature = base64.b64encode(sign(s.chain[0].key, text.encode())).decode()
    stamp = response(TokenPlan(signature.encode(), s.tsa, when=when, **plan))
    signed = {
        "hash": text,
        "created": CREATED,
        "software": "tests",
        "signature": signature,
        "domain": HOST,
        "domainCert": b"".join(h.pem for h in s.chain).decode(),
        "timeSignature": base64.b64encode(stamp).decode(),
        "timestampCert": (s.tsa.pem + s.tsa_root.pem).decode(),
    }
    signed.update(s.extra)
    return {k: v for k, v in signed.items() if v is not None}


def signed_package(
    s: Signing | None = None,
    *,
    change: Callable[[dict[str, Any]], None] | None = None,
    about: bytes | None = None,
    files: dict[str, bytes] | None = None,
    **plan: Any,
) -> bytes:
    s = s or signing()
    files = content() if files is None else files
    about = manifest(files) if about is None else about
    digest = {"path": "datapackage.json", "hash": sha256(about), "signedData": by_domain(s, sha256(about), **plan)}
    if change:
        change(digest)
    return package(files, about=about, digest=json.dumps(digest).encode())


def examine(data: bytes, s: Signing | None = None, **options: Any) -> Verdict:
    return verified(("page.wacz", data), store=(s or signing()).store, **options)
