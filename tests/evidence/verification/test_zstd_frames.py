"""Zstandard archives: every rule of the format, and nothing that hides behind a frame. Written by the Zstandard library itself."""

import struct
from collections.abc import Sequence

import pytest
from backports import zstd

from evidence.verification.codecs import inflate, zstdframes
from evidence.verification.codecs.octets import BytesOctets
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Bearing, Overall

from .snapshot_exhibits import (
    FAILED,
    HTTP,
    OPEN,
    PAGE,
    PASSED,
    answer,
    asked,
    finding,
    members,
    notes,
    record,
    verified,
)
from .warc_exhibits import BAD, GOOD, OK, OTHER, made, warc

P = zstd.CompressionParameter
PROPER = {P.checksum_flag: 1, P.content_size_flag: 1}
RECORDS = [record(HTTP + b"\r\n" + PAGE + b"%d" % n, number=n, uri=f"https://example.com/{n}") for n in range(1, 40)]
WORDS = zstd.train_dict(RECORDS * 20, 4000)


def frame(data: bytes, *, options: dict[int, int] | None = None, words: zstd.ZstdDict | None = None) -> bytes:
    return zstd.compress(data, options={**PROPER, **(options or {})}, zstd_dict=words)


def frames(*records: bytes, words: zstd.ZstdDict | None = None) -> bytes:
    return b"".join(frame(r, words=words) for r in records)


def skip(content: bytes, number: int = 0xD) -> bytes:
    return bytes([0x50 | number, 0x2A, 0x4D, 0x18]) + struct.pack("<L", len(content)) + content


def bare() -> bytes:
    """A frame without the size of its content."""
    packer = zstd.ZstdCompressor(options={P.checksum_flag: 1})
    return packer.compress(GOOD) + packer.flush(zstd.ZstdCompressor.FLUSH_FRAME)


def test_frames_of_one_record_each_pass_every_question() -> None:
    for data in (frames(GOOD, OTHER), frames(made(compressed=False))):
        verdict = verified(("page.warc.zst", data))
        assert all(f.outcome is PASSED for f in verdict.findings), verdict.findings
        assert {"ZSTD.FRAMES", "ZSTD.ONLY_FRAMES", "WARC.PAYLOAD_DIGEST"} <= asked(verdict)
        assert not {c for c in asked(verdict) if c.startswith("GZ.")}
        assert verdict.overall is Overall.INDETERMINATE
    assert "FRAMES_CHECKED:2" in notes(warc(frames(GOOD, OTHER)), "ZSTD.FRAMES")


def test_a_record_of_several_frames_and_a_frame_of_several_records() -> None:
    pieces = [GOOD[n : n + 100] for n in range(0, len(GOOD), 100)]
    assert all(f.outcome is PASSED for f in warc(frames(*pieces)).findings)
    assert "ZSTD_NOT_PER_RECORD" in notes(warc(frame(GOOD + OTHER)), "ZSTD.ONLY_FRAMES")


def test_the_dictionary_at_the_beginning_raw_or_compressed() -> None:
    body = frames(*RECORDS, words=WORDS)
    for words in (WORDS.dict_content, frame(WORDS.dict_content)):
        verdict = warc(skip(words) + body)
        assert all(f.outcome is PASSED for f in verdict.findings), verdict.findings
        assert f"FRAMES_CHECKED:{len(RECORDS)}" in notes(verdict, "ZSTD.FRAMES")


def test_a_bad_record_fails_whatever_packs_it() -> None:
    for data in (frames(GOOD, BAD), skip(WORDS.dict_content) + frames(GOOD, BAD, words=WORDS), frame(GOOD + BAD)):
        assert answer(warc(data), "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_a_dictionary_that_is_missing_is_missing_data() -> None:
    """Frames that cannot be read are open and decisive; the others are read, before and behind."""
    verdict = warc(frames(GOOD) + frames(OTHER, words=WORDS) + frames(BAD))
    found = finding(verdict, "ZSTD.FRAMES")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.NOT_CONTAINED, Bearing.DECISIVE)
    assert answer(verdict, "ZSTD.ONLY_FRAMES") == OK
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    alone = warc(frames(*RECORDS, words=WORDS))
    assert answer(alone, "WARC.RECOGNISED") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    other = zstd.train_dict([r[::-1] for r in RECORDS] * 20, 4000)
    assert answer(warc(skip(other.dict_content) + frames(*RECORDS, words=WORDS)), "WARC.RECOGNISED")[0] is OPEN


@pytest.mark.parametrize("words", [b"", b"no dictionary", WORDS.dict_content[:20], frame(WORDS.dict_content)[:-3], frame(b"x")])
def test_a_dictionary_that_cannot_be_read_fails(words: bytes) -> None:
    verdict = warc(skip(words) + frames(GOOD))
    assert answer(verdict, "ZSTD.FRAMES") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK


def test_another_dictionary_under_the_same_number_fails() -> None:
    content = WORDS.dict_content
    words = skip(content[:-600] + content[-600:][::-1])
    verdict = warc(words + frames(GOOD) + frames(*RECORDS, words=WORDS))
    assert answer(verdict, "ZSTD.FRAMES") == (FAILED, Reason.FORMAT_FAILURE)
    assert "RECORDS_MATCHED:1" in notes(verdict, "WARC.BLOCK_DIGEST")
    # Where nothing can be decoded nobody can say that it is an archive.
    assert answer(warc(words + frames(*RECORDS, words=WORDS)), "WARC.RECOGNISED") == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_frames_that_say_less_than_they_should_are_noted() -> None:
    verdict = warc(bare() + zstd.compress(OTHER))
    assert {"ZSTD_WITHOUT_SIZE:1", "ZSTD_WITHOUT_CHECKSUM:1"} <= set(notes(verdict, "ZSTD.FRAMES"))
    assert all(f.outcome is PASSED for f in verdict.findings)


def test_frames_that_every_reader_skips_are_counted() -> None:
    verdict = warc(frames(GOOD) + skip(b"hidden", 3) + frames(OTHER) + skip(GOOD))
    assert "ZSTD_SKIPPABLE_FRAMES:2" in notes(verdict, "ZSTD.ONLY_FRAMES")
    assert "RECORDS_MATCHED:2" in notes(verdict, "WARC.BLOCK_DIGEST")
    cut = warc(frames(GOOD) + skip(bytes(100))[:-1])
    assert answer(cut, "ZSTD.FRAMES") == (FAILED, Reason.TRUNCATED)


@pytest.mark.parametrize("junk", [b"junk", b"\0junk", members(OTHER), OTHER, frame(OTHER)[1:]])
def test_junk_between_frames_fails_and_hides_nothing(junk: bytes) -> None:
    verdict = warc(frames(GOOD) + junk + frames(BAD))
    assert answer(verdict, "ZSTD.ONLY_FRAMES") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_frames_behind_gzip_and_plain_records_hide_nothing() -> None:
    for data in (members(GOOD) + frames(BAD), GOOD + frames(BAD)):
        verdict = warc(data)
        assert answer(verdict, "WARC.FRAMING")[0] is FAILED
        assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_zeros_behind_are_padding() -> None:
    assert "TRAILING_ZERO_PADDING" in notes(warc(frames(GOOD) + bytes(512)), "ZSTD.ONLY_FRAMES")


def test_every_truncation_is_said() -> None:
    whole = frames(GOOD, OTHER)
    for size in range(len(frames(GOOD)) + 1, len(whole)):
        verdict = verified(("p.warc.zst", whole[:size]), runs=1)
        assert verdict.overall is Overall.INCONSISTENT, size


def test_no_single_bit_passes() -> None:
    """Frames with check sums: a changed bit fails, or changes nothing (bits that pad a table), or takes the check sum away."""
    whole = frames(GOOD)
    silent = 0
    for at in range(len(whole)):
        for bit in range(8):
            changed = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            verdict = verified(("p.warc.zst", changed), runs=1)
            packing = [f for f in verdict.findings if f.check in ("ZSTD.FRAMES", "ZSTD.ONLY_FRAMES", "WARC.BLOCK_DIGEST")]
            if len(packing) == 3 and all(f.outcome is PASSED for f in packing):
                silent += 1
                assert zstd.decompress(changed) == GOOD, (at, bit)
    assert silent < 20


def test_twice_compressed_is_said_and_not_opened() -> None:
    for inner in (frames(GOOD), members(GOOD)):
        assert answer(verified(("p.warc.zst", frame(inner))), "WARC.RECOGNISED") == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_what_is_no_archive_decides_nothing() -> None:
    for data in (frame(b"text"), zstdframes.MAGIC, zstdframes.MAGIC + bytes(100), skip(b"")):
        assert verified(("x.zst", data)).overall is Overall.INDETERMINATE


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def limit(data: bytes) -> str | None:
    found = finding(warc(data), "WARC.RECOGNISED")
    return found.actual if found.reason is Reason.RESOURCE_LIMIT else None


def headed(descriptor: int, rest: Sequence[int]) -> bytes:
    return zstdframes.MAGIC + bytes([descriptor, *rest]) + b"\x01\0\0"


def test_windows_beyond_the_bound_are_a_limit() -> None:
    packer = zstd.ZstdCompressor(options={P.window_log: 24, P.enable_long_distance_matching: 1})
    assert limit(packer.compress(GOOD) + packer.flush()) == "ZSTD_WINDOW_MAX"
    just = zstd.ZstdCompressor(options={P.window_log: 23})
    assert answer(warc(just.compress(GOOD) + just.flush()), "WARC.BLOCK_DIGEST") == OK
    assert limit(headed(0xA0, (8 << 20).to_bytes(4, "little"))) is None
    assert limit(headed(0xA0, ((8 << 20) + 1).to_bytes(4, "little"))) == "ZSTD_WINDOW_MAX"


def test_dictionaries_beyond_the_bound_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zstdframes, "DICTIONARY_MAX", 3000)
    body = frames(*RECORDS, words=WORDS)
    assert limit(skip(WORDS.dict_content) + body) == limit(skip(frame(WORDS.dict_content)) + body) == "ZSTD_DICT_MAX"


def test_bombs_stop_at_the_ratio_and_memory_stays_bounded() -> None:
    bomb = frame(bytes(64 << 20))
    assert len(bomb) < 10_000
    assert limit(bomb) == "RATIO_MAX"
    behind = warc(frames(GOOD) + bomb + frames(OTHER))
    assert answer(behind, "ZSTD.FRAMES") == (OPEN, Reason.RESOURCE_LIMIT)
    pieces: list[int] = []
    with pytest.raises(inflate.LimitReached, match="RATIO_MAX"):
        pieces.extend(len(p) for p in zstdframes.Frame(BytesOctets(bomb), 0, inflate.Budget()).pieces())
    assert max(pieces) <= inflate.PIECE and sum(pieces) <= inflate.RATIO_FLOOR + inflate.PIECE


def test_the_budget_of_the_exhibit_is_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = inflate.Budget(1000)
    with pytest.raises(inflate.LimitReached, match="INFLATED_TOTAL_MAX"):
        list(zstdframes.Frame(BytesOctets(frame(bytes(5000))), 0, budget).pieces())
    monkeypatch.setattr(inflate, "MEMBER_MAX", 1000)
    with pytest.raises(inflate.LimitReached, match="MEMBER_MAX"):
        list(zstdframes.Frame(BytesOctets(frame(bytes(5000))), 0, inflate.Budget()).pieces())
