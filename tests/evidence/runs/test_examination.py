"""The engine inside the jail: the same bytes as outside, and none at all when the engine is not itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backports import zstd

import evidence.verification
from evidence.runs import jail as jail_module
from evidence.runs.jail import Jail
from evidence.verification import Exhibit, TrustStore, verify
from tests.anchor_packs import write_pack
from tests.evidence.verification.snapshot_exhibits import record

AT = datetime(2026, 11, 22, tzinfo=UTC)
SHIPPED = Path(evidence.verification.__path__[0], "anchors")
LARGEST = 1 << 20  # bytes: of the shared vectors only the small ones, so that the comparison takes seconds
ROOMS = ("consortium", "public", "rfc3161-trust", "pdf")


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail() as made:
        yield made


def outside(files: list[tuple[str, Path]], trust: Path) -> bytes:
    exhibit = Exhibit.from_fds([(name, os.open(path, os.O_RDONLY)) for name, path in files])
    try:
        return verify(exhibit, TrustStore.load(trust), AT).to_json()
    finally:
        exhibit.close()


def test_same_verdict_inside_and_outside(jail: Jail, tmp_path: Path) -> None:
    contents = {
        "网页.html": b"<!doctype html><title>x</title>",
        "空.txt": b"",
        "bad.json": b'{"a":1,"a":2}',
        "large.bin": os.urandom(9 << 20),  # hashed in two threads
        "broken.wacz": b"PK\3\4" + bytes(200),
        "page.warc.zst": zstd.compress(record()),
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    files = [(name, tmp_path / name) for name in contents]
    pack = write_pack(tmp_path / "pack", platforms=[])
    for chosen in (files, files[::-1], files[:1], files[3:4]):
        result = jail.run(chosen, trust_dir=pack, at=AT)
        assert result.killed is None
        assert result.verdict_json == outside(chosen, pack)


def test_shared_vectors_same_verdict_inside_and_outside(jail: Jail) -> None:
    """Also shows that no format needs anything the jail denies: a denied call would become an internal error."""
    root = Path(os.environ.get("MINGJIAN_VECTORS", Path(__file__).resolve().parents[4] / "shared" / "vectors"))
    if not root.exists():
        pytest.skip("NOT RUN: the shared vectors are not here (set MINGJIAN_VECTORS)")
    files = [
        file
        for room in ROOMS
        for file in sorted((root / room).rglob("*"))
        if file.is_file() and file.stat().st_size <= LARGEST
    ]
    assert len(files) > 100
    for file in files:
        result = jail.run([(file.name, file)], trust_dir=SHIPPED, at=AT)
        assert result.verdict_json == outside([(file.name, file)], SHIPPED), file


def test_a_pack_that_does_not_verify_is_no_verdict(jail: Jail, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    pack = write_pack(tmp_path / "pack")
    (pack / "policy.json").write_bytes(b"{ }")
    result = jail.run([("f", tmp_path / "f")], trust_dir=pack, at=AT)
    assert (result.verdict_json, result.killed, result.detail) == (None, "CRASH", "TrustError")


def test_the_answer_is_about_the_files_given(jail: Jail, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    result = jail.run([("甲.txt", tmp_path / "f")], trust_dir=SHIPPED, at=AT)
    assert result.verdict_json is not None
    (source,) = json.loads(result.verdict_json)["sources"]
    assert (source["name"], source["size"]) == ("甲.txt", 3)
    assert source["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_files_whose_known_answers_fail_are_not_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "zygote.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from evidence.verification.selftest import primitives\n"
        "primitives.CASES['broken for the test'] = lambda: False\n"
        "from evidence.runs import zygote\n"
        "zygote.main(*sys.argv[1:])\n"
    )
    monkeypatch.setattr(jail_module, "_ZYGOTE", script)
    evidence = tmp_path / "a.warc"
    evidence.write_bytes(b"WARC/1.1\r\n")
    with Jail() as broken:
        result = broken.run([("a.warc", evidence)], trust_dir=SHIPPED, at=AT)
    assert result.verdict_json is not None
    verdict = json.loads(result.verdict_json)
    assert (verdict["overall"], verdict["reasons"][0]) == ("INDETERMINATE", "SELFTEST_FAILED")
    assert verdict["selftest"]["failed"] == ["primitives: broken for the test"]
    assert [(f["check"], f["subject"]) for f in verdict["findings"]] == [("ENGINE.SELFTEST", "a.warc")]
