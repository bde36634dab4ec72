"""The limits of snapshots (spec snapshots §12), each a constant in one place; what happens beyond them is tested with its reader."""

import pytest

from evidence.verification.codecs import inflate, strict_json, zipdirectory, zstdframes
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import wacz_index, warc_digests, warc_records

from .snapshot_exhibits import FAILED, answer, record
from .warc_exhibits import warc

MIB = 1 << 20
LIMITS = {
    "MEMBER_MAX": (inflate.MEMBER_MAX, 256 * MIB),
    "INFLATED_TOTAL_MAX": (inflate.INFLATED_TOTAL_MAX, 2048 * MIB),
    "RATIO_MAX": (inflate.RATIO_MAX, 200),
    "RATIO_FLOOR": (inflate.RATIO_FLOOR, 16 * MIB),
    "MEMBERS_MAX": (zipdirectory.MEMBERS_MAX, 50_000),
    "WARC_RECORDS_MAX": (warc_records.RECORDS_MAX, 200_000),
    "WARC_HEADER_MAX": (warc_records.HEADER_MAX, 64 << 10),
    "WARC_FIELDS_MAX": (warc_records.FIELDS_MAX, 1_000),
    "HTTP_HEADER_MAX": (warc_digests.HTTP_HEADER_MAX, 256 << 10),
    "LINE_MAX": (wacz_index.LINE_MAX, 64 << 10),
    "JSON_DEPTH_MAX": (strict_json.DEPTH_MAX, 64),
    "ZSTD_WINDOW_MAX": (zstdframes.WINDOW_MAX, 8 * MIB),
    "ZSTD_DICT_MAX": (zstdframes.DICTIONARY_MAX, 8 * MIB),
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_limit_is_what_the_specification_says(name: str) -> None:
    actual, due = LIMITS[name]
    assert actual == due


def test_eighteen_digits_of_length_are_read_and_nineteen_are_not() -> None:
    """The first claims more than there is and is cut off; the second is no length."""
    assert answer(warc(record(length="9" * 18)), "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)
    assert answer(warc(record(length="1" + "0" * 18)), "WARC.FRAMING") == (FAILED, Reason.FORMAT_FAILURE)
