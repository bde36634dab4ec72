"""Records in segments: put together when they are all there, in any number of archives; open when they are not."""

import gzip
import hashlib
from collections.abc import Sequence

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.snapshots import warc_records, warc_segments
from evidence.verification.verdict import Overall

from .snapshot_exhibits import (
    FAILED,
    HTTP,
    OPEN,
    PASSED,
    answer,
    asked,
    members,
    notes,
    record,
    sha1,
    verified,
)
from .wacz_exhibits import content, package
from .warc_exhibits import OK, OTHER, warc

BODY = bytes(range(256)) * 40
WHOLE = HTTP + b"\r\n" + BODY
ORIGIN = "<urn:uuid:00000000-0000-4000-8000-000000000001>"
OPENED = (OPEN, Reason.NOT_CONTAINED)


def segments(
    whole: bytes = WHOLE,
    cuts: Sequence[int] = (30, 4000),
    *,
    payload: str | None = sha1(BODY),
    total: str | None = "right",
    kind: str = "response",
    content_type: str = "application/http; msgtype=response",
) -> list[bytes]:
    """The records into which a writer would cut `whole`; each with the digest of its own block."""
    edges = [0, *cuts, len(whole)]
    made = []
    for number, (start, end) in enumerate(zip(edges, edges[1:], strict=False), 1):
        fields = [("WARC-Segment-Number", str(number))]
        if number > 1:
            fields.append(("WARC-Segment-Origin-ID", ORIGIN))
        if end == len(whole) and total is not None:
            fields.append(("WARC-Segment-Total-Length", str(len(whole)) if total == "right" else total))
        made.append(
            record(
                whole[start:end],
                kind="continuation" if number > 1 else kind,
                number=number,
                payload_digest=payload if number == 1 else None,
                content_type=content_type,
                fields=fields,
            )
        )
    return made


@pytest.mark.parametrize("cuts", [(4000,), (30, 4000), (1, 2, 3), (len(HTTP) + 1,), (len(HTTP) + 2, len(WHOLE) - 1)])
def test_a_record_in_segments_is_put_together(cuts: tuple[int, ...]) -> None:
    made = segments(cuts=cuts)
    for data in (b"".join(made), members(*made), OTHER.join(made)):
        verdict = warc(data)
        assert all(f.outcome is PASSED for f in verdict.findings), verdict.findings
        assert f"SEGMENTS_ASSEMBLED:{len(made)}" in notes(verdict, "WARC.REVISITS")
        assert answer(verdict, "WARC.PAYLOAD_DIGEST") == OK
        assert verdict.overall is Overall.INDETERMINATE


def test_segments_may_lie_in_several_archives_and_in_packages() -> None:
    first, second, third = segments()
    verdict = verified(("a.warc", first), ("b.warc", second), ("c.warc.gz", members(third)))
    assert {answer(verdict, "WARC.REVISITS", subject=n) for n in ("a.warc", "b.warc", "c.warc")} == {OK}
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == OK  # said once, of the archive in which it begins
    files = {n: d for n, d in content().items() if not n.startswith(("indexes", "pages"))}
    files |= {"archive/s1.warc": first, "archive/s2.warc": second + third}
    packed = verified(("p.wacz", package(files)))
    assert answer(packed, "WARC.REVISITS", subject="s1.warc") == answer(packed, "WARC.REVISITS", subject="s2.warc") == OK


def test_segments_that_are_hashed_as_they_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc_records, "WHOLE_BLOCK_MAX", 100)
    verdict = warc(b"".join(segments()))
    assert all(f.outcome is PASSED for f in verdict.findings), verdict.findings


def test_chunks_are_removed_across_segments() -> None:
    chunked = HTTP + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    verdict = warc(b"".join(segments(chunked)))
    assert "PAYLOAD_DECHUNKED:1" in notes(verdict, "WARC.PAYLOAD_DIGEST")
    assert all(f.outcome is PASSED for f in verdict.findings)


def test_other_kinds_and_records_without_a_digest_of_the_whole() -> None:
    plain = segments(BODY, payload=sha1(BODY), kind="resource", content_type="application/octet-stream")
    assert answer(warc(b"".join(plain)), "WARC.PAYLOAD_DIGEST") == OK
    bare = warc(b"".join(segments(payload=None)))
    assert answer(bare, "WARC.REVISITS") == OK and "WARC.PAYLOAD_DIGEST" not in asked(bare)


def test_a_digest_of_the_whole_that_is_wrong_fails() -> None:
    verdict = warc(b"".join(segments(payload=sha1(b"else"))))
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    weak = warc(b"".join(segments(payload="md5:" + hashlib.md5(BODY).hexdigest())))
    assert answer(weak, "WARC.PAYLOAD_DIGEST") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)


def test_any_byte_of_the_payload_counts_even_without_block_digests() -> None:
    made = segments(cuts=(len(HTTP) + 2, 4000))  # the HTTP header is in the first, protected by the block digest alone
    for number in (1, 2):
        one = made[number]
        start = one.index(b"\r\n\r\n") + 4
        for place in (start, start + 7, len(one) - 5):
            changed = one[:place] + bytes([one[place] ^ 1]) + one[place + 1 :]
            data = b"".join(changed if n == number else o for n, o in enumerate(made))
            verdict = warc(data.replace(b"WARC-Block-Digest", b"X-Block-Digest"), runs=1)
            assert answer(verdict, "WARC.PAYLOAD_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_what_is_missing_repeated_or_out_of_order_stays_open() -> None:
    one, two, three = segments()
    foreign = two.replace(ORIGIN.encode(), b"<urn:uuid:00000000-0000-4000-8000-000000000009>")
    for name, data in {
        "first alone": one,
        "middle missing": one + three,
        "first missing": two + three,
        "twice": one + two + two + three,
        "swapped": one + three + two,
        "after the last": one + two + three + three,
        "another first": one + one + two + three,
        "another origin": one + foreign + three,
        "a number that is none": one + two.replace(b"Segment-Number: 2", b"Segment-Number: 02") + three,
        "two numbers": one + two.replace(b"WARC-Segment-Number: 2", b"WARC-Segment-Number: 2\r\nWARC-Segment-Number: 2") + three,
        "the first states the total": one.replace(b"Number: 1\r\n", b"Number: 1\r\nWARC-Segment-Total-Length: 9\r\n") + two + three,
    }.items():
        verdict = warc(data)
        assert answer(verdict, "WARC.REVISITS") == OPENED, name
        assert "WARC.PAYLOAD_DIGEST" not in asked(verdict), name
        assert verdict.overall is Overall.INDETERMINATE, name


def test_a_total_length_that_the_segments_contradict_fails() -> None:
    for total in ("1", str(len(WHOLE) + 1)):
        verdict = warc(b"".join(segments(total=total)))
        assert answer(verdict, "WARC.REVISITS") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(warc(b"".join(segments(total="-1"))), "WARC.REVISITS") == OPENED


def test_without_the_last_segment_a_digest_that_differs_is_open_and_one_that_fits_passes() -> None:
    assert answer(warc(b"".join(segments(total=None))), "WARC.REVISITS") == OK
    verdict = warc(b"".join(segments(total=None, payload=sha1(b"else"))))
    assert answer(verdict, "WARC.REVISITS") == OPENED and "WARC.PAYLOAD_DIGEST" not in asked(verdict)


def test_a_cut_segment_and_one_found_behind_junk() -> None:
    one, two, three = segments()
    assert answer(warc(one + two[:-60]), "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)
    behind = warc(one + b"junk" + two + three)
    assert answer(behind, "WARC.FRAMING") == (FAILED, Reason.FORMAT_FAILURE)
    assert "RECORDS_MATCHED:1" not in notes(behind, "WARC.PAYLOAD_DIGEST")


def test_records_in_segments_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc_segments, "ASSEMBLIES_MAX", 0)
    assert answer(warc(b"".join(segments())), "WARC.REVISITS") == OPENED


def test_an_archive_in_one_member_puts_segments_together_too() -> None:
    assert answer(warc(gzip.compress(b"".join(segments()), mtime=0)), "WARC.REVISITS") == OK
