"""What a platform certificate says, in one record whatever its form (spec consortium-chains §10).

Everything here is a claim: data to be compared with bytes and proofs, never trust.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """`alg` is one of `digests.LENGTH`, or None when the certificate names no algorithm.

    implied   the certificate names none and `alg` is what its platform documents as the default: tried first, and no
              contradiction when another algorithm fits
    """

    name: str | None
    size: int | None
    alg: str | None
    digest: bytes
    implied: bool = False


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
    at: str | None = None
    """Where in that file it stands, when the file lists several records."""
    part: str | None = None
    """None: what the certificate is about. Otherwise the member that names a further record (a log, a package) which the same
    certificate mentions: compared with proofs where there are any, and no gap where there are none."""
    cross_chain: tuple[tuple[str, str], ...] = ()
    """(court or chain, its number) of the same record on other ledgers, as stated."""
    from_text: bool = False
    """Read from printed text, where a label and its value are told by their place."""

    @property
    def subject(self) -> str:
        return " · ".join(t for t in (self.source, self.at, self.part) if t)
