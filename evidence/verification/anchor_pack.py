"""An anchor pack on disk -> the court's trust store; the layout stands in `trust`.

What stands here decides verdicts, and two people approved it: so whatever of it could be read in two ways, or says less than it
seems to, is refused as a whole. A quorum of nothing, a validator listed twice, epochs that overlap, a flag that is a text, a
member that this engine does not know: each would be found out only by a false result.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import digests
from .certificates.addresses import host_of
from .codecs import strict_json
from .codecs.text import CodecError, hex_bytes
from .trust import (
    ChainProfile,
    Checkpoint,
    Epoch,
    EvidenceContract,
    OrgRoot,
    Platform,
    TrustError,
    TrustStore,
    Validator,
)

FORMAT = "mingjian.anchor-pack"
SIGNATURE = "manifest.sig"
"""The court's signature over the manifest (`pack_signature`): stands beside the pack and is no member of it."""
MEMBERS_MAX = 10_000
MEMBER_BYTES_MAX = 128 << 20
NUMBER_MAX = (1 << 63) - 1
"""Heights and weights: no chain counts further."""

FAMILIES = ("chainmaker", "fisco2", "fisco3", "fabric", "xuperchain")
CONSENSUS = ("BFT", "SINGLE", "NONE")
SIGNATURES = ("ECDSA-P256", "ECDSA-SECP256K1", "SM2", "RSA")
GENERATIONS = ("current", "legacy", "unknown")
ENCODINGS = ("hex-text", "base64-text", "bytes")
ROLES = ("platform", "court", "neutral")
ROOT_ROLES = ("orderer", "member")
EXECUTION = ("ordering_only", "peers")
BASES = ("independent", "copied")
POINT_FAMILIES = ("fisco2", "fisco3", "xuperchain")
"""Families whose validators are pinned by the bare point x‖y."""
POINT_BYTES = 64
SM2_KEY_BYTES = 64

_MANIFEST = ("format", "version", "issued_at", "court", "demonstration", "members")
_PROFILE = (
    "id", "title", "operator", "family", "chain_id", "group_id", "genesis_hash", "suite", "consensus", "path_generation",
    "accept_raw_hit", "contracts",
    "execution_basis",
    # of the specification (consortium-chains §2.2), for people or for families that are not read yet
    "engine_versions", "channel", "bcname",
)  # fmt: skip
_CONTRACT = ("name", "method", "digest_param", "encoding", "alg", "final_event", "from_height")
_VALIDATOR = ("key", "cert_sha256", "weight", "org", "operator", "role", "node_name")


def load(directory: Path) -> TrustStore:
    """Raises TrustError and nothing else, whatever the directory holds."""
    with _named():
        try:
            manifest = (directory / "manifest.json").read_bytes()
        except OSError as fault:
            raise TrustError(f"manifest.json cannot be read in {directory}: {fault.strerror}") from fault
        return _store(manifest, _on_disk(directory))


def of(manifest: bytes, members: Mapping[str, bytes]) -> TrustStore:
    """The same of a pack that lies on no disk: the bytes of its manifest, and path -> bytes of everything beside it."""
    with _named():
        return _store(manifest, _in_memory(members))


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except TrustError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as fault:
        raise TrustError(f"anchor pack: {type(fault).__name__} {fault}") from fault


def _store(manifest_bytes: bytes, contents: "_Contents") -> TrustStore:
    manifest = _Reading(_parse("manifest.json", manifest_bytes), "manifest.json")
    if manifest.value.get("format") != FORMAT:
        raise TrustError("manifest.json: not an anchor pack")
    manifest.only(_MANIFEST)
    members = _members(contents, manifest)
    demonstration = manifest.flag("demonstration", None)

    def reading(path: str) -> _Reading:
        return _Reading(_parse(path, members[path]) if path in members else {}, path)

    policy, platforms, logs = reading("policy.json"), reading("platforms.json"), reading("ct/logs.json")
    policy.only(("accept_d", "accept_writer_defects", "tsa_policies"))
    platforms.only(("platforms",))
    logs.only(("logs",))
    folders = sorted(p.rsplit("/", 1)[0] for p in members if p.startswith("consortium/") and p.endswith("/profile.json"))
    chains = tuple(_chain(folder, reading, demonstration) for folder in folders)
    listed = tuple(_platform(p) for p in platforms.objects("platforms"))
    _distinct("a chain's id", [c.id for c in chains])
    _distinct("a platform's id", [p.id for p in listed])
    keys = [_log_key(log) for log in logs.objects("logs")]
    _distinct("ct/logs.json: a log", keys)
    return TrustStore(
        digest=hashlib.sha256(manifest_bytes).hexdigest(),
        version=manifest.text("version"),
        court=manifest.texts_by_language("court"),
        demonstration=demonstration,
        chains=chains,
        tsa_roots=tuple(_certificates(members, "tsa/certs/")),
        web_roots=tuple(_certificates(members, "web/certs/")),
        seal_roots=tuple(_certificates(members, "seals/certs/")),
        revocation_lists=tuple(_revocation_lists(members, "seals/crls/")),
        ct_logs=MappingProxyType({hashlib.sha256(key).digest(): key for key in keys}),
        platforms=listed,
        accept_d=frozenset(policy.texts("accept_d")),
        accept_writer_defects=frozenset(policy.texts("accept_writer_defects")),
        tsa_policies=frozenset(policy.texts("tsa_policies")),
    )


# ── the members ───────────────────────────────────────────────────────────────────────────────────────────────────────


_Contents = tuple[Collection[str], Callable[[str], bytes]]
"""What stands beside the manifest, and its bytes by path (TrustError for what is no plain file, or too large)."""


def _on_disk(root: Path) -> _Contents:
    found = (p for p in root.rglob("*") if p.is_symlink() or not p.is_dir())
    present = {p.relative_to(root).as_posix() for p in found} - {"manifest.json", SIGNATURE}

    def read(path: str) -> bytes:
        file = root / path
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MEMBER_BYTES_MAX:
            raise TrustError(f"{path}: a link, no file, or larger than the limit")
        return file.read_bytes()

    return present, read


def _in_memory(members: Mapping[str, bytes]) -> _Contents:
    def read(path: str) -> bytes:
        if len(members[path]) > MEMBER_BYTES_MAX:
            raise TrustError(f"{path}: larger than the limit")
        return members[path]

    return members.keys(), read


def _members(contents: _Contents, manifest: "_Reading") -> dict[str, bytes]:
    """PACK.MANIFEST: every listed member present and unchanged, nothing unlisted, nothing listed twice."""
    entries = [(m.text("path"), m.text("sha256")) for m in manifest.objects("members")]
    if len(entries) > MEMBERS_MAX:
        raise TrustError("manifest.json: too many members")
    _distinct("manifest.json: a member", [path for path, _ in entries])
    listed = dict(entries)
    present, read = contents
    if set(present) != set(listed):
        odd = sorted(set(present) ^ set(listed))[0]
        raise TrustError(f"{odd}: {'not listed in' if odd in present else 'missing but listed in'} manifest.json")
    members: dict[str, bytes] = {}
    for path, sha256 in listed.items():
        data = read(path)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise TrustError(f"{path}: changed since the manifest was made")
        members[path] = data
    return members


def _parse(path: str, data: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(data)
    except strict_json.JsonError as fault:
        raise TrustError(f"{path}: {fault}") from fault
    if not isinstance(value, dict):
        raise TrustError(f"{path}: not a JSON object")
    return value


def _certificates(members: Mapping[str, bytes], prefix: str) -> Iterator[bytes]:
    for path in sorted(members):
        if path.startswith(prefix):
            yield from _der(members[path], path)


def _revocation_lists(members: Mapping[str, bytes], prefix: str) -> Iterator[bytes]:
    from cryptography import x509

    for path in sorted(members):
        if path.startswith(prefix):
            try:
                x509.load_der_x509_crl(members[path])
            except ValueError as fault:
                raise TrustError(f"{path}: not a revocation list in DER") from fault
            yield members[path]


def _der(pem: bytes, where: str) -> list[bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        return [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(pem)]
    except ValueError as fault:
        raise TrustError(f"{where}: not a PEM certificate") from fault


# ── chains ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chain(folder: str, reading: Any, demonstration: bool) -> ChainProfile:
    p, sets = reading(f"{folder}/profile.json"), reading(f"{folder}/validators.json")
    checkpoints = reading(f"{folder}/checkpoints.json")
    p.only(_PROFILE)
    sets.only(("epochs", "org_roots"))
    checkpoints.only(("checkpoints",))
    suite = p.object("suite")
    suite.only(("hash", "signature", "sm2_uid"))
    if digests.canonical_name(suite.text("hash")) is None:
        raise TrustError(f"{suite.where}: hash is none that the engine knows")
    family = p.choice("family", FAMILIES)
    roots = tuple(_org_root(r) for r in sets.objects("org_roots"))
    epochs = tuple(_epoch(e, family, bool(roots)) for e in sets.objects("epochs"))
    _check_epochs(epochs, sets.where)
    pins = tuple(_checkpoint(c) for c in checkpoints.objects("checkpoints"))
    _distinct(f"{checkpoints.where}: a height", [c.height for c in pins])
    return ChainProfile(
        id=p.text("id"),
        title=p.texts_by_language("title"),
        operator=p.text("operator"),
        family=family,
        chain_id=p.text("chain_id"),
        group_id=p.text("group_id", None),
        genesis_hash=p.octets("genesis_hash", 32),
        hash=suite.text("hash"),
        signature=suite.choice("signature", SIGNATURES),
        sm2_uid=suite.text("sm2_uid", "1234567812345678").encode(),
        consensus=p.choice("consensus", CONSENSUS),
        path_generation=p.choice("path_generation", GENERATIONS, "unknown"),
        accept_raw_hit=p.flag("accept_raw_hit", False),
        contracts=tuple(_contract(c) for c in p.objects("contracts")),
        epochs=epochs,
        org_roots=roots,
        checkpoints=pins,
        demonstration=demonstration,
        execution_basis=p.choice("execution_basis", EXECUTION, None),
    )


def _contract(c: "_Reading") -> EvidenceContract:
    c.only(_CONTRACT)
    return EvidenceContract(
        name=c.text("name"),
        method=c.text("method"),
        digest_param=c.text("digest_param"),
        encoding=c.choice("encoding", ENCODINGS),
        alg=c.choice("alg", digests.STRONG, None),
        final_event=c.text("final_event", None),
        from_height=c.number("from_height", 0) or 0,
    )


def _epoch(e: "_Reading", family: str, has_roots: bool) -> Epoch:
    e.only(("from_height", "to_height", "quorum", "validators"))
    validators = tuple(_validator(v, family) for v in e.objects("validators", needed=True))
    _distinct(f"{e.where}: a validator", [v.key or v.cert_sha256 for v in validators])
    if not validators and not has_roots:
        raise TrustError(f"{e.where}: neither validators nor roots of organisations")
    quorum = e.number("quorum", None, least=1)
    total = sum(v.weight for v in validators)
    if quorum is not None and validators and quorum > total:
        raise TrustError(f"{e.where}: a quorum of {quorum}, and only {total} in the set")
    epoch = Epoch(e.number("from_height") or 0, e.number("to_height", None), validators, quorum)
    if epoch.to_height is not None and epoch.to_height < epoch.from_height:
        raise TrustError(f"{e.where}: it ends before it begins")
    return epoch


def _check_epochs(epochs: Sequence[Epoch], where: str) -> None:
    """At every height one set is in force at most."""
    ordered = sorted(epochs, key=lambda e: e.from_height)
    for before, after in zip(ordered, ordered[1:], strict=False):
        if before.to_height is None or before.to_height >= after.from_height:
            raise TrustError(f"{where}: two epochs at height {after.from_height}")


def _validator(v: "_Reading", family: str) -> Validator:
    v.only(_VALIDATOR)
    key, certificate = v.octets("key", None), v.octets("cert_sha256", 32)
    if (key is None) == (certificate is None):
        raise TrustError(f"{v.where}: each validator has one identity, a key or a certificate")
    if key is not None and family in POINT_FAMILIES and len(key) != POINT_BYTES:
        raise TrustError(f"{v.where}: a key of {len(key)} bytes")
    if key is None and family == "xuperchain":
        raise TrustError(f"{v.where}: validators of this family have no certificates, a key is due")
    return Validator(
        key=key,
        cert_sha256=certificate,
        weight=v.number("weight", 1, least=1) or 1,
        org=v.text("org", "") or "",
        operator=v.text("operator"),
        role=v.choice("role", ROLES, "platform"),
        node_name=v.text("node_name", "") or "",
    )


def _org_root(r: "_Reading") -> OrgRoot:
    r.only(("org", "pem", "from_height", "to_height", "role"))
    pem = r.text("pem").encode()
    _der(pem, r.where)
    role = r.choice("role", ROOT_ROLES, None)
    return OrgRoot(r.text("org"), pem, r.number("from_height", None), r.number("to_height", None), role)


def _checkpoint(c: "_Reading") -> Checkpoint:
    c.only(("height", "hash", "recorded_at", "basis"))
    digest = c.octets("hash", 32)
    if digest is None:
        raise TrustError(f"{c.where}: hash is missing")
    recorded = c.text("recorded_at", None)
    moment = datetime.fromisoformat(recorded) if recorded else None
    if moment is not None and moment.tzinfo is None:
        raise TrustError(f"{c.where}: recorded_at without a time zone")
    return Checkpoint(c.number("height") or 0, digest, moment, c.choice("basis", BASES))


def _platform(p: "_Reading") -> Platform:
    p.only(("id", "title", "operator", "hosts", "registration", "checked_on", "seals", "depositors"))
    return Platform(
        id=p.text("id"),
        title=p.texts_by_language("title"),
        operator=p.text("operator"),
        hosts=tuple(_host(h, p.where) for h in p.texts("hosts")),
        registration=p.text("registration", None),
        checked_on=_day(p.text("checked_on", None), p.where),
        seals=tuple(_sha256(s, f"{p.where} seals") for s in p.texts("seals")),
        depositors=tuple(_octets_of(k, SM2_KEY_BYTES, f"{p.where} depositors") for k in p.texts("depositors")),
    )


def _log_key(log: "_Reading") -> bytes:
    from .keys import sct

    log.only(("title", "key"))
    log.text("title")
    try:
        return sct.log_key(log.text("key"))
    except CodecError as fault:
        raise TrustError(f"{log.where}: {fault}") from fault


def _host(text: str, where: str) -> str:
    """The one spelling in which a certificate's address is compared: lower case, without scheme, port or path; an
    international name as its punycode."""
    if host_of(f"https://{text}") != text:
        raise TrustError(f"{where}: hosts has one that is no plain host name")
    return text


def _day(text: str | None, where: str) -> str | None:
    try:
        if text is None or date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise TrustError(f"{where}: checked_on is no day (YYYY-MM-DD)")


def _sha256(text: str, where: str) -> bytes:
    return _octets_of(text, 32, where)


def _octets_of(text: str, length: int, where: str) -> bytes:
    try:
        return hex_bytes(text, length=length)
    except CodecError as fault:
        raise TrustError(f"{where}: {fault}") from fault


# ── members of one JSON object ────────────────────────────────────────────────────────────────────────────────────────

_REQUIRED: Any = object()


class _Reading:
    """An object of the pack and where it stands. Absent and null are the same; nothing is converted from one kind to another."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise TrustError(f"{where}: not a JSON object")
        self.value: dict[str, Any] = value
        self.where = where

    def only(self, names: Collection[str]) -> None:
        """No member that the engine would pass over: a misspelt one would silently do nothing."""
        strange = sorted(set(self.value) - set(names))
        if strange:
            raise TrustError(f"{self.where}: {strange[0][:64]} is no member that the engine knows")

    def _get(self, name: str, default: Any) -> Any:
        found = self.value.get(name)
        if found is not None:
            return found
        if default is _REQUIRED:
            raise TrustError(f"{self.where}: {name} is missing")
        return default

    def _wrong(self, name: str, due: str) -> TrustError:
        return TrustError(f"{self.where}: {name} is not {due}")

    def text(self, name: str, default: Any = _REQUIRED) -> Any:
        found = self._get(name, default)
        if found is default and default is not _REQUIRED:
            return found
        if not isinstance(found, str) or not found.strip():
            raise self._wrong(name, "a text")
        if found != found.strip() and "\n" not in found:
            # Two spellings of one name would count as two.
            raise self._wrong(name, "a text without blanks around it")
        return found

    def choice(self, name: str, allowed: Sequence[str], default: Any = _REQUIRED) -> Any:
        found = self._get(name, default)
        if found is not default and found not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}")
        return found

    def flag(self, name: str, default: bool | None) -> bool:
        found = self._get(name, _REQUIRED if default is None else default)
        if not isinstance(found, bool):
            raise self._wrong(name, "true or false")
        return found

    def number(self, name: str, default: Any = _REQUIRED, *, least: int = 0) -> int | None:
        found = self._get(name, default)
        if found is None:
            return None
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= NUMBER_MAX:
            raise self._wrong(name, f"a whole number from {least}")
        return found

    def octets(self, name: str, length: int | None) -> bytes | None:
        found = self._get(name, None)
        if found is None:
            return None
        if not isinstance(found, str) or not found:
            raise self._wrong(name, "hexadecimal text")
        try:
            return hex_bytes(found, length=length)
        except CodecError as fault:
            raise TrustError(f"{self.where}: {name}: {fault}") from fault

    def texts(self, name: str) -> list[str]:
        found = self._get(name, [])
        if not isinstance(found, list) or not all(isinstance(t, str) and t for t in found):
            raise self._wrong(name, "a list of texts")
        return found

    def texts_by_language(self, name: str) -> Mapping[str, str]:
        found = self._get(name, _REQUIRED)
        if not isinstance(found, dict) or not found or not all(isinstance(t, str) and t for t in found.values()):
            raise self._wrong(name, "a text by language")
        return MappingProxyType(dict(found))

    def object(self, name: str) -> "_Reading":
        return _Reading(self._get(name, _REQUIRED), f"{self.where} {name}")

    def objects(self, name: str, *, needed: bool = False) -> list["_Reading"]:
        found = self._get(name, _REQUIRED if needed else [])
        if not isinstance(found, list):
            raise self._wrong(name, "a list")
        return [_Reading(item, f"{self.where} {name}[{i}]") for i, item in enumerate(found)]


def _distinct(what: str, values: Sequence[object]) -> None:
    if len(set(values)) != len(values):
        raise TrustError(f"{what} stands twice")
