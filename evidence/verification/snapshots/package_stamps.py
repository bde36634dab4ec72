"""Time-stamp tokens inside a forensic package, paired with its members by digest (spec snapshots §10).

Packages of time-stamping services hold, for each picture and recording, the file, a printed certificate and a token. A token
proves the time of the member whose digest it carries and of nothing else, so it starts no walk for the package.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..codecs.zipstrict import Member
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Finding, Outcome, failed, indeterminate, instant, passed
from .container import Container

if TYPE_CHECKING:
    from ..timestamps.token import Token

STAMPS = "CNP.STAMPS"
TOKENS_MAX = 50
"""Tokens of one package: three recordings have three; each costs two signatures to check."""
NAMED_MAX = 20

_TOKEN_NAME = re.compile(r"\.(?:tsr|tsa|tst)$", re.IGNORECASE)
_RECORDING = re.compile(r"\.(?:png|jpe?g|webp|bmp|avi|mts|mp4|mov|mkv|wmv|webm|flv)$", re.IGNORECASE)
"""What such a service stamps: pictures of the screen and recordings."""


@dataclass(slots=True)
class Tokens:
    """Tokens of a package by member, as far as they can be parsed; `broken` says of the others why not."""

    parsed: dict[str, tuple[bytes, "Token"]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    limited: bool = False

    @property
    def algorithms(self) -> set[str]:
        return {token.algorithm for _, token in self.parsed.values() if token.algorithm is not None}


def find(container: Container) -> Tokens:
    """Members named like tokens, read and parsed. Never raises for what they hold."""
    from ..timestamps import rfc3161
    from ..timestamps.token import TokenError, parse

    found = Tokens()
    members = [m for m in container.files if _TOKEN_NAME.search(m.name)]
    found.limited = len(members) > TOKENS_MAX
    for member in members[:TOKENS_MAX]:
        try:
            data = container.read(member, limit=rfc3161.TOKEN_BYTES_MAX, name="TOKEN_BYTES_MAX")
            token = parse(data) if data is not None else None
        except (TokenError, LimitReached) as fault:
            found.broken[member.name] = str(fault)
            continue
        if data is None or token is None:
            found.broken[member.name] = "no token in it"
        else:
            found.parsed[member.name] = (data, token)
    return found


def findings(container: Container, tokens: Tokens, context: Context) -> Iterator[Finding]:
    """CNP.STAMPS: every token has its partner and holds, and every picture and recording has a token. Not asked of packages
    without tokens."""
    if not tokens.parsed and not tokens.broken:
        return
    stamped: dict[str, str] = {}
    alone: list[str] = []
    unanchored: list[str] = []
    open_: Finding | None = None
    for name, (data, token) in tokens.parsed.items():
        partner = _partner(container, token)
        if partner is None:
            alone.append(name)
            continue
        worst = _worst(name, data, container, context)
        if worst is None:
            stamped[partner.name] = f"{quote(partner.name)} {instant(token.gen_time)} {quote(name)}"
        elif worst.outcome is Outcome.FAILED:
            yield failed(
                STAMPS, worst.reason or Reason.FORMAT_FAILURE, worst.subject, expected=worst.expected, actual=worst.actual
            )
        else:
            stamped.setdefault(partner.name, "")
            unanchored.append(f"{quote(partner.name)} {instant(token.gen_time)} {quote(name)}")
            open_ = open_ or worst
    unstamped = [m.name for m in container.files if _RECORDING.search(m.name) and m.name not in stamped]
    notes = (
        *(f"MEMBER_STAMPED:{told}" for told in list(filter(None, stamped.values()))[:NAMED_MAX]),
        *(f"MEMBER_STAMP_OPEN:{told}" for told in unanchored[:NAMED_MAX]),
        *(f"TOKEN_WITHOUT_PARTNER:{quote(n)}" for n in alone[:NAMED_MAX]),
        *(f"TOKEN_UNREADABLE:{quote(n)} {quote(why)}" for n, why in list(tokens.broken.items())[:NAMED_MAX]),
        *(f"UNSTAMPED:{quote(n)}" for n in unstamped[:NAMED_MAX]),
    )
    gravest = (
        (tokens.limited, Reason.RESOURCE_LIMIT),
        (alone, Reason.SIGNED_DATA_NOT_FOUND),
        (tokens.broken, Reason.FORMAT_FAILURE),
        (open_, open_.reason if open_ else None),
        (unstamped, Reason.PROOF_NOT_SUPPLIED),
    )
    reason = next((reason for is_so, reason in gravest if is_so), None)
    total = str(len(tokens.parsed) + len(tokens.broken))
    actual = str(sum(1 for told in stamped.values() if told))
    if reason is None:
        yield passed(STAMPS, container.subject, expected=total, actual=actual, notes=notes, bearing=Bearing.ADVISORY)
    else:
        yield indeterminate(
            STAMPS, reason, container.subject, expected=total, actual=actual, notes=notes, bearing=Bearing.ADVISORY
        )


def _partner(container: Container, token: "Token") -> Member | None:
    """The member whose digest the token carries."""
    digests: Mapping[str, Mapping[str, bytes]] = container.digests
    if token.algorithm is None:
        return None
    return next((m for m in container.files if digests.get(m.name, {}).get(token.algorithm) == token.imprint), None)


def _worst(name: str, data: bytes, container: Container, context: Context) -> Finding | None:
    """The gravest answer of the ladder of a token whose partner was found; None when all of it passed."""
    from .. import digests
    from ..certificates import pem
    from ..timestamps import rfc3161

    subject = f"{container.subject} · {quote(name)}"

    def imprint(token: "Token") -> Finding:
        if token.algorithm in digests.BROKEN:
            return indeterminate(rfc3161.IMPRINT, Reason.CRYPTO_CONSTRAINTS_FAILURE, subject)
        return passed(rfc3161.IMPRINT, subject)

    read = rfc3161.verify_imprint(
        data,
        subject=subject,
        imprint=imprint,
        trust=context.trust,
        at=context.at,
        certificates=pem.certificates(context.of("x509")),
    )
    deciding = [f for f in read.findings if f.bearing is not Bearing.ADVISORY and f.outcome is not Outcome.PASSED]
    return min(deciding, key=lambda f: f.outcome is not Outcome.FAILED, default=None)
