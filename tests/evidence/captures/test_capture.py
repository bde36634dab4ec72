"""The contract of a reading: one form in bytes, and nothing a taken-over child could answer instead."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from evidence.captures.capture import (
    Capture,
    Facts,
    Kind,
    Place,
    Reading,
    ReadingFault,
    Resource,
    Run,
    View,
    ViewKind,
    cut,
    pack,
    unpack,
)

PNG = b"\x89PNG\r\n\x1a\n picture"
DIGEST = hashlib.sha256(PNG).hexdigest()


def reading() -> Reading:
    facts = Facts(url="https://例.cn/", status=200, headers=(("Server", "nginx"),), claimed_instant=datetime(2026, 1, 2, tzinfo=UTC))
    capture = Capture(
        id="record@12",
        kind=Kind.PAGE,
        facts=facts,
        place=Place(file_sha256="a" * 64, payload_sha256="b" * 64, payload_size=9, member="archive/a.warc", record_offset=12),
        text=(Run("明鉴", 3, 6),),
        resources=(Resource("https://例.cn/a.png", "image/png", 200, 4, "c" * 64),),
        views=(View(ViewKind.SCREENSHOT, DIGEST, 10, 20),),
        notes=("TEXT_MAX",),
    )
    return Reading((capture,))


def test_there_and_back() -> None:
    assert Reading.from_bytes(reading().to_bytes()) == reading()
    assert unpack(pack(reading(), {DIGEST: PNG})) == (reading(), {DIGEST: PNG})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("captures", 0, "kind"), "SCRIPT"),
        (("captures", 0, "id"), "../../etc"),
        (("captures", 0, "facts", "status"), 1000),
        (("captures", 0, "facts", "status"), True),
        (("captures", 0, "facts", "url"), "x" * 2001),
        (("captures", 0, "facts", "title"), "a\0b"),
        (("captures", 0, "facts", "claimed_instant"), "2026-01-02"),
        (("captures", 0, "place", "file_sha256"), "A" * 64),
        (("captures", 0, "place", "payload_size"), -1),
        (("captures", 0, "place", "matched"), 1),
        (("captures", 0, "text", 0, "at"), 1.5),
        (("captures", 0, "notes", 0), "a sentence of the evidence"),
        (("captures", 0, "more"), 1),
        (("reader",), "another"),
    ],
)
def test_what_is_not_a_reading_is_refused(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(reading().to_bytes())
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    data = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(ReadingFault):
        Reading.from_bytes(data)


def test_only_the_canonical_form_and_each_id_once() -> None:
    with pytest.raises(ReadingFault):
        Reading.from_bytes(reading().to_bytes() + b" ")
    with pytest.raises(ReadingFault):
        Reading.from_bytes(replace(reading(), captures=reading().captures * 2).to_bytes())


def test_blobs_are_those_that_are_named() -> None:
    whole = pack(reading(), {DIGEST: PNG})
    for answer in (whole[:-1], whole + b"\0" * 8, whole[: -len(PNG)] + PNG[:-1] + b"X", pack(Reading(()), {}) + (4).to_bytes(8, "big") + b"more", b""):
        with pytest.raises(ReadingFault):
            unpack(answer)


def test_facts_are_cut_whole() -> None:
    assert cut("") is None and cut("  a ") == "a"
    assert len(cut("明" * 5000) or "") == 2000 and "\0" not in (cut("a\0b") or "")
    assert cut("\ud800x") == "?x"
