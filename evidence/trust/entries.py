"""A pack as the things a person knows: this platform, that validator, this root; each with its facts.

Read from the members as they are written, not from what the engine made of them: a field that a later engine adds shows by its
own name, a member of a kind not known here shows as its parts, and nothing of a pack is passed over.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evidence.verification.codecs import strict_json

from . import certificates
from .contents import Contents

CHAINS = "consortium/"
CHAIN_PARTS = ("profile.json", "validators.json", "checkpoints.json")
NAMING = ("id", "name", "org", "url", "host", "key_id", "fingerprint", "path")
"""Members by which an object in a list is known, the first that it has."""

EMPTY = "—"
"""Absent, null and an empty list are the same to the engine."""

Facts = tuple[tuple[str, str], ...]
"""(name of the field, its value as text), in the order in which the pack's own layout gives them."""


@dataclass(frozen=True)
class Entry:
    """One thing of a pack.

    kind    court, policy, platform, chain, epoch, validator, org_root, checkpoint, root, crl, object, file
    key     what makes it the same thing in two packs
    name    what people call it; `names` by language where the pack has several
    anchor  what rests on it: `court`, `policy:<field>`, `platform:<id>`, `chain:<family>:<profile id>`, `root:<folder>`, `other:<path>`
    """

    kind: str
    key: tuple[str, ...]
    name: str
    facts: Facts
    anchor: str
    names: tuple[tuple[str, str], ...] = ()
    within: str = ""
    """The thing it belongs to: the chain of a validator, the folder of a root."""


def entries(pack: Contents) -> dict[tuple[str, ...], Entry]:
    """Every thing in the pack by its key, in a fixed order. The same thing written twice is shown twice."""
    found: dict[tuple[str, ...], Entry] = {}
    for entry in _all(pack):
        key, again = entry.key, 1
        while key in found:
            again += 1
            key = (*entry.key, str(again))
        found[key] = entry if key == entry.key else replace(entry, key=key)
    return found


def _all(pack: Contents) -> Iterator[Entry]:
    head = {"court": pack.head["court"], "demonstration": pack.head["demonstration"]}
    yield Entry("court", ("court",), "", flat(head), "court")
    chains = sorted({p.split("/")[1] for p in pack.members if p.startswith(CHAINS) and p.endswith("/profile.json")})
    for folder in chains:
        yield from _chain(folder, pack)
    for path in sorted(pack.members):
        parts = path.split("/")
        if path.startswith(CHAINS) and len(parts) == 3 and parts[1] in chains and parts[2] in CHAIN_PARTS:
            continue
        yield from _member(path, pack.members[path])


def _member(path: str, data: bytes) -> Iterator[Entry]:
    found = _object(data) if path.endswith(".json") else None
    if path == "policy.json" and found is not None:
        for field, value in found.items():
            yield Entry("policy", ("policy", field), field, (("value", text(value)),), f"policy:{field}")
    elif path == "platforms.json" and found is not None:
        yield from _listed(found, path, list_kinds={"platforms": "platform"})
    elif found is not None:
        yield from _listed(found, path, list_kinds={})
    elif path.endswith(".pem") and (certificate := _certificates(data)):
        folder = path.rsplit("/", 1)[0] if "/" in path else ""
        for fact in certificate:
            yield Entry(
                "root", ("root", folder, fact.fingerprint), fact.common_name, certificate_facts(fact), f"root:{folder}", within=folder
            )
    elif path.endswith(".crl") and (listed := certificates.revocation_list(data)):
        folder = path.rsplit("/", 1)[0] if "/" in path else ""
        said: Facts = (
            ("issuer", listed.issuer),
            ("updated", f"{listed.updated:%Y-%m-%d %H:%M}"),
            ("valid", f"{listed.updated:%Y-%m-%d} – {listed.until:%Y-%m-%d}" if listed.until else EMPTY),
            ("revoked", str(listed.revoked)),
            ("sha256", hashlib.sha256(data).hexdigest()),
        )
        yield Entry("crl", ("crl", path), listed.common_name, said, f"root:{folder}", within=folder)
    else:
        facts = (("size", str(len(data))), ("sha256", hashlib.sha256(data).hexdigest()))
        yield Entry("file", ("file", path), path, facts, f"other:{path}")


def _listed(found: Mapping[str, Any], path: str, *, list_kinds: Mapping[str, str]) -> Iterator[Entry]:
    """A JSON member: each object of a list in it is a thing of its own, what else it holds is one."""
    rest: dict[str, Any] = {}
    for field, value in found.items():
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            if value != [] or field not in list_kinds:
                rest[field] = value
            continue
        kind = list_kinds.get(field, "object")
        names = distinct_names(value)
        for item, name in zip(value, names, strict=True):
            anchor = f"platform:{name}" if kind == "platform" else f"other:{path}"
            within = "" if kind != "object" else f"{path} {field}"
            yield Entry(kind, (kind, path, field, name), name, flat(item), anchor, _titles(item), within)
    if rest:
        yield Entry("object", ("object", path), path, flat(rest), f"other:{path}")


def distinct_names(items: list[dict[str, Any]]) -> list[str]:
    """Each object's own name, if that tells them all apart; else its place in the list."""
    for field in NAMING:
        names = [i.get(field) for i in items]
        if all(isinstance(n, str) and n for n in names) and len(set(names)) == len(names):
            return [str(n) for n in names]
    return [f"[{n}]" for n in range(len(items))]


# ── chains ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _chain(folder: str, pack: Contents) -> Iterator[Entry]:
    profile, sets, pins = (pack.json(f"{CHAINS}{folder}/{part}") for part in CHAIN_PARTS)
    anchor = f"chain:{profile.get('family', '')}:{profile.get('id', '')}"
    more = {**{k: v for k, v in sets.items() if k not in ("epochs", "org_roots")}, **{k: v for k, v in pins.items() if k != "checkpoints"}}
    yield Entry("chain", ("chain", folder), str(profile.get("id", folder)), flat({**profile, **more}), anchor, _titles(profile))
    within = str(profile.get("id", folder))
    validators: dict[str, tuple[dict[str, Any], list[_Term]]] = {}
    for epoch in sets.get("epochs") or ():
        heights = _range(epoch.get("from_height"), epoch.get("to_height"))
        rest = {k: v for k, v in epoch.items() if k != "validators"} | {"validators": len(epoch.get("validators") or ())}
        yield Entry("epoch", ("epoch", folder, str(epoch.get("from_height"))), heights, flat(rest), anchor, within=within)
        for validator in epoch.get("validators") or ():
            identity = str(validator.get("key") or validator.get("cert_sha256")).lower().removeprefix("0x")
            first, terms = validators.setdefault(identity, (validator, []))
            said = "" if validator == first else f" {text(_bare(validator))}"
            terms.append((epoch.get("from_height"), epoch.get("to_height"), said))
    for identity, (validator, terms) in validators.items():
        facts = (*flat(validator), ("heights", "; ".join(f"{_range(a, b)}{said}" for a, b, said in _joined(terms))))
        name = str(validator.get("node_name") or validator.get("org") or f"{identity[:16]}…")
        yield Entry("validator", ("validator", folder, identity), name, facts, anchor, within=within)
    for root in sets.get("org_roots") or ():
        for fact in _certificates(str(root.get("pem", "")).encode()) or ():
            known = {k: v for k, v in root.items() if k != "pem"}
            yield Entry(
                "org_root",
                ("org_root", folder, str(root.get("org")), fact.fingerprint),
                str(root.get("org")),
                (*flat(known), *certificate_facts(fact)),
                anchor,
                within=within,
            )
    for pin in pins.get("checkpoints") or ():
        height = str(pin.get("height"))
        yield Entry("checkpoint", ("checkpoint", folder, height), height, flat(pin), anchor, within=within)


_Term = tuple[Any, Any, str]
"""First and last height of a validator's term in one set (None: no end), and what is said of it there."""


def _joined(terms: list[_Term]) -> list[_Term]:
    """Terms that follow each other without a gap, of which the same is said, are one: a new set that keeps a validator changes nothing
    for it."""
    found: list[_Term] = []
    for first, last, said in sorted(terms, key=lambda t: t[0] if isinstance(t[0], int) else 0):
        before = found[-1] if found else None
        if before and before[2] == said and isinstance(before[1], int) and before[1] + 1 == first:
            found[-1] = (before[0], last, said)
        else:
            found.append((first, last, said))
    return found


def _bare(validator: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in validator.items() if k not in ("key", "cert_sha256")}


def _range(first: object, last: object) -> str:
    return f"{first}–" if last is None else f"{first}–{last}"


# ── values as text ────────────────────────────────────────────────────────────────────────────────────────────────────


def flat(value: Mapping[str, Any], *, before: str = "") -> Facts:
    """`{"suite": {"hash": "SM3"}}` -> `(("suite.hash", "SM3"),)`. A list of plain values is one fact; certificates are told by
    their facts."""
    found: list[tuple[str, str]] = []
    for name, item in value.items():
        path = f"{before}{name}"
        if isinstance(item, dict) and item:
            found += flat(item, before=f"{path}.")
        elif isinstance(item, list) and any(isinstance(i, dict | list) for i in item):
            for number, inner in enumerate(item):
                found += flat(inner if isinstance(inner, dict) else {"": inner}, before=f"{path}[{number}].")
        elif isinstance(item, str) and item.startswith("-----BEGIN ") and (known := _certificates(item.encode())):
            for fact in known:
                found += [(f"{path}.{label}", said) for label, said in certificate_facts(fact)]
        else:
            found.append((path, text(item)))
    return tuple(found)


def text(value: object) -> str:
    if value is None or value == [] or value == {}:
        return EMPTY
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(text(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k}: {text(v)}" for k, v in value.items())
    return str(value)


def certificate_facts(fact: certificates.Facts) -> Facts:
    found = [("subject", fact.subject)]
    if not fact.self_issued:
        found.append(("issuer", fact.issuer))
    return (
        *found,
        ("fingerprint", fact.fingerprint),
        ("valid", f"{fact.not_before:%Y-%m-%d} – {fact.not_after:%Y-%m-%d}"),
        ("key_kind", fact.key),
    )


def _certificates(data: bytes) -> list[certificates.Facts] | None:
    try:
        return list(certificates.facts(data))
    except ValueError:
        return None


def _titles(item: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    title = item.get("title")
    return tuple((str(k), str(v)) for k, v in title.items()) if isinstance(title, dict) else ()


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = strict_json.loads(data)
    except strict_json.JsonError:
        return None
    return value if isinstance(value, dict) else None
