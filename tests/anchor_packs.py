"""Trust stores for tests: writes an anchor pack in the layout of `evidence.verification.trust`."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_pack(
    directory: Path,
    *,
    tsa_roots: Sequence[bytes | str] = (),
    web_roots: Sequence[bytes | str] = (),
    seal_roots: Sequence[bytes | str] = (),
    revocation_lists: Sequence[bytes] = (),
    ct_logs: Sequence[bytes] = (),
    chains: Mapping[str, Mapping[str, Any]] | None = None,
    platforms: Sequence[Mapping[str, Any]] = (),
    policy: Mapping[str, Any] | None = None,
    demonstration: bool = False,
) -> Path:
    """Write a pack into `directory` (made when absent, must hold no pack yet) and return it for `TrustStore.load`.

    tsa_roots, web_roots, seal_roots   PEM texts, one file each
    revocation_lists       DER, one file each
    ct_logs                SubjectPublicKeyInfo of transparency logs, DER
    chains                 name -> {"profile": {...}, "validators": {...}, "checkpoints": {...}}; the last two may be absent
    policy                 members of policy.json
    """
    members: dict[str, bytes] = {
        "policy.json": _json(policy or {}),
        "platforms.json": _json({"platforms": list(platforms)}),
    }
    for folder, roots in (("tsa", tsa_roots), ("web", web_roots), ("seals", seal_roots)):
        for number, pem in enumerate(roots):
            members[f"{folder}/certs/{number:03d}.pem"] = pem.encode() if isinstance(pem, str) else pem
    for number, crl in enumerate(revocation_lists):
        members[f"seals/crls/{number:03d}.crl"] = crl
    if ct_logs:
        listed = [{"title": f"log {n}", "key": base64.b64encode(key).decode()} for n, key in enumerate(ct_logs)]
        members["ct/logs.json"] = _json({"logs": listed})
    for name, parts in (chains or {}).items():
        for part in ("profile", "validators", "checkpoints"):
            if part in parts:
                members[f"consortium/{name}/{part}.json"] = _json(parts[part])
    for path, data in members.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (directory / "manifest.json").write_bytes(
        _json(
            {
                "format": "mingjian.anchor-pack",
                "version": "2026.11",
                "issued_at": "2026-11-22T00:00:00Z",
                "court": {"zh": "测试法院", "en": "Test court"},
                "demonstration": demonstration,
                "members": [
                    {
                        "path": path,
                        "sha256": hashlib.sha256(data).hexdigest(),
                        "source": "tests",
                        "fetched_at": "2026-11-22",
                    }
                    for path, data in sorted(members.items())
                ],
            }
        )
    )
    return directory


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode()
