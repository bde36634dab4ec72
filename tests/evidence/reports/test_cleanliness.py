"""The cleanliness check in one line of the report."""

import json

import pytest

from evidence.reports import cleanliness
from tests.evidence.verification.test_hashlist import CHECK_LOG, examine, files, package


def test_the_ten_items_stand_in_one_line_with_the_lines_of_the_log() -> None:
    lines = [line for line in CHECK_LOG.splitlines() if "ping" not in line.lower()]
    verdict = examine(package({**files(), "自清洁检查日志.txt": "\n".join(lines).encode()}))
    (found,) = [f for f in json.loads(verdict.to_json())["findings"] if f["check"] == "CNP.CLEANLINESS"]
    matrix, rest = cleanliness.line(found["notes"])
    assert matrix is not None and rest == ["CLEAN_PING_ABSENT"]
    number = next(n for n, line in enumerate(lines, start=1) if "病毒" in line)
    assert f"K03 病毒木马扫描 第 {number} 行" in matrix.zh and f"K03 virus scan line {number}" in matrix.en
    assert matrix.zh.count("K") >= 9 and "K10" not in matrix.zh


@pytest.mark.parametrize("note", ["CLEAN_PING_ABSENT", "CLEAN_NEW:3", "CLEAN_TIME:x", "ABNORMAL_LINE:3 CLEAN_TIME:4", "RECORDS:3", ""])
def test_other_notes_are_left(note: str) -> None:
    assert cleanliness.line([note]) == (None, [note])


def test_a_second_log_keeps_its_own_note() -> None:
    matrix, rest = cleanliness.line(["CLEAN_TIME:2", "CLEAN_TIME:7"])
    assert matrix is not None and "第 2 行" in matrix.zh and rest == ["CLEAN_TIME:7"]
