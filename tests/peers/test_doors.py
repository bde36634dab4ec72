"""Saved pages, forensic packages and every hostile file that is no archive, through the two doors that people use: the command line
and the jail. Both answer the same bytes, with the verdict of the vectors' READMEs; within bounds; never CONSISTENT.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import evidence.verification
from evidence.runs.jail import FILES_MAX, Jail
from evidence.verification import merkle
from portal.ledger import tree

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
SNAPSHOTS, HOSTILE = VECTORS / "snapshots", VECTORS / "hostile"

if not SNAPSHOTS.is_dir() or not HOSTILE.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
STORE = Path(evidence.verification.__path__[0], "anchors")
MEMORY_MAX, CPU_MAX = 512 << 20, 20
STATUS = {"CONSISTENT": 0, "INCONSISTENT": 1, "INDETERMINATE": 2}
OPEN, WRONG = "INDETERMINATE", "INCONSISTENT"

VERDICTS: dict[str, tuple[str, set[tuple[str, str, str | None]]]] = {
    # Format facts decide nothing; a package that contradicts its own list does.
    "mhtml/generated_chromium156_page.mhtml": (OPEN, {("MHT.FORM", "PASSED", None), ("MHT.BINDING", OPEN, "NO_POE")}),
    "mhtml/testim_example.com.mhtml": (OPEN, {("MHT.FORM", "PASSED", None), ("MHT.BINDING", OPEN, "NO_POE")}),
    "mhtml/testim_hn.mhtml": (OPEN, {("MHT.FORM", "PASSED", None), ("MHT.RESOURCES", OPEN, "RESOURCE_MISSING")}),
    "mhtml/m2h_missing_boundary.mhtml": (OPEN, {("MHT.FORM", "FAILED", "FORMAT_FAILURE")}),
    "mhtml/m2h_missing_boundary_header.mhtml": (OPEN, {("MHT.FORM", "FAILED", "FORMAT_FAILURE")}),
    "mhtml/m2h_missing_headers.mhtml": (OPEN, {("MHT.FORM", "FAILED", "TRUNCATED")}),
    "mhtml/m2h_unexpected_eof.mhtml": (OPEN, {("MHT.FORM", "FAILED", "TRUNCATED")}),
    "mhtml/m2h_portfolio.mhtml": (OPEN, {("MHT.FORM", "FAILED", "FORMAT_FAILURE")}),
    "singlefile/generated_single-file-cli-2.0.83.html": (
        OPEN,
        {("SF.COMMENT", "PASSED", None), ("SF.SELF_CONTAINED", "PASSED", None), ("SF.BINDING", OPEN, "NO_POE")},
    ),
    "rendered/generated_page.pdf": (OPEN, set()),
    "rendered/generated_page_screenshot.png": (OPEN, set()),
    "cn-package-synthetic/cn_pkg_ok_utf8.zip": (OPEN, {("CNP.HASHES", "PASSED", None), ("CNP.CLEANLINESS", "PASSED", None)}),
    "cn-package-synthetic/cn_pkg_ok_gbk_names.zip": (OPEN, {("CNP.HASHES", "PASSED", None), ("CNP.CLEANLINESS", "PASSED", None)}),
    "cn-package-synthetic/cn_pkg_bad_manifest_hash.zip": (WRONG, {("CNP.HASHES", "FAILED", "HASH_FAILURE")}),
    "cn-package-synthetic/cn_pkg_tampered_html.zip": (WRONG, {("CNP.HASHES", "FAILED", "HASH_FAILURE")}),
    "cn-package-synthetic/cn_pkg_missing_file.zip": (WRONG, {("CNP.HASHES", "FAILED", "RESOURCE_MISSING")}),
    "cn-package-synthetic/cn_pkg_extra_unlisted_file.zip": (OPEN, {("CNP.UNLISTED", OPEN, "UNLISTED_MEMBER")}),
}
REFUTED = {"cert-bigint.json"}
"""Hostile files that call themselves a certificate and are none."""

Door = Any
FOLDERS = ("mhtml", "singlefile", "rendered", "cn-package-synthetic")
PLAIN = sorted(
    p
    for folder in (HOSTILE / "hostile", HOSTILE / "hash-collisions", HOSTILE / "wycheproof", SNAPSHOTS / "bombs-generated")
    for p in folder.iterdir()
    if p.is_file() and p.suffix not in (".wacz", ".zip", ".gz") and not p.name.startswith(("README", "LICENSE"))
)
JSON_SUITE = sorted((HOSTILE / "jsontestsuite").rglob("*.json"))


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(weak=True) as one:
        yield one


def through_both(jail: Jail, files: Sequence[Path]) -> dict[str, Any]:
    """The verdict, the same by both doors."""
    began = time.monotonic()
    confined = jail.run([(p.name, p) for p in files], trust_dir=STORE, at=AT)
    assert confined.killed is None and confined.verdict_json is not None, confined.detail
    assert confined.cpu_seconds < CPU_MAX and confined.max_rss < MEMORY_MAX
    typed = subprocess.run(
        [sys.executable, "-m", "evidence.verification", "--trust", str(STORE), "--at", AT.isoformat(), "--json", *map(str, files)],
        capture_output=True,
        cwd=ROOT,
    )
    verdict: dict[str, Any] = json.loads(confined.verdict_json)
    assert typed.returncode == STATUS[verdict["overall"]], typed.stderr
    assert json.loads(typed.stdout) == verdict
    assert verdict["overall"] != "CONSISTENT"
    assert "INTERNAL_ERROR" not in {f["reason"] for f in verdict["findings"]}
    assert time.monotonic() - began < 120
    return verdict


def test_every_file_has_its_verdict() -> None:
    there = {f"{f}/{p.name}" for f in FOLDERS for p in (SNAPSHOTS / f).iterdir() if not p.name.startswith(("_", "LICENSE"))}
    assert there == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_saved_pages_and_packages(jail: Jail, name: str) -> None:
    overall, answers = VERDICTS[name]
    verdict = through_both(jail, [SNAPSHOTS / name])
    assert verdict["overall"] == overall
    assert answers <= {(f["check"], f["outcome"], f["reason"]) for f in verdict["findings"]}
    if overall == OPEN:
        assert verdict["grade"] == "E" and not verdict["walk"]


def test_four_forms_of_one_page_are_one_exhibit(jail: Jail) -> None:
    names = [n for n in VERDICTS if "generated_" in n]
    assert through_both(jail, [SNAPSHOTS / n for n in names])["overall"] == OPEN


@pytest.mark.parametrize("path", PLAIN, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_hostile_files_that_are_no_archives(jail: Jail, path: Path) -> None:
    verdict = through_both(jail, [path])
    assert verdict["overall"] == (WRONG if path.name in REFUTED else OPEN)
    assert verdict["sources"][0]["size"] == path.stat().st_size
    if path.suffix in (".xml", ".svg"):
        assert verdict["sources"][0]["format"] == "unknown", "nothing of ours reads it"


@pytest.mark.parametrize("start", range(0, len(JSON_SUITE), FILES_MAX))
def test_json_that_readers_disagree_about(jail: Jail, start: int) -> None:
    verdict = through_both(jail, [p for p in JSON_SUITE[start : start + FILES_MAX] if p.stat().st_size])
    assert verdict["overall"] == OPEN and not verdict["walk"]


def test_files_of_one_sha1_are_two_files(jail: Jail) -> None:
    for name in ("shattered-{}.pdf", "sha-mbles-{}.bin"):
        verdict = through_both(jail, [HOSTILE / "hash-collisions" / name.format(n) for n in (1, 2)])
        assert len({s["sha256"] for s in verdict["sources"]}) == 2


def test_merkle_forgeries() -> None:
    """The tree of the court's own book of acts. The size of the signed head, where one is claimed, wins over the attacker's."""
    for case in json.loads((HOSTILE / "hostile" / "merkle-forgeries.json").read_bytes()):
        leaf = bytes.fromhex(case["leaf_hash"]) if "leaf_hash" in case else tree.leaf_hash(bytes.fromhex(case["leaf_data"]))
        found = tree.verify_inclusion(
            leaf,
            index=case["index"],
            size=case.get("claimed_size", case["size"]),
            path=[bytes.fromhex(p) for p in case["proof"]],
            expected_root=bytes.fromhex(case["root"]),
        )
        assert found is case["expect"], case["name"]


def test_a_list_with_its_last_leaf_repeated_has_no_place_for_it() -> None:
    """CVE-2012-2459: the root of the longer list is that of the shorter. A path must fit the number of leaves."""
    case = json.loads((HOSTILE / "hostile" / "bitcoin-cve-2012-2459.json").read_bytes())
    leaves, mutated = ([bytes.fromhex(t) for t in case[k]] for k in ("txids", "mutated"))
    levels, twice = (merkle.repeating_levels(x, algorithm="SHA-256D") for x in (leaves, mutated))
    assert levels[-1] == twice[-1] == [bytes.fromhex(case["root"])]
    path = merkle.repeating_path(twice, 3)
    with pytest.raises(merkle.PathError):
        merkle.repeating_root(mutated[3], path, index=3, count=len(leaves), algorithm="SHA-256D")
