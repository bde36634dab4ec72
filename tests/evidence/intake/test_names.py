"""File names a party sends: kept, and shown so that they cannot deceive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.intake import names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("存证证书.pdf", "存证证书.pdf"),
        ("évidence (1).pdf", "évidence (1).pdf"),
        ("👨\u200d👩\u200d👧.jpg", "👨\u200d👩\u200d👧.jpg"),
        ("invoice\u202efdp.exe", "invoice〔U+202E〕fdp.exe"),
        ("\u2066a\u2069.txt", "〔U+2066〕a〔U+2069〕.txt"),
        ("a\u200bb.txt", "a〔U+200B〕b.txt"),
        ("line\nbreak.txt", "line〔U+000A〕break.txt"),
        ("../../etc/passwd", "..／..／etc／passwd"),
        ("C:\\fakepath\\a.pdf", "C:＼fakepath＼a.pdf"),
    ],
)
def test_shown(name: str, shown: str) -> None:
    assert names.shown(name) == shown
    assert names.unusual(name) == (shown != name)


def test_kept_verbatim_within_bounds() -> None:
    assert names.label("invoice\u202efdp.exe") == "invoice\u202efdp.exe"
    assert names.label("../../etc/passwd") == "../../etc/passwd"


def test_what_the_database_cannot_hold_is_replaced_visibly() -> None:
    assert names.label("a\0b.pdf") == "a␀b.pdf"
    assert names.label("a\ud800b.pdf") == "a\ufffdb.pdf"


def test_a_long_name_keeps_its_beginning_and_its_extension() -> None:
    kept = names.label("证" * 300 + ".wacz")
    assert len(kept) == 255
    assert kept.startswith("证证证") and kept.endswith("….wacz")


@given(st.text(max_size=400))
def test_every_name_can_be_kept_and_shown(name: str) -> None:
    kept = names.label(name)
    assert 1 <= len(kept) <= 255
    kept.encode("utf-8")
    shown = names.shown(kept)
    assert "\0" not in kept and "/" not in shown and "\\" not in shown
    assert not any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in shown)
