"""Time-stamps for reports: one authority, asked with a limit, and believed only after its token was checked.

In the signing directory `tsa.url` names the authority the court may ask, the only address that is ever asked (`tsa-ca.pem`: what
its https is held against, the public roots without it); `tsa.p12` and `tsa.passphrase` are a local one (demonstration, tests). A token
goes into a report only when it is over the right digest, bears our nonce, is signed by a certificate under the court's roots that is
not revoked, and tells a time near ours.
"""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyhanko.sign.timestamps import TimeStamper

from evidence.verification import digests

from . import anchors, asking, keyring, lasting
from .keyring import SigningError

SECONDS_MAX = 10.0
"""For one answer, from the look-up of the name to the last byte."""
FILES = ("tsa.url", "tsa-ca.pem", "tsa.p12", "tsa.passphrase")


class TimestampFault(SigningError):
    """No time-stamp to be had now: no answer, or one that is not to be believed."""


class RevocationDataMissing(SigningError):
    """Nothing shows that a certificate is not revoked; what was signed or stamped with it is good otherwise."""


def stamper(keys: Path, *, shown_not_revoked: bool = True, at: datetime | None = None) -> TimeStamper:
    """The court's authority; SigningError when none is configured or its local key cannot be opened.

    shown_not_revoked   False: take its token also when only the revocation data for it is missing
    at                  the time that is ours; now when left out
    """
    return Checked(_authority(keys, tuple(keyring.version(keys / name) for name in FILES), at), keys, shown_not_revoked, at)


@lru_cache(maxsize=4)
def _authority(keys: Path, versions: tuple[tuple[int, int] | None, ...], at: datetime | None) -> TimeStamper:
    if (keys / "tsa.url").exists():
        ca = keys / "tsa-ca.pem"
        return Asked((keys / "tsa.url").read_text(encoding="ascii").strip(), ca if ca.exists() else None)
    if not (keys / "tsa.p12").exists():
        raise SigningError(f"there is no time-stamping authority: neither {keys / 'tsa.url'} nor tsa.p12")
    from pyhanko.sign.timestamps import DummyTimeStamper

    tsa = keyring.pkcs12(keys, "tsa", "the local time-stamping key")
    return DummyTimeStamper(tsa.signing_cert, tsa.signing_key, certs_to_embed=tsa.cert_registry, fixed_dt=at)


class Checked(TimeStamper):  # type: ignore[misc]
    """Another stamper, whose tokens are checked before they are handed on."""

    def __init__(self, inner: TimeStamper, keys: Path, shown_not_revoked: bool, at: datetime | None) -> None:
        super().__init__()
        self._inner, self._keys, self._shown_not_revoked, self._at = inner, keys, shown_not_revoked, at
        # How large a token is was learnt once for the authority, not for each report.
        self._dummy_response_cache = inner._dummy_response_cache

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        try:
            token = await self._inner.async_timestamp(message_digest, md_algorithm)
            stamp = lasting.stamped(token.dump(), None, hashed=(digests.canonical_name(md_algorithm) or md_algorithm, message_digest))
        except TimestampFault:
            raise
        except Exception as fault:  # whatever a stranger's answer makes the parsers say
            raise TimestampFault(f"the time-stamping authority gave no usable answer: {type(fault).__name__}: {fault}") from fault
        now = self._at or datetime.now(UTC)
        if abs(stamp.latest - now) > lasting.CLOCKS_APART_MAX:
            raise TimestampFault(f"the time-stamping authority says it is {stamp.latest:%Y-%m-%d %H:%M} UTC")
        for complete in (False, True):
            bench = lasting.Bench(anchors.read(self._keys), lasting.Store(), now, needs_lists=complete)
            found = lasting.believed(stamp, bench, at=now)
            if found.fault and not complete:
                raise TimestampFault(f"the time-stamping authority's certificate is revoked, expired or leads to no anchor in roots/: {found.fault}")
            if found.fault and self._shown_not_revoked:
                raise RevocationDataMissing(f"nothing in crls/ shows that the time-stamping authority's certificate is not revoked: {found.fault}")
        return token


class Asked(TimeStamper):  # type: ignore[misc]
    """RFC 3161 over HTTP (`asking`)."""

    def __init__(self, url: str, ca: Path | None) -> None:
        super().__init__()
        self._url, self._ca = url, ca

    async def async_request_tsa_response(self, req: Any) -> Any:
        from asn1crypto import tsp

        try:
            answer = asking.post(
                self._url, req.dump(), sent="application/timestamp-query", due="application/timestamp-reply", seconds=SECONDS_MAX, ca=self._ca
            )
        except asking.NoAnswer as fault:
            raise TimestampFault(f"the time-stamping authority did not answer: {fault}") from fault
        return tsp.TimeStampResp.load(answer, strict=True)
