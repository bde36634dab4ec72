"""The address of an index line against the record it leads to (WACZ-06)."""

import json

import pytest

from evidence.verification.reasons import Reason

from .snapshot_exhibits import FAILED, HTTP, answer, members, record, sha256
from .test_wacz import OK, indexed, wacz
from .wacz_exhibits import URL, content, package


def test_an_index_line_may_not_give_a_record_another_address() -> None:
    """Played back, the record would be shown under the address of the line, whatever its digest says."""
    assert answer(wacz(indexed(url="https://bank.example/")), "WACZ.INDEX") == (FAILED, Reason.INDEX_MISMATCH)
    assert answer(wacz(indexed(url="https://example.com/other", recordDigest=None)), "WACZ.INDEX") == (FAILED, Reason.INDEX_MISMATCH)
    first, second = members(record()), members(record(HTTP + b"\r\n2", number=2, uri=URL + "2"))
    moved = {"offset": len(first), "length": len(second), "recordDigest": sha256(second)}
    assert answer(wacz(indexed(**moved)), "WACZ.INDEX") == (FAILED, Reason.INDEX_MISMATCH)
    assert answer(wacz(indexed(**moved, url=URL + "2")), "WACZ.INDEX") == OK


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://example.com/a b", "<https://example.com/a%20b>"),
        ("http://example.com/%E4%B8%AD#top", "http://Example.com:80/中"),
        ("https://example.com/s?q=1&__wb_method=POST&body", "https://example.com/s?q=1"),
        ("urn:text:https://example.com/", "urn:text:https://example.com/"),
    ],
)
def test_spellings_of_one_address_are_one_address(line: str, target: str) -> None:
    one = members(record(uri=target))
    files = content(one)
    text = json.dumps({"url": line, "offset": 0, "length": len(one), "recordDigest": sha256(one), "filename": "data.warc.gz"})
    del files["indexes/index.idx"], files["indexes/index.cdx.gz"]
    files["indexes/index.cdx"] = f"com,example)/ 20261122073524 {text}\n".encode()
    files["pages/pages.jsonl"] = b'{"format": "json-pages-1.0"}\n'
    assert answer(wacz(package(files)), "WACZ.INDEX") == OK


def test_where_no_address_can_be_read_nobody_is_accused() -> None:
    """Damage is found by digests; a record without an address says nothing against the line."""
    for archive in (members(record()).replace(b"\x1f\x8b\x08", b"\x1f\x8b\x09", 1), members(record(fields=(("WARC-Target-URI", "https://b.example/"),)))):
        files = content(members(record()))
        files["archive/data.warc.gz"] = archive
        files["pages/pages.jsonl"] = b'{"format": "json-pages-1.0"}\n'
        text = json.dumps({"url": URL, "offset": 0, "length": len(archive), "recordDigest": sha256(archive), "filename": "data.warc.gz"})
        files["indexes/index.cdx"] = f"com,example)/ 20261122073524 {text}\n".encode()
        del files["indexes/index.idx"], files["indexes/index.cdx.gz"]
        assert answer(wacz(package(files)), "WACZ.INDEX") == OK
