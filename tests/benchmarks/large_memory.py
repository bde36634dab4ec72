"""How much memory does a file of 2 GB cost? Through the jail, as the product runs it (goal: less than 64 MB beyond a file of a few KB).

The figure is the resident set of the confined child as the kernel counted it at its end, which holds what it shares with its zygote; the
same of a tiny archive of the same kind is taken away. The address space is limited to 512 MiB, and nothing is mapped.
"""

import json
import os
import tempfile
import time
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import evidence.verification
from evidence.runs.jail import Jail, JailResult

from . import warc_engine

SIZE = int(os.environ.get("MINGJIAN_LARGE_BYTES") or 2_000_000_000)
GOAL = 64 << 20
AT = datetime(2026, 11, 22, tzinfo=UTC)
SHIPPED = Path(evidence.verification.__path__[0], "anchors")


def measure() -> list[str]:
    lines = []
    with tempfile.TemporaryDirectory() as folder, Jail() as jail:
        small, large = (archives(Path(folder, name), size) for name, size in (("small", 1), ("large", SIZE)))
        for before, after in zip(small, large, strict=True):
            least, (most, seconds) = run(jail, before)[0].max_rss, run(jail, after)[:2]
            grown = most.max_rss - least
            lines.append(
                f"{after.name}: {after.stat().st_size / 1e6:.0f} MB, {most.max_rss / 2**20:.0f} MiB resident, {grown / 2**20:.1f} MiB more than "
                f"a small one ({'within' if grown < GOAL else 'BEYOND'} the goal of {GOAL >> 20} MiB); {seconds:.1f} s, processor {most.cpu_seconds:.1f} s"
            )
    return lines


def run(jail: Jail, path: Path) -> tuple[JailResult, float]:
    began = time.perf_counter()
    result = jail.run([(path.name, path)], trust_dir=SHIPPED, at=AT)
    seconds = time.perf_counter() - began
    if result.verdict_json is None:
        raise RuntimeError(f"{path.name}: {result.killed} {result.detail}")
    reasons = {f["reason"] for f in json.loads(result.verdict_json)["findings"]}
    if reasons & {"RESOURCE_LIMIT", "INTERNAL_ERROR", "HASH_FAILURE", "FORMAT_FAILURE"}:
        raise RuntimeError(f"{path.name}: not read to its end: {reasons}")
    return result, seconds


def archives(folder: Path, size: int) -> list[Path]:
    """The same records as `.warc`, `.warc.gz` and `.wacz`."""
    folder.mkdir()
    plain, gz = folder / "made.warc", folder / "made.warc.gz"
    warc_engine.write(plain, gz, size, level=1)
    return [plain, gz, wacz(gz, folder / "made.wacz")]


def wacz(archive: Path, target: Path) -> Path:
    """A package (wacz 1.1.1) that holds `archive` stored, and a page list."""
    with archive.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    pages = b'{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}\n'
    manifest = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "created": "2026-11-22T07:35:30Z",
        "resources": [
            {"name": "data.warc.gz", "path": "archive/data.warc.gz", "hash": f"sha256:{digest.hexdigest()}", "bytes": archive.stat().st_size},
            {"name": "pages.jsonl", "path": "pages/pages.jsonl", "hash": f"sha256:{sha256(pages).hexdigest()}", "bytes": len(pages)},
        ],
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        package.write(archive, "archive/data.warc.gz")
        package.writestr("pages/pages.jsonl", pages)
        package.writestr("datapackage.json", json.dumps(manifest).encode())
    return target
