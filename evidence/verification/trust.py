"""The court's trust store, loaded from a directory in anchor-pack layout (spec public-anchors §10, consortium-chains §2.2).

Whatever a party brings is data; only what stands here is trust. The pack is read whole, checked against its manifest and
frozen; its digest enters every verdict.

    manifest.json                         {"format": "mingjian.anchor-pack", "version": "2026.11", "issued_at": RFC 3339,
                                           "court": {"zh", "en"}, "demonstration": bool,
                                           "members": [{"path", "sha256", "source", "fetched_at"}]}
    policy.json                           {"accept_d": [platform id], "accept_writer_defects": [defect id],
                                           "tsa_policies": [OID] (empty: any)}
    consortium/<name>/profile.json        ChainProfile without epochs and checkpoints
    consortium/<name>/validators.json     {"epochs": [{"from_height", "to_height" | null, "quorum" | null,
                                             "validators": [{"key" | "cert_sha256", "weight", "org", "operator", "role", "node_name"}]}],
                                           "org_roots": [{"org", "pem", "from_height" | null, "to_height" | null}]}
    consortium/<name>/checkpoints.json    {"checkpoints": [{"height", "hash", "recorded_at", "basis"}]}
    tsa/certs/*.pem                       roots of time-stamping authorities
    web/certs/*.pem                       roots of web-server certificates (WACZ-auth domain signatures)
    platforms.json                        {"platforms": [{"id", "title", "operator", "hosts": [], "registration", "checked_on"}]}
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .codecs import strict_json
from .codecs.text import hex_bytes

MEMBERS_MAX = 10_000
MEMBER_BYTES_MAX = 128 << 20


class TrustError(ValueError):
    """The pack does not verify: nothing of it is loaded. The message names the member and the fault."""


@dataclass(frozen=True, slots=True)
class Validator:
    """`key`: public key bytes as the chain writes them (FISCO: 64-byte x‖y; ChainMaker public-key mode: SubjectPublicKeyInfo DER)
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

    @classmethod
    def empty(cls) -> "TrustStore":
        """`--trust none`: trusts nothing."""
        none: Mapping[str, str] = MappingProxyType({"zh": "无", "en": "none"})
        return cls("none", "none", none, False, (), (), (), (), frozenset(), frozenset(), frozenset())

    @classmethod
    def load(cls, directory: Path) -> "TrustStore":
        """Raises TrustError and nothing else, whatever the directory holds."""
        try:
            return _Pack(directory).store()
        except TrustError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError, OSError) as fault:
            raise TrustError(f"anchor pack: {type(fault).__name__} {fault}") from fault

    def chain(self, *, family: str, chain_id: str, group_id: str | None = None) -> ChainProfile | None:
        """The profile of a chain by what it calls itself; the genesis hash is compared by the caller."""
        return next(
            (
                c
                for c in self.chains
                if c.family == family and c.chain_id == chain_id and (c.group_id is None or c.group_id == group_id)
            ),
            None,
        )

    def chains_of(self, family: str) -> tuple[ChainProfile, ...]:
        return tuple(c for c in self.chains if c.family == family)

    def platform(self, platform_id: str) -> Platform | None:
        return next((p for p in self.platforms if p.id == platform_id), None)

    def identity(self) -> dict[str, str]:
        """What a verdict prints about the store it used."""
        label = "demonstration" if self.demonstration else ("none" if self.digest == "none" else "court")
        return {"sha256": self.digest, "version": self.version, "label": label}


class _Pack:
    def __init__(self, directory: Path) -> None:
        self._root = directory
        try:
            manifest_bytes = (directory / "manifest.json").read_bytes()
        except OSError as fault:
            raise TrustError(f"manifest.json cannot be read in {directory}: {fault.strerror}") from fault
        self._digest = hashlib.sha256(manifest_bytes).hexdigest()
        self.manifest = self._parse("manifest.json", manifest_bytes)
        if self.manifest.get("format") != "mingjian.anchor-pack":
            raise TrustError("manifest.json: not an anchor pack")
        self._members = self._read_members()

    def store(self) -> TrustStore:
        policy = self._json("policy.json")
        demonstration = bool(self.manifest["demonstration"])
        return TrustStore(
            digest=self._digest,
            version=str(self.manifest["version"]),
            court=MappingProxyType(dict(self.manifest["court"])),
            demonstration=demonstration,
            chains=tuple(
                self._chain(path.rsplit("/", 1)[0], demonstration)
                for path in sorted(self._members)
                if path.startswith("consortium/") and path.endswith("/profile.json")
            ),
            tsa_roots=self._certificates("tsa/certs/"),
            web_roots=self._certificates("web/certs/"),
            platforms=tuple(
                Platform(
                    id=p["id"],
                    title=MappingProxyType(dict(p["title"])),
                    operator=p["operator"],
                    hosts=tuple(p.get("hosts", ())),
                    registration=p.get("registration"),
                    checked_on=p.get("checked_on"),
                )
                for p in self._json("platforms.json").get("platforms", ())
            ),
            accept_d=frozenset(policy.get("accept_d", ())),
            accept_writer_defects=frozenset(policy.get("accept_writer_defects", ())),
            tsa_policies=frozenset(policy.get("tsa_policies", ())),
        )

    def _chain(self, folder: str, demonstration: bool) -> ChainProfile:
        p = self._json(f"{folder}/profile.json")
        sets = self._json(f"{folder}/validators.json")
        suite = p["suite"]
        return ChainProfile(
            id=p["id"],
            title=MappingProxyType(dict(p["title"])),
            operator=p["operator"],
            family=p["family"],
            chain_id=p["chain_id"],
            group_id=p.get("group_id"),
            genesis_hash=hex_bytes(p["genesis_hash"]) if p.get("genesis_hash") else None,
            hash=suite["hash"],
            signature=suite["signature"],
            sm2_uid=suite.get("sm2_uid", "1234567812345678").encode(),
            consensus=p["consensus"],
            path_generation=p.get("path_generation", "unknown"),
            accept_raw_hit=bool(p.get("accept_raw_hit", False)),
            contracts=tuple(
                EvidenceContract(
                    name=c["name"],
                    method=c["method"],
                    digest_param=c["digest_param"],
                    encoding=c["encoding"],
                    alg=c.get("alg"),
                    final_event=c.get("final_event"),
                    from_height=int(c.get("from_height", 0)),
                )
                for c in p.get("contracts", ())
            ),
            epochs=tuple(_epoch(e) for e in sets.get("epochs", ())),
            org_roots=tuple(
                OrgRoot(r["org"], r["pem"].encode(), r.get("from_height"), r.get("to_height"))
                for r in sets.get("org_roots", ())
            ),
            checkpoints=tuple(
                Checkpoint(
                    c["height"],
                    hex_bytes(c["hash"]),
                    datetime.fromisoformat(c["recorded_at"]) if c.get("recorded_at") else None,
                    c["basis"],
                )
                for c in self._json(f"{folder}/checkpoints.json").get("checkpoints", ())
            ),
            demonstration=demonstration,
        )

    def _certificates(self, prefix: str) -> tuple[bytes, ...]:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        found: list[bytes] = []
        for path in sorted(self._members):
            if path.startswith(prefix):
                try:
                    loaded = x509.load_pem_x509_certificates(self._members[path])
                except ValueError as fault:
                    raise TrustError(f"{path}: not a PEM certificate") from fault
                found.extend(c.public_bytes(Encoding.DER) for c in loaded)
        return tuple(found)

    def _read_members(self) -> dict[str, bytes]:
        """PACK.MANIFEST: every listed member present and unchanged, nothing unlisted."""
        listed = {m["path"]: m["sha256"] for m in self.manifest["members"]}
        present = {
            p.relative_to(self._root).as_posix() for p in self._root.rglob("*") if p.is_file() or p.is_symlink()
        } - {"manifest.json"}
        if len(listed) > MEMBERS_MAX:
            raise TrustError("manifest.json: too many members")
        if present != set(listed):
            odd = sorted(present ^ set(listed))[0]
            raise TrustError(f"{odd}: {'not listed in' if odd in present else 'missing but listed in'} manifest.json")
        members: dict[str, bytes] = {}
        for path, sha256 in listed.items():
            file = self._root / path
            if file.is_symlink() or file.stat().st_size > MEMBER_BYTES_MAX:
                raise TrustError(f"{path}: a link, or larger than the limit")
            data = file.read_bytes()
            if hashlib.sha256(data).hexdigest() != sha256:
                raise TrustError(f"{path}: changed since the manifest was made")
            members[path] = data
        return members

    def _json(self, path: str) -> dict[str, Any]:
        return self._parse(path, self._members[path]) if path in self._members else {}

    @staticmethod
    def _parse(path: str, data: bytes) -> dict[str, Any]:
        try:
            value = strict_json.loads(data)
        except strict_json.JsonError as fault:
            raise TrustError(f"{path}: {fault}") from fault
        if not isinstance(value, dict):
            raise TrustError(f"{path}: not a JSON object")
        return value


def _epoch(e: dict[str, Any]) -> Epoch:
    validators = tuple(
        Validator(
            key=hex_bytes(v["key"]) if v.get("key") else None,
            cert_sha256=hex_bytes(v["cert_sha256"]) if v.get("cert_sha256") else None,
            weight=int(v.get("weight", 1)),
            org=v.get("org", ""),
            operator=v["operator"],
            role=v.get("role", "platform"),
            node_name=v.get("node_name", ""),
        )
        for v in e["validators"]
    )
    if any((v.key is None) == (v.cert_sha256 is None) or v.weight < 1 for v in validators):
        raise TrustError("validators.json: each validator has one identity and a positive weight")
    return Epoch(int(e["from_height"]), e.get("to_height"), validators, e.get("quorum"))


SHIPPED = Path(__file__).with_name("anchors")
"""The store shipped with the product: public roots only, no chain."""
