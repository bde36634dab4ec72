"""The court's trust store, loaded from a directory in anchor-pack layout (spec public-anchors §10, consortium-chains §2.2).

Whatever a party brings is data; only what stands here is trust. The pack is read whole, checked against its manifest and
frozen; its digest enters every verdict.

    manifest.json                         {"format": "mingjian.anchor-pack", "version": "2026.11", "issued_at": RFC 3339,
                                           "court": {"zh", "en"}, "demonstration": bool,
                                           "members": [{"path", "sha256", "source", "fetched_at"}]}
    manifest.sig                          the court's signature, no member of the pack (`pack_signature`)
    policy.json                           {"accept_d": [platform id], "accept_writer_defects": [defect id],
                                           "tsa_policies": [OID] (empty: any)}
    consortium/<name>/profile.json        ChainProfile without epochs and checkpoints
    consortium/<name>/validators.json     {"epochs": [{"from_height", "to_height" | null, "quorum" | null,
                                             "validators": [{"key" | "cert_sha256", "weight", "org", "operator", "role", "node_name"}]}],
                                           "org_roots": [{"org", "pem", "from_height" | null, "to_height" | null, "role" | null}]}
    consortium/<name>/checkpoints.json    {"checkpoints": [{"height", "hash", "recorded_at", "basis"}]}
    tsa/certs/*.pem                       roots of time-stamping authorities
    web/certs/*.pem                       roots of web-server certificates (WACZ-auth domain signatures)
    ct/logs.json                          {"logs": [{"title", "key": base64 SubjectPublicKeyInfo}]}: transparency logs (WACZ-auth)
    seals/certs/*.pem                     roots above electronic seals (platforms, notaries, courts), or such seals themselves
    seals/crls/*.crl                      revocation lists (DER) of the authorities below those roots
    platforms.json                        {"platforms": [{"id", "title", "operator", "hosts": [], "registration", "checked_on",
                                           "seals": [hex SHA-256 of a certificate of the platform's seal],
                                           "depositors": [hex SM2 key x‖y of a depositor the platform vouches for]}]}
                                          `id` as in `certificates.platforms`; `registration` is the 区块链信息服务备案号
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType


class TrustError(ValueError):
    """The pack does not verify: nothing of it is loaded. The message names the member and the fault."""


@dataclass(frozen=True, slots=True)
class Validator:
    """`key`: public key bytes as the chain writes them (FISCO and XuperChain: 64-byte x‖y; ChainMaker public-key mode: SubjectPublicKeyInfo DER)
    or None; `cert_sha256`: digest of the DER certificate or None. Exactly one of them identifies the validator."""

    key: bytes | None
    cert_sha256: bytes | None
    weight: int
    org: str
    operator: str
    role: str
    node_name: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """A validator set in force from `from_height` to `to_height` (inclusive); an open epoch has no end."""

    from_height: int
    to_height: int | None
    validators: tuple[Validator, ...]
    quorum: int | None
    """None: the family's own formula decides."""

    def covers(self, height: int) -> bool:
        return self.from_height <= height and (self.to_height is None or height <= self.to_height)


@dataclass(frozen=True, slots=True)
class OrgRoot:
    org: str
    pem: bytes
    from_height: int | None
    to_height: int | None
    role: str | None = None
    """Fabric: `orderer` (its nodes sign blocks) or `member` (its nodes endorse and send); None: nothing is said, so it signs no block."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    height: int
    hash: bytes
    recorded_at: datetime | None
    basis: str
    """`independent` (recorded outside the chain's operators) or `copied` (taken from one node)."""


@dataclass(frozen=True, slots=True)
class EvidenceContract:
    """Where a contract keeps evidence digests: `digest_param` of `method`, rendered as `encoding` under `alg` (None: try all)."""

    name: str
    method: str
    digest_param: str
    encoding: str
    alg: str | None
    final_event: str | None
    from_height: int


@dataclass(frozen=True, slots=True)
class ChainProfile:
    id: str
    title: Mapping[str, str]
    operator: str
    family: str
    chain_id: str
    group_id: str | None
    genesis_hash: bytes | None
    hash: str
    signature: str
    sm2_uid: bytes
    consensus: str
    """Ceiling of spec consortium-chains §3.3: BFT, SINGLE or NONE."""
    path_generation: str
    accept_raw_hit: bool
    contracts: tuple[EvidenceContract, ...]
    epochs: tuple[Epoch, ...]
    org_roots: tuple[OrgRoot, ...]
    checkpoints: tuple[Checkpoint, ...]
    demonstration: bool
    execution_basis: str | None = None
    """Fabric: `ordering_only` (an ordered transaction counts as recorded) or `peers`; None: the court has not chosen."""

    def epoch_at(self, height: int) -> Epoch | None:
        return next((e for e in self.epochs if e.covers(height)), None)

    def checkpoint_at(self, height: int) -> Checkpoint | None:
        return next((c for c in self.checkpoints if c.height == height), None)


@dataclass(frozen=True, slots=True)
class Platform:
    id: str
    title: Mapping[str, str]
    operator: str
    hosts: tuple[str, ...]
    registration: str | None
    checked_on: str | None
    seals: tuple[bytes, ...] = ()
    """SHA-256 of the DER certificates of its electronic seals, present and former."""
    depositors: tuple[bytes, ...] = ()
    """SM2 public keys (64 bytes x‖y) of depositors that the platform has confirmed to the court."""


@dataclass(frozen=True)
class TrustStore:
    """What the court trusts. `digest` is the SHA-256 of the manifest, which lists the SHA-256 of every other member."""

    digest: str
    version: str
    court: Mapping[str, str]
    demonstration: bool
    chains: tuple[ChainProfile, ...]
    tsa_roots: tuple[bytes, ...]
    """DER certificates."""
    web_roots: tuple[bytes, ...]
    """DER certificates."""
    platforms: tuple[Platform, ...]
    accept_d: frozenset[str]
    accept_writer_defects: frozenset[str]
    tsa_policies: frozenset[str]
    seal_roots: tuple[bytes, ...] = ()
    """DER certificates."""
    revocation_lists: tuple[bytes, ...] = ()
    """DER. Each is signed by its authority and counts only below one of the roots."""
    ct_logs: Mapping[bytes, bytes] = field(default_factory=dict)
    """SHA-256 of a transparency log's key (RFC 6962 §3.2) -> the key, SubjectPublicKeyInfo in DER."""

    @classmethod
    def empty(cls) -> "TrustStore":
        """`--trust none`: trusts nothing."""
        none: Mapping[str, str] = MappingProxyType({"zh": "无", "en": "none"})
        return cls("none", "none", none, False, (), (), (), (), frozenset(), frozenset(), frozenset())

    @classmethod
    def load(cls, directory: Path) -> "TrustStore":
        """Raises TrustError and nothing else, whatever the directory holds."""
        from . import anchor_pack

        return anchor_pack.load(directory)

    def chains_named(
        self, *, family: str, chain_id: str, group_id: str | None = None
    ) -> tuple[ChainProfile, ...]:
        """The profiles of a chain by what it calls itself. Installers give every chain the same name (chain0, chain1), so
        that several may bear it: the caller compares the genesis hash, and whose signatures a block has."""
        return tuple(
            c
            for c in self.chains
            if c.family == family and c.chain_id == chain_id and (c.group_id is None or c.group_id == group_id)
        )

    def chains_of(self, family: str) -> tuple[ChainProfile, ...]:
        return tuple(c for c in self.chains if c.family == family)

    def platform(self, platform_id: str) -> Platform | None:
        return next((p for p in self.platforms if p.id == platform_id), None)

    def platform_of_seal(self, certificate: bytes) -> Platform | None:
        """The platform that the court has registered this seal (DER certificate) for."""
        digest = hashlib.sha256(certificate).digest()
        return next((p for p in self.platforms if digest in p.seals), None)

    def identity(self) -> dict[str, str]:
        """What a verdict prints about the store it used."""
        label = "demonstration" if self.demonstration else ("none" if self.digest == "none" else "court")
        return {"sha256": self.digest, "version": self.version, "label": label}


SHIPPED = Path(__file__).with_name("anchors")
"""The store shipped with the product: public roots only, no chain."""
