"""Many exhibits at once: every one has its line, whatever became of it."""

import csv
import shutil
from pathlib import Path

import pytest

from evidence.runs import batch
from tests.anchor_packs import write_pack
from tests.evidence.verification import fisco3_exhibits as fisco

AT = "2026-11-22T12:00:00Z"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Good, altered, without proof, empty, with a link, with too many files, and a name that a spreadsheet would carry out."""
    root = tmp_path_factory.mktemp("bundle")
    chain = fisco.built()
    pack = write_pack(root / "pack", chains={"chain": {"profile": chain.profile, "validators": chain.validators}})
    good = fisco.files(chain)
    exhibits = {
        "001": good,
        "002": {**good, "page.html": b"altered"},
        "003": {"page.html": b"nothing speaks of this"},
        "004": {},
        "006": {str(number): b"" for number in range(51)},
        "=cmd()": good,
    }
    folder = root / "exhibits"
    for name, files in exhibits.items():
        (folder / name).mkdir(parents=True)
        for label, data in files.items():
            (folder / name / label).write_bytes(data)
    (folder / "005").mkdir()
    (folder / "005" / "link").symlink_to("/etc/hostname")
    (folder / "a file beside the exhibits").write_bytes(b"")
    return folder, pack


def test_every_exhibit_has_its_line(
    bundle: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, pack = bundle
    table = tmp_path / "table.csv"
    assert batch.main([str(folder), str(table), "--trust", str(pack), "--at", AT]) == batch.INTERNAL
    with table.open(encoding="utf-8-sig", newline="") as lines:
        rows = {row["exhibit"]: row for row in csv.DictReader(lines)}
    assert list(rows) == ["001", "002", "003", "004", "005", "006", "'=cmd()"]
    assert {name: row["overall"] for name, row in rows.items()} == {
        "001": "CONSISTENT",
        "002": "INCONSISTENT",
        "003": "INDETERMINATE",
        "004": "",
        "005": "",
        "006": "",
        "'=cmd()": "CONSISTENT",
    }
    assert rows["001"]["grade"] == "B"
    assert rows["002"]["reasons"].split()[0] == "HASH_FAILURE"
    assert "0 files" in rows["004"]["fault"]
    assert "a link" in rows["005"]["fault"]
    assert "51 files" in rows["006"]["fault"]
    said = capsys.readouterr().out
    assert "not verified   3" in said
    assert all(f"  {name}: " in said for name in ("004", "005", "006"))


def test_the_exit_status_says_how_it_went(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    folder, pack = bundle
    for number, (names, status) in enumerate(
        [(("001", "=cmd()"), 0), (("001", "002", "003"), 1), (("001", "003"), 2), ((), 0)]
    ):
        chosen = tmp_path / str(number)
        chosen.mkdir()
        for name in names:
            shutil.copytree(folder / name, chosen / name)
        assert batch.main([str(chosen), f"{chosen}.csv", "--trust", str(pack), "--at", AT]) == status


def test_a_table_is_never_overwritten(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    folder, pack = bundle
    table = tmp_path / "table.csv"
    table.write_text("earlier")
    assert batch.main([str(folder), str(table), "--trust", str(pack), "--at", AT]) == batch.USAGE
    assert table.read_text() == "earlier"


@pytest.mark.parametrize("wrong", [["--at", "2026-11-22T12:00:00"], ["--workers", "0"], ["--trust", "/nowhere"]])
def test_what_cannot_be_done_is_said_before_anything_is(
    wrong: list[str], bundle: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, pack = bundle
    table = tmp_path / "table.csv"
    assert batch.main([str(folder), str(table), "--trust", str(pack), "--at", AT, *wrong]) == batch.USAGE
    assert not table.exists()
