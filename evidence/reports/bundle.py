"""The re-verification bundle of a report: everything that `python -m evidence.verification bundle.zip` needs to repeat its results.

`plan` settles what belongs to it; its contents (`bundle.json`) and their digest depend on the verdicts alone, so that the digest can be
printed in the report before the report exists. `write` makes the archive for somebody: with the files, or with their digests alone
where that person may not have them. The same plan and the same choice give the same bytes.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from evidence.exhibits.models import Exhibit
from evidence.runs import given
from evidence.runs.models import RunVerdict
from evidence.trust import contents as trust_contents
from evidence.trust import packs
from evidence.trust.models import Pack
from evidence.verification import bundle
from evidence.verification.trust import TrustError
from portal.vault import Damaged, Vault

MOMENT = (1980, 1, 1, 0, 0, 0)
"""Time of every member: the archive's own times say nothing."""
READABLE = 0o100444 << 16
COPY_BLOCK = 1 << 20
GUIDE = """\
核验包 / Re-verification bundle

不需要联网，也不需要法院或任何平台的服务。/ Needs no network, no court and no platform.

    python -m evidence.verification --digest HEX {name}

HEX 是报告第 12 节所印的 bundle.json SHA-256，须取自有法院签章的报告，不要取自包内。
HEX is the SHA-256 of bundle.json that the report prints in section 12: take it from the report under the court's seal, not from here.

文件以其 SHA-256 为名放在 blobs/ 中，原文件名见 bundle.json。包内没有的文件（例如不公开的案件）可以写在命令后面，按摘要匹配。
The files lie in blobs/ under their SHA-256; their names stand in bundle.json. Files that are not in the bundle (a sealed case, for
example) can be named after it on the command line; they are matched by digest.

bundle.json SHA-256: {digest}
"""


class BundleFault(RuntimeError):
    """The bundle cannot be made, or is not the one that the report states."""


class StoreLost(BundleFault):
    """The trust store with this digest, under which a verdict was found, is not on file."""

    def __init__(self, store: str, why: str) -> None:
        super().__init__(f"trust store {store} {why}")
        self.store = store


@dataclass(frozen=True)
class Plan:
    """`contents` is `bundle.json`; `fixed` the blobs that are always handed out; `files` the sources with whose exhibit they are."""

    report: str
    contents: bytes
    fixed: dict[str, bytes]
    files: tuple[tuple[Exhibit, given.Given], ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.contents).hexdigest()


def plan(report: str, labelled: Sequence[tuple[str, RunVerdict]]) -> Plan:
    """`labelled`: what the report calls each exhibit, and its verdict (with `run__exhibit`). Raises StoreLost."""
    fixed: dict[str, bytes] = {}
    signatures: dict[str, str | None] = {}
    for digest in sorted({verdict.trust_sha256 for _, verdict in labelled}):
        found, signatures[digest] = _pack(digest)
        for data in (found.manifest, *found.members.values()):
            fixed[hashlib.sha256(data).hexdigest()] = data
    items, files = [], []
    for label, verdict in labelled:
        document = bytes(verdict.document)
        fixed[verdict.sha256] = document
        sources = given.sources(verdict.run_id)
        files += [(verdict.run.exhibit, s) for s in sources]
        items.append(
            bundle.Item(
                label=label,
                run=str(verdict.run.public_id),
                number=verdict.run.number,
                at=verdict.at,
                pack=verdict.trust_sha256,
                verdict=verdict.sha256,
                parts=tuple(bundle.Part(s.name, s.size, s.sha256, s.sm3) for s in sorted(sources, key=lambda s: (s.name, s.sha256))),
            )
        )
    return Plan(report, bundle.contents(report=report, packs=signatures, items=items), fixed, tuple(files))


def write(
    plan: Plan,
    target: BinaryIO,
    *,
    name: str,
    hand_out: Callable[[Exhibit], bool],
    hand_out_obtained: Callable[[Exhibit], bool] | None = None,
    annex: bytes | None = None,
    report: bytes | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> None:
    """Write the archive to a seekable file.

    name                of the archive, for its guide
    hand_out            may the files of this exhibit go along?
    hand_out_obtained   and what the court's nodes answered for it? None: the same
    advance             called with the bytes of files written so far, after each block

    What the vault holds under a digest is hashed on the way: raises its Missing, and Damaged for other bytes.
    """
    vault = Vault(settings.PORTAL_VAULT_DIR)
    obtained = hand_out_obtained or hand_out
    files = {s.sha256 for exhibit, s in plan.files if (obtained if s.name.startswith(given.COURT) else hand_out)(exhibit)}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        # The contents come first: by that the command knows a bundle.
        _put(archive, bundle.CONTENTS, plan.contents)
        _put(archive, bundle.README, GUIDE.format(name=name, digest=plan.sha256).encode())
        for member, data in ((bundle.ANNEX, annex), (bundle.REPORT, report)):
            if data is not None:
                _put(archive, member, data)
        done = 0
        for sha256 in sorted(files | plan.fixed.keys()):
            if sha256 in plan.fixed:
                _put(archive, bundle.BLOBS + sha256, plan.fixed[sha256])
                continue
            hashed = hashlib.sha256()
            with vault.open(sha256) as stream:
                info = _info(bundle.BLOBS + sha256)
                info.file_size = os.fstat(stream.fileno()).st_size
                with archive.open(info, "w") as out:
                    while block := stream.read(COPY_BLOCK):
                        hashed.update(block)
                        out.write(block)
                        done += len(block)
                        advance(done)
            if hashed.hexdigest() != sha256:
                raise Damaged(sha256, f"its bytes hash to {hashed.hexdigest()}")


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_info(name), data)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=MOMENT)
    info.create_system, info.external_attr = 3, READABLE
    return info


def _pack(digest: str) -> tuple[trust_contents.Contents, str | None]:
    """The trust store that a verdict was found under, with the court's signature if it was ever published."""
    published = Pack.objects.filter(sha256=digest).first()
    try:
        if published is not None:
            return packs.contents(published), published.signature
        folder = Path(settings.PORTAL_TRUST_DIR)
        found = trust_contents.of_directory(folder)
    except (TrustError, OSError) as fault:
        raise StoreLost(digest, f"cannot be read: {fault}") from fault
    if found.sha256 != digest:
        raise StoreLost(digest, "was never published and is not the one of PORTAL_TRUST_DIR")
    return found, None


def stated(annex: bytes) -> str | None:
    """The digest of the bundle that a report's annex, our own canonical JSON, states; None in one from before bundles."""
    reverify = json.loads(annex).get("reverify")
    said = reverify.get("bundle_digest") if isinstance(reverify, dict) else None
    return said.get("hex") if isinstance(said, dict) else said
