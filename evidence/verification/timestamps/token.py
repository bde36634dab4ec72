"""What a time-stamp token says, read from its bytes (RFC 3161 §2.4.2); whether it holds is asked in `rfc3161`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import digests

_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_GEN_TIME = re.compile(rb"(\d{14})(?:\.(\d{1,9}))?Z", re.ASCII)


class TokenError(ValueError):
    """Not a time-stamp response or token of the form that is due. The message names the offence."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says. `algorithm` is a name of `digests.LENGTH`, None when it is not one of ours."""

    status: int
    algorithm: str | None
    algorithm_oid: str
    imprint: bytes
    serial: int
    policy: str
    gen_time: datetime
    accuracy: timedelta | None
    latest: datetime
    """The latest moment that genTime and its accuracy leave open: only "not later than this" is vouched for."""
    signed: Any
    """`cms.SignedData`; typed loosely because that module is imported late."""

def parse(data: bytes) -> Token | None:
    """A response or a token -> Token; None for a response that carries no token. Raises TokenError and nothing else."""
    from ..keys import cms

    try:
        status, content_info = _unwrap(data)
        if content_info is None:
            return None
        signed = cms.parse(content_info)
        if signed.content_type != _TST_INFO:
            raise TokenError(f"content type {signed.content_type}")
        return _token(status, signed)
    except cms.CmsError as fault:
        raise TokenError(str(fault)) from fault
    except TokenError:
        raise
    except cms.ASN1_FAULTS as fault:
        raise TokenError("not a readable time-stamp token") from fault


def _unwrap(data: bytes) -> tuple[int, bytes | None]:
    """(status, ContentInfo bytes). A bare token has no status of its own and counts as granted."""
    from asn1crypto import core

    class Response(core.Sequence):  # type: ignore[misc, unused-ignore]
        """TimeStampResp with the token left as bytes."""

        _fields = [("status", core.Sequence), ("token", core.Any, {"optional": True})]

    outer = core.Sequence.load(data, strict=True)
    if isinstance(outer[0], core.ObjectIdentifier):
        return 0, data
    response = Response.load(data, strict=True)
    status = response["status"][0]
    if not isinstance(status, core.Integer):
        raise TokenError("no status in the response")
    token = response["token"]
    return int(status.native), None if isinstance(token, core.Void) else token.dump()


def _token(status: int, signed: Any) -> Token:
    from asn1crypto import tsp

    from ..keys.public_key import DIGEST_NAMES

    info = tsp.TSTInfo.load(signed.content, strict=True)
    if info["version"].native != "v1":
        raise TokenError("version of TSTInfo")
    hash_algorithm = info["message_imprint"]["hash_algorithm"]
    if hash_algorithm["parameters"].native is not None:
        raise TokenError("imprint algorithm with parameters")
    oid = hash_algorithm["algorithm"].dotted
    algorithm = DIGEST_NAMES.get(oid)
    imprint = bytes(info["message_imprint"]["hashed_message"].native)
    if algorithm is not None and len(imprint) != digests.LENGTH[algorithm]:
        raise TokenError(f"{algorithm} imprint of {len(imprint)} bytes")
    if any(e["critical"].native for e in info["extensions"] or ()):
        raise TokenError("critical extension in TSTInfo")
    gen_time = _gen_time(bytes(info["gen_time"].contents))
    accuracy = _accuracy(info["accuracy"])
    return Token(
        status=status,
        algorithm=algorithm,
        algorithm_oid=oid,
        imprint=imprint,
        serial=int(info["serial_number"].native),
        policy=info["policy"].dotted,
        gen_time=gen_time,
        accuracy=accuracy,
        latest=gen_time + (accuracy or timedelta(0)),
        signed=signed,
    )


def _gen_time(text: bytes) -> datetime:
    """RFC 3161 §2.4.2: `YYYYMMDDhhmmss[.s…]Z`, nothing else; digits beyond the microsecond are dropped."""
    match = _GEN_TIME.fullmatch(text)
    if match is None:
        raise TokenError("genTime is not in the form of RFC 3161")
    seconds = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return seconds + timedelta(microseconds=int((match[2] or b"0").ljust(6, b"0")[:6]))


def _accuracy(accuracy: Any) -> timedelta | None:
    values = accuracy.native
    if values is None:
        return None
    return timedelta(
        seconds=values["seconds"] or 0,
        milliseconds=values["millis"] or 0,
        microseconds=values["micros"] or 0,
    )
