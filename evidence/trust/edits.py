"""The changes that the forms offer, as functions: a pack in, the members that are written anew out (None: taken out).

Fields that a form does not know are kept as they stand. What comes out is read by the engine before it is kept (`drafts.change`).
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from . import certificates
from .contents import Contents, json_bytes
from .drafts import DraftFault
from .entries import CHAIN_PARTS, CHAINS, Entry, distinct_names

Members = dict[str, bytes | None]
PLATFORMS, POLICY = "platforms.json", "policy.json"
REVOCATION_LISTS = "seals/crls"


def platform(pack: Contents, values: Mapping[str, Any], *, known_as: str | None) -> Members:
    """A platform's entry; `known_as` is the id of the one that is changed, None adds one."""
    found = pack.json(PLATFORMS)
    listed = list(found.get("platforms") or ())
    place = next((n for n, p in enumerate(listed) if p.get("id") == known_as), None)
    if place is None:
        listed.append(dict(values))
    else:
        listed[place] = {**listed[place], **values}
    return {PLATFORMS: json_bytes({**found, "platforms": listed})}


def policy(pack: Contents, values: Mapping[str, Sequence[str]]) -> Members:
    return {POLICY: json_bytes({**pack.json(POLICY), **values})}


def root(pack: Contents, pem: str, *, folder: str) -> Members:
    """Certificates into a folder of roots, each in a file named after it."""
    members: Members = {}
    for fact in certificate(pem):
        path = f"{folder}/{_slug(fact.common_name)}-{fact.fingerprint[:8]}.pem"
        if path in pack.members:
            raise DraftFault(_("%(name)s 已经在信任库里。") % {"name": fact.common_name})
        members[path] = fact.pem
    return members


def revocation_list(pack: Contents, pem: str) -> Members:
    """A list in place of the one of the same issuer, if there is one."""
    found = certificates.revocation_list(pem.strip().encode())
    if found is None:
        raise DraftFault(_("这不是 PEM 格式的证书吊销列表。"))
    for path, data in pack.members.items():
        held = certificates.revocation_list(data) if path.startswith(f"{REVOCATION_LISTS}/") and path.endswith(".crl") else None
        if held is not None and held.issuer == found.issuer:
            if found.updated < held.updated:
                raise DraftFault(_("信任库里已有同一签发者更新的吊销列表（%(at)s）。") % {"at": f"{held.updated:%Y-%m-%d %H:%M}"})
            return {path: found.der}
    return {f"{REVOCATION_LISTS}/{_slug(found.common_name)}-{hashlib.sha256(found.issuer.encode()).hexdigest()[:8]}.crl": found.der}


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "root"


def certificate(pem: str) -> Sequence[certificates.Facts]:
    try:
        found = certificates.facts(pem.strip().encode())
    except ValueError as fault:
        raise DraftFault(_("这不是 PEM 格式的证书。")) from fault
    if not found:
        raise DraftFault(_("这不是 PEM 格式的证书。"))
    return found


# ── chains ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def chain(pack: Contents, folder: str, profile: Mapping[str, Any], *, new: bool) -> Members:
    """A chain's profile. A new chain begins without validators."""
    path = f"{CHAINS}{folder}/profile.json"
    if new and path in pack.members:
        raise DraftFault(_("已经有一条链用了“%(name)s”这个目录名。") % {"name": folder})
    members: Members = {path: json_bytes(dict(profile))}
    if new:
        members[f"{CHAINS}{folder}/validators.json"] = json_bytes({"epochs": [], "org_roots": []})
    return members


def epoch(pack: Contents, folder: str, *, first: int, quorum: int | None) -> Members:
    """A new set of validators from a height on, at first those of the set before it, which ends one block earlier."""

    def begin(sets: dict[str, Any]) -> None:
        epochs = sorted(sets.get("epochs") or (), key=lambda e: int(e["from_height"]))
        last = epochs[-1] if epochs else None
        if last is not None and (first <= last["from_height"] or (last.get("to_height") or first) < first - 1):
            raise DraftFault(_("新的一组要接在最后一组（自高度 %(n)d 起）之后。") % {"n": last["from_height"]})
        if last is not None:
            last["to_height"] = first - 1
        kept = [dict(v) for v in last["validators"]] if last else []
        sets["epochs"] = [*epochs, {"from_height": first, "to_height": None, "quorum": quorum, "validators": kept}]

    return _sets(pack, folder, begin)


def validator(pack: Contents, folder: str, values: Mapping[str, Any], *, first: int, instead_of: str | None = None) -> Members:
    """A validator of the set that begins at height `first`; `instead_of`: the identity of the one it replaces."""

    def put(sets: dict[str, Any]) -> None:
        held = _epoch(sets, first)["validators"]
        place = next((n for n, v in enumerate(held) if identity(v) == instead_of), None)
        kept = {} if place is None else {k: v for k, v in held[place].items() if k not in ("key", "cert_sha256")}
        written = {k: v for k, v in {**kept, **values}.items() if v is not None}
        if place is None:
            held.append(written)
        else:
            held[place] = written

    return _sets(pack, folder, put)


def org_root(pack: Contents, folder: str, values: Mapping[str, Any]) -> Members:
    def put(sets: dict[str, Any]) -> None:
        sets["org_roots"] = [*(sets.get("org_roots") or ()), dict(values)]

    return _sets(pack, folder, put)


def checkpoint(pack: Contents, folder: str, values: Mapping[str, Any]) -> Members:
    path = f"{CHAINS}{folder}/checkpoints.json"
    found = pack.json(path)
    listed = sorted([*(found.get("checkpoints") or ()), dict(values)], key=lambda c: int(c["height"]))
    return {path: json_bytes({**found, "checkpoints": listed})}


def identity(held: Mapping[str, Any]) -> str:
    return str(held.get("key") or held.get("cert_sha256")).lower().removeprefix("0x")


def _sets(pack: Contents, folder: str, change: Callable[[dict[str, Any]], None]) -> Members:
    path = f"{CHAINS}{folder}/validators.json"
    sets = pack.json(path)
    change(sets)
    return {path: json_bytes(sets)}


def _epoch(sets: Mapping[str, Any], first: int) -> dict[str, Any]:
    for held in sets.get("epochs") or ():
        if held["from_height"] == first:
            return held  # type: ignore[no-any-return]
    raise DraftFault(_("没有自高度 %(n)d 起的一组验证节点。") % {"n": first})


# ── taking out ────────────────────────────────────────────────────────────────────────────────────────────────────────


def without(pack: Contents, entry: Entry) -> Members:
    """The pack without one thing of it."""
    kind, key = entry.kind, entry.key
    if kind == "platform":
        return _filtered(pack, PLATFORMS, "platforms", lambda p: p.get("id") != key[3])
    if kind == "chain":
        return {path: None for path in pack.members if path.startswith(f"{CHAINS}{key[1]}/")}
    if kind == "epoch":
        return _filtered(pack, _part(key, 1), "epochs", lambda e: str(e["from_height"]) != key[2])
    if kind == "validator":

        def drop(sets: dict[str, Any]) -> None:
            for held in sets.get("epochs") or ():
                held["validators"] = [v for v in held["validators"] if identity(v) != key[2]]

        return _sets(pack, key[1], drop)
    if kind == "org_root":
        return _filtered(pack, _part(key, 1), "org_roots", lambda r: r.get("org") != key[2] or not _holds(r.get("pem", ""), key[3]))
    if kind == "checkpoint":
        return _filtered(pack, _part(key, 2), "checkpoints", lambda c: str(c["height"]) != key[2])
    if kind == "root":
        return _without_root(pack, folder=key[1], fingerprint=key[2])
    if kind == "object" and len(key) == 4:
        listed = pack.json(key[1])[key[2]]
        kept = [item for item, name in zip(listed, distinct_names(listed), strict=True) if name != key[3]]
        return {key[1]: json_bytes({**pack.json(key[1]), key[2]: kept})}
    if kind in ("file", "object", "crl"):
        return {key[1]: None}
    raise DraftFault(_("这一项不能删除。"))


def _part(key: Sequence[str], part: int) -> str:
    return f"{CHAINS}{key[1]}/{CHAIN_PARTS[part]}"


def _filtered(pack: Contents, path: str, field: str, keep: Callable[[Mapping[str, Any]], bool]) -> Members:
    found = pack.json(path)
    return {path: json_bytes({**found, field: [item for item in found[field] if keep(item)]})}


def _holds(pem: str, fingerprint: str) -> bool:
    return any(fact.fingerprint == fingerprint for fact in certificate(pem))


def _without_root(pack: Contents, *, folder: str, fingerprint: str) -> Members:
    """The files of the folder that hold the certificate, without it; a file that holds nothing else goes."""
    members: Members = {}
    for path, data in pack.members.items():
        if path.endswith(".pem") and path.rsplit("/", 1)[0] == folder and _holds(data.decode("utf-8", "replace"), fingerprint):
            left = [fact.pem for fact in certificates.facts(data) if fact.fingerprint != fingerprint]
            members[path] = b"".join(left) or None
    return members
