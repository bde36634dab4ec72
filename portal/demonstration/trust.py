"""The demonstration's trust store: one ChainMaker chain, one FISCO BCOS chain, one time-stamping authority; labelled as such."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

PLATFORM = "demo-platform"


def write(
    directory: Path, *, chains: Mapping[str, Mapping[str, Any]], tsa_root: bytes, at: datetime
) -> None:
    """Write the anchor pack into an empty directory. `chains`: name -> {"profile", "validators"}."""
    members: dict[str, bytes] = {
        "policy.json": _json({"accept_d": [], "accept_writer_defects": [], "tsa_policies": []}),
        "platforms.json": _json(
            {
                "platforms": [
                    {
                        "id": PLATFORM,
                        "title": {"zh": "演示存证平台", "en": "Demonstration evidence platform"},
                        "operator": "demonstration",
                        "hosts": ["evidence.demonstration.invalid"],
                        "registration": None,
                        "checked_on": at.date().isoformat(),
                    }
                ]
            }
        ),
        "tsa/certs/demonstration-root.pem": tsa_root,
    }
    for name, chain in chains.items():
        members[f"consortium/{name}/profile.json"] = _json(chain["profile"])
        members[f"consortium/{name}/validators.json"] = _json(chain["validators"])
    for path, data in members.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    manifest = {
        "format": "mingjian.anchor-pack",
        "version": f"演示-{at.date().isoformat()}",
        "issued_at": at.isoformat(),
        "court": {"zh": "演示中级人民法院", "en": "Demonstration Intermediate Court"},
        "demonstration": True,
        "members": [
            {
                "path": path,
                "sha256": hashlib.sha256(data).hexdigest(),
                "source": "made by the demonstration",
                "fetched_at": at.isoformat(),
            }
            for path, data in sorted(members.items())
        ],
    }
    (directory / "manifest.json").write_bytes(_json(manifest))


def publish(directory: Path) -> None:
    """Through the same door as any change: the demonstration's administrator proposes, its auditor approves."""
    from evidence.trust import contents, drafts, packs
    from portal.people.models import User

    proposer, approver = (User.objects.get(username=name) for name in ("sysadmin", "auditor"))
    draft = drafts.start("演示法院的信任库", by=proposer)
    if packs.in_force() is not None:  # an interrupted first start had come as far as this
        drafts.replace(draft, contents.of_directory(directory), what="重新生成的演示信任库", by=proposer)
    drafts.propose(draft, by=proposer)
    drafts.approve(draft, digest=drafts.latest(draft).sha256, by=approver)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode()
