"""Zips that readers disagree about, bombs and other hostile files, with the answers that their READMEs and the specification
state.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from evidence.verification.codecs import inflate, zipstrict
from evidence.verification.codecs.octets import BytesOctets
from evidence.verification.codecs.zipstrict import Rule
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification.snapshot_exhibits import (
    finding,
    verified,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
SNAPSHOTS = VECTORS / "snapshots"
HOSTILE = VECTORS / "hostile" / "hostile"

if not SNAPSHOTS.is_dir() or not HOSTILE.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

PASSED, FAILED, OPEN = Outcome.PASSED, Outcome.FAILED, Outcome.INDETERMINATE
OK = (PASSED, None)
Answers = Mapping[str, tuple[Outcome, Reason | None]]


def files(folder: str) -> list[Path]:
    return sorted(p for p in (SNAPSHOTS / folder).iterdir() if not p.name.startswith("_") and p.name != "LICENSE")


# ── zips ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

READ_IFFY = {
    "crc_collision_empty_nonempty.zip",
    "crc_collision_two_nonempty.zip",
    "crc_zero_nonempty.zip",
    "nosubdir.zip",
}


def refusals(path: Path) -> set[tuple[Rule, Reason]]:
    octets = BytesOctets(path.read_bytes())
    directory = zipstrict.read(octets)
    found = {(f.rule, f.reason) for f in directory.faults}
    budget = inflate.Budget()
    for member in directory.members if directory.sound else ():
        try:
            for _ in zipstrict.contents(octets, member, budget):
                pass
        except zipstrict.MemberDamaged as damage:
            found.add((Rule.DATA, damage.reason))
        except inflate.LimitReached:
            found.add((Rule.LIMITS, Reason.RESOURCE_LIMIT))
    return found


@pytest.mark.parametrize("path", files("zip-malo/accept"), ids=lambda p: p.name)
def test_zips_that_are_read(path: Path) -> None:
    assert refusals(path) == set()


@pytest.mark.parametrize(
    "path", [*files("zip-malo/reject"), *files("zip-malo/malicious"), *files("zip-yauzl")], ids=lambda p: p.name
)
def test_zips_that_are_refused(path: Path) -> None:
    found = refusals(path)
    assert found
    if path.name.startswith(("strong_encryption", "unsupported_compression")):
        assert (Rule.DATA, Reason.UNSUPPORTED_FORMAT) in found


@pytest.mark.parametrize("path", files("zip-malo/iffy"), ids=lambda p: p.name)
def test_zips_that_readers_disagree_about(path: Path) -> None:
    assert (not refusals(path)) is (path.name in READ_IFFY)


@pytest.mark.parametrize("folder", ["zip-malo/accept", "zip-malo/reject", "zip-malo/malicious", "zip-malo/iffy", "zip-yauzl"])
def test_no_zip_makes_the_door_stumble_or_is_consistent(folder: str) -> None:
    for path in files(folder):
        assert verified(path).overall is not Overall.CONSISTENT


# ── bombs and other hostile files, within the limits of the jail ──────────────────────────────────────────────────────

CONFINED = """
import json, resource, sys
from datetime import datetime, UTC
from pathlib import Path
import evidence.verification as core
from evidence.verification.registry import FORMATS
from evidence.verification import catalogue
for f in FORMATS: f.load()
resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
at = datetime(2026, 11, 22, 12, tzinfo=UTC)
v = core.verify(core.Exhibit.from_paths([Path(sys.argv[1])]), core.TrustStore.empty(), at)
sys.stdout.write(v.to_json().decode())
"""
LIMIT = {("ZIP.LIMITS", "RESOURCE_LIMIT")}
HOSTILE_FILES: dict[Path, set[tuple[str, str]]] = {
    SNAPSHOTS / "bombs-generated" / "wacz_ratio_200MiB_pages.wacz": LIMIT,
    SNAPSHOTS / "bombs-generated" / "zip_overlap_64x16MiB.zip": {("ZIP.STRUCTURE", "FORMAT_FAILURE")},
    SNAPSHOTS / "bombs-generated" / "zip_declared_10_bytes_inflates_16MiB.zip": {("ZIP.DATA", "FORMAT_FAILURE")},
    SNAPSHOTS / "bombs-generated" / "zip_nested_bomb.zip": {("CNP.HASH_LIST", "UNSUPPORTED_FORMAT")},
    SNAPSHOTS / "bombs-generated" / "zip_symlink_and_names.zip": {("ZIP.NAMES", "FORMAT_FAILURE")},
    SNAPSHOTS / "bombs-generated" / "json_depth_100k.json": set(),
    SNAPSHOTS / "bombs-generated" / "png_30000x30000_1bit.png": set(),
    HOSTILE / "gzip-bomb-600MiB.warc.gz": {("WARC.RECOGNISED", "RESOURCE_LIMIT")},
    HOSTILE / "zip-bomb-300MiB.wacz": LIMIT,
    HOSTILE / "zip-slip.wacz": {("ZIP.NAMES", "FORMAT_FAILURE")},
    HOSTILE / "zip-absolute.wacz": {("ZIP.NAMES", "FORMAT_FAILURE")},
    HOSTILE / "zip-symlink.wacz": {("ZIP.NAMES", "FORMAT_FAILURE")},
    HOSTILE / "zip-duplicate-name.wacz": {("ZIP.STRUCTURE", "FORMAT_FAILURE")},
    HOSTILE / "zip-local-central-mismatch.zip": {("ZIP.STRUCTURE", "FORMAT_FAILURE")},
    HOSTILE / "polyglot-pdf-zip.pdf": set(),
}


@pytest.mark.parametrize("path", HOSTILE_FILES, ids=lambda p: p.name)
def test_hostile_files_within_the_limits_of_the_jail(path: Path) -> None:
    """512 MiB of address space, 20 s of processor, no file written; never CONSISTENT, never an error of the engine."""
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    said = {(f["check"], f["reason"]) for f in verdict["findings"]}
    assert HOSTILE_FILES[path] <= said
    assert verdict["overall"] != "CONSISTENT"
    assert not {r for _, r in said} & {"INTERNAL_ERROR"}
    refuted = {f["reason"] for f in verdict["findings"] if f["outcome"] == "FAILED"}
    assert bool(refuted) == any(r == "FORMAT_FAILURE" for _, r in HOSTILE_FILES[path])


def test_both_places_of_a_name_that_stands_twice_are_named() -> None:
    verdict = verified(HOSTILE / "zip-duplicate-name.wacz")
    assert "bytes 62–113 and 113–164" in str(finding(verdict, "ZIP.STRUCTURE").actual)


def test_a_pdf_that_is_also_a_zip_is_a_pdf() -> None:
    assert verified(HOSTILE / "polyglot-pdf-zip.pdf").sources[0].format not in ("wacz", "forensic-package")
