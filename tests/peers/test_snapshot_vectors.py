"""Every shared file of a snapshot or a hostile archive has a test that states its answer, and a zip is refused for the fault it was made
to have.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

from pathlib import Path

import pytest

from evidence.verification.codecs.zipstrict import Rule

from . import test_snapshots as stated
from . import test_snapshots_hostile as hostile
from .test_snapshots import HOSTILE, SNAPSHOTS, files
from .test_snapshots_hostile import refusals

ELSEWHERE = {"mhtml", "singlefile", "rendered", "README.md"}
"""Saved pages have tests of their own (`test_saved_pages`, `test_captures`)."""
BY_FOLDER = {
    "warc-edge-generated": lambda name: name in stated.EXPECTED,
    "warc-real": lambda name: name in stated.REAL,
    "wacz-real": lambda name: name in stated.PACKAGES or name == "valid_signed_example_1.wacz",
    "wacz-attacks-generated": lambda name: name in stated.ATTACKS,
    "wacz-auth": lambda name: name == "jswacz_authsign-response.json",
    "cn-package-synthetic": lambda name: name in stated.FORENSIC,
    "bombs-generated": lambda name: SNAPSHOTS / "bombs-generated" / name in hostile.HOSTILE_FILES,
    # Whole folders are one answer: read, refused, or refused but for a list.
    "zip-malo/accept": lambda name: True,
    "zip-malo/reject": lambda name: True,
    "zip-malo/malicious": lambda name: True,
    "zip-malo/iffy": lambda name: True,
    "zip-yauzl": lambda name: True,
}


def test_every_folder_and_every_file_has_an_answer() -> None:
    folders = {p.name for p in SNAPSHOTS.iterdir()} - ELSEWHERE
    assert folders == {name.partition("/")[0] for name in BY_FOLDER}
    assert {p.name for p in (SNAPSHOTS / "zip-malo").iterdir() if p.is_dir()} == {"accept", "reject", "malicious", "iffy"}
    without = [f"{folder}/{p.name}" for folder, known in BY_FOLDER.items() for p in files(folder) if not known(p.name)]
    assert without == []
    counts = {folder: len(files(folder)) for folder in BY_FOLDER}
    assert sum(counts.values()) >= 240, counts


def test_every_hostile_archive_has_an_answer() -> None:
    archives = {p for p in HOSTILE.iterdir() if p.suffix in (".wacz", ".zip", ".gz", ".pdf")}
    assert archives <= set(hostile.HOSTILE_FILES)


S, N, D = Rule.STRUCTURE, Rule.NAMES, Rule.DATA
REFUSED: dict[str, dict[str, Rule]] = {
    "zip-malo/reject": {"zip64_extra_usize": D, "": S},
    "zip-malo/malicious": {"short_usize.": D, "trailing_slash_name": N, "trailing_slash_payload": N, "": S},
    "zip-yauzl": {
        # yauzl changes the central directory alone, so that names and sizes also contradict the local header.
        "absolute_path": N, "invalid_characters": N, "invalid_relative_path": N,
        "compressed_uncompressed_size_mismatch": D, "invalid_code_lengths": D, "too_many_length": D,
        "strong_encryption": D, "unsupported_compression": D, "": S,
    },
}  # fmt: skip
"""Beginning of the name -> the rule that refuses it, among others perhaps; "" is all others of the folder."""


@pytest.mark.parametrize("path", [p for folder in REFUSED for p in files(folder)], ids=lambda p: p.name[:60])
def test_a_zip_is_refused_for_the_fault_it_was_made_to_have(path: Path) -> None:
    folder = path.relative_to(SNAPSHOTS).parent.as_posix()
    due = next(rule for start, rule in REFUSED[folder].items() if path.name.startswith(start))
    assert due in {rule for rule, _ in refusals(path)}
