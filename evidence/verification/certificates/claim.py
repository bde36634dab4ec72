"""What a platform certificate says, in one record whatever its form (spec consortium-chains §10).

Everything here is a claim: data to be compared with bytes and proofs, never trust.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """`alg` is one of `digests.LENGTH`, or None when the certificate names no algorithm."""

    name: str | None
    size: int | None
    alg: str | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class ClaimedTime:
    """`text` as printed; `instant` only when zone and unit are unambiguous."""

    text: str
    instant: datetime | None
    unit: str | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    source: str
    """Name of the file that makes the claim."""
    platform: str | None
    certificate_no: str | None
    files: tuple[ClaimedFile, ...]
    chain_family: str | None
    chain_id: str | None
    tx_id: str | None
    block_height: int | None
    block_hash: bytes | None
    time: ClaimedTime | None
    hosts: tuple[str, ...]
