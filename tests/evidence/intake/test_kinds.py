"""Kinds of files by content, and their structure to the last byte, from files that other programs made."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.intake.kinds import EXTENSIONS, Flaw, recognise

from . import samples
from .samples import KINDS, WITH_STRUCTURE, archive, box


def seen(data: bytes) -> tuple[str, tuple[Flaw, ...]]:
    found = recognise(io.BytesIO(data), size=len(data))
    return found.media_type, found.flaws


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_is_what_it_is_and_has_no_flaw(name: str) -> None:
    data, media_type, _ = KINDS[name]
    assert seen(data) == (media_type, ())


@pytest.mark.parametrize("name", KINDS)
def test_its_usual_extension_does_not_contradict_it(name: str) -> None:
    _, media_type, extension = KINDS[name]
    assert media_type in EXTENSIONS.get(extension, {media_type})


@pytest.mark.parametrize("name", WITH_STRUCTURE)
def test_a_cut_file_shows(name: str) -> None:
    data = KINDS[name][0]
    for end in (len(data) // 2, len(data) - len(data) // 10, len(data) - 6):
        assert Flaw.TORN in seen(data[:end])[1], end


@pytest.mark.parametrize("name", ["pdf", "png", "jpeg", "jpeg progressive", "webp", "wav"])
def test_bytes_after_the_end_show(name: str) -> None:
    assert Flaw.TRAILING in seen(KINDS[name][0] + b"hidden message here")[1]


def test_a_film_without_its_index_is_torn() -> None:
    film = box(b"ftyp", b"isom\0\0\0\1") + box(b"mdat", b"\0" * 100)
    assert seen(film) == ("video/mp4", (Flaw.TORN,))


def test_a_box_of_64_bit_length_and_one_to_the_end() -> None:
    long = struct.pack(">I4sQ", 1, b"mdat", 16 + 100) + b"\0" * 100
    rest = struct.pack(">I4s", 0, b"moov") + b"\0" * 50
    assert seen(box(b"ftyp", b"isom\0\0\0\1") + long + rest) == ("video/mp4", ())


@pytest.mark.parametrize(
    "trailer", [b"/Encrypt 5 0 R", b"/Encrypt << /Filter /Standard >>", b"/Root 1 0 R\n/Encrypt\n12 0 R"]
)
def test_a_pdf_with_a_password(trailer: bytes) -> None:
    assert seen(samples.pdf(trailer=trailer)) == ("application/pdf", (Flaw.ENCRYPTED,))


def test_metadata_flag_is_no_password() -> None:
    assert seen(samples.pdf(trailer=b"/EncryptMetadata false")) == ("application/pdf", ())


def test_a_zip_with_a_password() -> None:
    assert seen(samples.encrypted_zip()) == ("application/zip", (Flaw.ENCRYPTED,))


def test_a_zip_hung_on_a_picture_is_two_things() -> None:
    kind, flaws = seen(samples.png() + archive({"a": b"b"}))
    assert kind == "image/png"
    assert Flaw.ALSO_ZIP in flaws


def test_a_pdf_that_does_not_start_at_its_start() -> None:
    data = b"<html><!--" + samples.pdf()
    assert Flaw.ALSO_PDF in seen(data)[1]


def test_a_zip_with_something_before_it_is_flagged() -> None:
    assert Flaw.TORN in seen(archive({"a": b"b"})[:30] + b"junk" + archive({"a": b"b"}))[1]


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a": 1}x',
        b"\xef\xbb\xbf{}",
        b'{"a": "\\ud800"}',
    ],
    ids=["nan", "duplicate", "deep", "trailing", "bom", "surrogate"],
)
def test_loose_json_is_text_that_is_not_json(data: bytes) -> None:
    assert seen(data)[0] == "text/plain"


def test_der_must_end_with_the_file() -> None:
    assert seen(samples.cms() + b"x")[0] == "application/octet-stream"
    assert seen(samples.cms()[:-1])[0] == "application/octet-stream"


@given(st.binary(min_size=1, max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    seen(data)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_no_damage_makes_it_raise(name: str, draw: st.DataObject) -> None:
    data = bytearray(KINDS[name][0])
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    seen(bytes(data[: draw.draw(st.integers(1, len(data)))]))
