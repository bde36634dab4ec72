"""Files that other people's writers made of a page of ours (`written/README.md`), and what is left of the answers when one byte is changed."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence.verification import Verdict
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import wacz
from evidence.verification.verdict import Overall

from .snapshot_exhibits import FAILED, OPEN, PASSED, answer, finding, verified

WRITTEN = Path(__file__).with_name("written")
PAGE = (WRITTEN / "single-file.html").read_bytes()
PACKAGE = (WRITTEN / "js-wacz.wacz").read_bytes()


def page(data: bytes) -> Verdict:
    return verified(("page.html", data))


def test_a_page_of_single_file() -> None:
    verdict = page(PAGE)
    assert answer(verdict, "SF.COMMENT")[0] is PASSED and answer(verdict, "SF.SELF_CONTAINED")[0] is PASSED
    assert answer(verdict, "SF.BINDING") == (OPEN, Reason.NO_POE), "it signs nothing"
    (stated,) = (s for s in verdict.stated if s.instant)
    assert stated.instant == datetime(2026, 11, 22, 17, 58, 43, tzinfo=UTC) and stated.text.startswith("Sun Nov 22 2026 17:58:43")


def test_a_page_of_single_file_that_asks_for_something_outside() -> None:
    outside = PAGE.replace(b"<h1>", b'<img src="https://elsewhere.example/x.png"><h1>', 1)
    assert outside != PAGE and answer(page(outside), "SF.SELF_CONTAINED")[0] is not PASSED


def package(data: bytes) -> Verdict:
    return verified(("capture.wacz", data))


def rewritten(name: str, change: bytes, at: int) -> bytes:
    """The package with one byte of a member changed, and a sound archive around it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(PACKAGE)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = bytearray(old.read(info))
            if info.filename == name:
                data[at : at + 1] = bytes([data[at] ^ change[0]])
            new.writestr(info.filename, bytes(data), compress_type=info.compress_type)
    return out.getvalue()


def test_the_doubled_chunk_of_js_wacz_is_known_and_no_plain_pass() -> None:
    verdict = package(PACKAGE)
    assert answer(verdict, "WACZ.HASHES") == (OPEN, Reason.KNOWN_WRITER_DEFECT)
    assert any("js-wacz-doubled-chunk" in n for n in finding(verdict, "WACZ.HASHES").notes)
    for check in ("WACZ.LISTED", "WACZ.UNLISTED", "WARC.BLOCK_DIGEST", "WARC.PAYLOAD_DIGEST", "ZIP.STRUCTURE"):
        assert answer(verdict, check)[0] is PASSED, check
    assert verdict.overall is Overall.INDETERMINATE and Reason.KNOWN_WRITER_DEFECT in verdict.reasons


@pytest.mark.parametrize("at", [3, 40, 400, -1])
def test_a_changed_archive_is_not_the_known_defect(at: int) -> None:
    with zipfile.ZipFile(io.BytesIO(PACKAGE)) as old:
        size = old.getinfo("archive/data.warc.gz").file_size
    verdict = package(rewritten("archive/data.warc.gz", b"\1", at % size))
    assert answer(verdict, "WACZ.HASHES") == (FAILED, Reason.HASH_FAILURE)


def test_the_value_is_that_of_each_chunk_twice() -> None:
    """By hashlib alone: what the writer states is the formula of the registry, and not the digest of the archive."""
    with zipfile.ZipFile(io.BytesIO(PACKAGE)) as old:
        archive = old.read("archive/data.warc.gz")
        stated = {r["path"]: r["hash"] for r in json.loads(old.read("datapackage.json"))["resources"]}
    assert len(archive) < 64 << 10, "one chunk"
    assert stated["archive/data.warc.gz"] == "sha256:" + hashlib.sha256(archive + archive).hexdigest()


def test_the_fault_is_known_of_that_member_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wacz, "DOUBLED_PATH", "archive/other.warc.gz")
    assert answer(package(PACKAGE), "WACZ.HASHES") == (FAILED, Reason.HASH_FAILURE)
