"""Time-stamps for reports: one authority, asked with a limit, and believed only after its token was checked.

In the signing directory `tsa.url` names the authority the court may ask, the only address that is ever asked; `tsa.p12` and
`tsa.passphrase` are a local one (demonstration, tests). A token goes into a report only when it is over the right digest, is
signed by a certificate under the court's roots that is shown not revoked, and tells a time near ours.
"""

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyhanko.sign.timestamps import TimeStamper

from . import keyring
from .checking import context
from .keyring import SigningError

log = logging.getLogger(__name__)

SECONDS_MAX = 10
"""For one answer, from the connection to the last byte."""
CLOCKS_APART_MAX = timedelta(minutes=5)
FILES = ("tsa.url", "tsa.p12", "tsa.passphrase")


class TimestampFault(RuntimeError):
    """No time-stamp to be had now: no answer, or one that is not to be believed."""


class RevocationDataMissing(RuntimeError):
    """The token is good, but nothing shows that the authority's certificate is not revoked."""


def stamper(keys: Path, *, shown_not_revoked: bool = True) -> TimeStamper:
    """The court's authority; SigningError when none is configured or its local key cannot be opened.

    shown_not_revoked   False: take its token also when only the revocation data for it is missing
    """
    return _stamper(keys, shown_not_revoked, tuple(keyring.version(keys / name) for name in FILES))


@lru_cache(maxsize=4)
def _stamper(keys: Path, shown_not_revoked: bool, versions: tuple[tuple[int, int] | None, ...]) -> TimeStamper:
    if (keys / "tsa.url").exists():
        return Checked(Asked((keys / "tsa.url").read_text(encoding="ascii").strip()), keys, shown_not_revoked)
    if not (keys / "tsa.p12").exists():
        raise SigningError(f"there is no time-stamping authority: neither {keys / 'tsa.url'} nor tsa.p12")
    from pyhanko.sign.timestamps import DummyTimeStamper

    tsa = keyring.pkcs12(keys, "tsa", "the local time-stamping key")
    return Checked(DummyTimeStamper(tsa.signing_cert, tsa.signing_key, certs_to_embed=tsa.cert_registry), keys, shown_not_revoked)


class Checked(TimeStamper):  # type: ignore[misc]
    """Another stamper, whose tokens are checked before they are handed on."""

    def __init__(self, inner: TimeStamper, keys: Path, shown_not_revoked: bool) -> None:
        super().__init__()
        self._inner, self._keys, self._shown_not_revoked = inner, keys, shown_not_revoked

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        try:
            token = await self._inner.async_timestamp(message_digest, md_algorithm)
        except TimestampFault:
            raise
        except Exception as fault:  # whatever a stranger's answer makes the parsers say
            raise TimestampFault(f"the time-stamping authority gave no usable answer: {type(fault).__name__}: {fault}") from fault
        try:
            shown = [await self._believable(token, message_digest, md_algorithm, mode=mode) for mode in ("require", "soft-fail")]
        except TimestampFault:
            raise
        except Exception as fault:
            raise TimestampFault(f"the time-stamping authority's token cannot be read: {type(fault).__name__}: {fault}") from fault
        if not shown[1]:
            raise TimestampFault("the time-stamping authority's certificate is revoked, expired or leads to no anchor in roots/")
        if self._shown_not_revoked and not shown[0]:
            raise RevocationDataMissing("nothing in crls/ shows that the time-stamping authority's certificate is not revoked")
        return token

    async def _believable(self, token: Any, message_digest: bytes, md_algorithm: str, *, mode: str) -> bool:
        from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
        from pyhanko.sign.validation.status import TimestampSignatureStatus

        if token["content_type"].native != "signed_data":
            raise TimestampFault("the time-stamping authority answered with something that is no token")
        # The imprint must name the algorithm that was asked for: a digest under another name is not ours.
        found = await validate_tst_signed_data(
            token["content"], context(self._keys, mode=mode), lambda name: message_digest if name == md_algorithm else b""
        )
        status = TimestampSignatureStatus(**found)
        if not (status.intact and status.valid):
            raise TimestampFault("the time-stamping authority's token is over something else, or its signature is broken")
        if abs(status.timestamp - datetime.now(UTC)) > CLOCKS_APART_MAX:
            raise TimestampFault(f"the time-stamping authority says it is {status.timestamp:%Y-%m-%d %H:%M} UTC")
        return bool(status.trusted)


class Asked(TimeStamper):  # type: ignore[misc]
    """RFC 3161 over HTTP by the library's client, with `SECONDS_MAX` for all of it: its own limit is for each byte."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def async_request_tsa_response(self, req: Any) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def deliver(value: Any, fault: Exception | None) -> None:
            if answer.done():
                return
            if fault is not None:
                answer.set_exception(fault)
            else:
                answer.set_result(value)

        def ask() -> None:
            from pyhanko.sign.timestamps import HTTPTimeStamper

            value, fault = None, None
            try:
                value = asyncio.run(HTTPTimeStamper(self._url, timeout=SECONDS_MAX).async_request_tsa_response(req))
            except Exception as said:
                fault = said
            try:
                loop.call_soon_threadsafe(deliver, value, fault)
            except RuntimeError:  # the loop is closed: nobody waits any more
                log.info("the time-stamping authority answered too late")

        # A thread of its own: a server that sends a byte now and then holds up nobody but that thread.
        threading.Thread(target=ask, name="time-stamp", daemon=True).start()
        try:
            return await asyncio.wait_for(answer, SECONDS_MAX)
        except TimeoutError as fault:
            raise TimestampFault(f"the time-stamping authority did not answer within {SECONDS_MAX} seconds") from fault
        except OSError as fault:
            raise TimestampFault(f"the time-stamping authority cannot be reached: {type(fault).__name__}") from fault
