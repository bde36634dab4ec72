"""Characters: every name that the court may meet is printed as it is written, and no text of a party stops a document."""

import io
import json
import random
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from fontTools.ttLib import TTFont

from evidence.reports import rendering
from evidence.reports.printable import clean, number

from .conftest import FONTS
from .test_rendering import Render, faults, text_of

RARE = "䶮㛃𬱖𠮷𪚥𬀩𰻞"
"""In names of real people, and in no font of the product."""
RARE_OF_THE_STANDARD = (
    "㑇㑊㕮㘎㙍㙘㙦㛚㛹㟃㠇㠓㤘㥄㧐㧑㧟㫰㬊㬎㬚㭎㭕㮾㰀㳇㳘㳚㴔㵐㶲㸆㸌㺄㻬㽏㿠䁖䂮䃅䃎䅟䌹䎃䎖䏝䏡䏲䐃䓖䓛䓨䓫䓬䗖䗛䗪䗴䜣䝙䢺䢼䣘䥽䦃䲟䲠䲢䴓䴔䴕䴖䴗䴘䴙"
    "𠅤𠙶𠳐𡎚𡐓𣗋𣲗𣲘𣸣𤧛𤩽𤫉𥔲𥕢𥖨𥻗𦈡𦒍𦙶𦝼𦭜𦰡𧿹𨐈𨙸𨚕𨟠𨭉𨱇𨱏𨱑𨱔𨺙𩽾𩾃𩾌𪟝𪣻𪤗𪨰𪨶𪩘𪾢𫄧𫄨𫄷𫄸𫇭𫌀𫍣𫍯𫍲𫍽𫐄𫐐𫐓𫑡𫓧𫓯𫓶𫓹𫔍𫔎𫔶𫖮𫖯𫖳"
    "𫗧𫗴𫘜𫘝𫘦𫘧𫘨𫘪𫘬𫚉𫚕𫚖𫚭𫛭𫞩𫟅𫟦𫟹𫟼𫠆𫠊𫠜𫢸𫫇𫭟𫭢𫭼𫮃𫰛𫵷𫶇𫷷𫸩𬀪𬂩𬃊𬇕𬇙𬇹𬉼𬊈𬊤𬌗𬍛𬍡𬍤𬒈𬒔𬒗𬕂𬘓𬘘𬘡𬘩𬘫𬘬𬘭𬘯𬙂𬙊𬙋𬜬𬜯𬞟𬟁𬟽𬣙𬣞𬣡𬣳𬤇𬤊𬤝𬨂𬨎𬩽𬪩𬬩𬬭𬬮𬬱𬬸𬬹𬬻𬬿"
    "𬭁𬭊𬭎𬭚𬭛𬭤𬭩𬭬𬭯𬭳𬭶𬭸𬭼𬮱𬮿𬯀𬯎𬱟𬳵𬳶𬳽𬳿𬴂𬴃𬴊𬶋𬶍𬶏𬶐𬶟𬶠𬶨𬶭𬶮𬷕𬸘𬸚𬸣𬸦𬸪𬹼𬺈𬺓"
)
"""Of the List of Generally Used Standard Chinese Characters (2013), its third table: extensions A to E, made for names and places."""
NOBODY = "\U00012000"
"""CUNEIFORM SIGN A: assigned, and in no font that a court installs."""


def rare_fonts() -> bool:
    return len(rendering._rare_fonts(FONTS)) == len(rendering.RARE)


@pytest.mark.skipif(not rare_fonts(), reason="fonts-noto-cjk and fonts-hanazono are missing (apt-get install them)")
@pytest.mark.parametrize("text", [RARE, RARE_OF_THE_STANDARD, "㐀䶵𠀀𪛖𪜀𫜴𫝀𫠝𫠠𬺡𬺰𮯠", "가힣한국"])
def test_rare_name_characters_are_drawn(render: Render, text: str) -> None:
    assert rendering.missing_glyphs(text, fonts=FONTS) == ""
    pdf = render("#given(data.x)\n\n*#given(data.x)*\n\n#mono(data.x)\n= #data.x", data={"x": text})
    assert faults(pdf) == []  # an empty box (.notdef) would be one
    assert re.sub(r"\s", "", text_of(pdf)).count(text) >= 4


@pytest.mark.skipif(not rare_fonts(), reason="fonts-noto-cjk and fonts-hanazono are missing (apt-get install them)")
@pytest.mark.needs("pdftotext")
def test_another_reader_gets_the_rare_characters_back(render: Render, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(render("#given(data.x)", data={"x": RARE + RARE_OF_THE_STANDARD}))
    done = subprocess.run(["pdftotext", str(tmp_path / "a.pdf"), "-"], capture_output=True, text=True, check=True)
    assert RARE + RARE_OF_THE_STANDARD in re.sub(r"\s", "", done.stdout)


def test_the_font_made_of_another_has_a_name_and_a_licence_of_its_own() -> None:
    names = TTFont(FONTS / "MingjianRare.ttf", lazy=True)["name"]
    assert not re.search("noto|source", " ".join(str(names.getDebugName(n)) for n in (1, 4, 6, 16)), re.I)
    assert "Open Font License" in names.getDebugName(13)
    licence = (FONTS / "LICENSE-MingjianRare.txt").read_text(encoding="utf-8")
    assert "Adobe" in licence and "converted" in licence and "PERMISSION & CONDITIONS" in licence


def test_a_character_that_nobody_has_is_named(render: Render) -> None:
    assert rendering.missing_glyphs(f"甲{NOBODY}乙", fonts=FONTS) == NOBODY
    with pytest.raises(rendering.RenderError, match="could not be displayed"):
        render("#data.x", data={"x": NOBODY})


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("\ue000 \uf8ff", "\ue000\uf8ff"),  # private use: PDF/A forbids it, whatever font has it
        ("a\ufeffb", "\ufeff"),
        ("\U0001ee00", "\U0001ee00"),  # in the regular face alone
        ("m̀ ɛ́ Ệ א\u05b8", ""),
        ("中\u0333", "\u0333"),  # no font has both
        ('{"name": "\u0301a"}', "\u0301"),  # it would go to what the page has before it
        ("\u24b4\u200d\u0333", "\u0333"),
    ],
)
def test_what_would_stop_a_document_is_named(text: str, lost: str) -> None:
    assert rendering.missing_glyphs(text, fonts=FONTS) == lost


def hostile_texts(seed: int, count: int) -> Iterator[str]:
    """Marks on anything, joiners between anything, letters of all scripts that the fonts have and some that they have not."""
    drawn = random.Random(seed)
    faces = [rendering._characters(file) for file in (*(FONTS / f for f in rendering.FONTS), *(f for _, f in rendering._rare_fonts(FONTS)))]
    everything = sorted(set().union(*faces))
    kinds: dict[str, list[int]] = {"M": [], "C": [], "S": [], "P": []}
    for code in everything:
        kinds.get(unicodedata.category(chr(code))[0], []).append(code)
    usual = [0x61, 0x4E2D, 0x627, 0x5D0, 0x1100, 0x1161, 0x11A8, 0x1F1E8, 0x1F3FB, 0x200D, 0xE000, 0x12000]
    for _ in range(count):
        pools = drawn.choices([kinds["M"], kinds["C"], kinds["S"], kinds["P"], everything, usual], [5, 1, 3, 1, 4, 4], k=drawn.randint(1, 14))
        yield "".join(chr(drawn.choice(pool)) for pool in pools)


def test_no_text_of_a_party_stops_a_document(render: Render) -> None:
    """As `edition` and `receipt` do it: cleaned, then what cannot be shown spelt out, then printed in every face."""
    found = ["\u05bc\u24b4\u200d\u0333", "\u065a\U0001f21b\u200d\u030f", "\u05b4\U0001bca2\u034a", *hostile_texts(7, 400)]
    texts = [clean(t, 200) for t in found]
    lost = [rendering.missing_glyphs(json.dumps(t, ensure_ascii=False), fonts=FONTS) for t in texts]
    shown = [t.translate({ord(c): number(c) for c in gone}) for t, gone in zip(texts, lost, strict=True)]
    assert faults(render("#for x in data.x [#given(x) *#given(x)* #mono(x) \\ ]", data={"x": shown})) == []


def test_a_host_font_cannot_take_the_place_of_ours(render: Render) -> None:
    """Only the product's own faces for ordinary text, whatever fonts the machine has."""
    with pikepdf.open(io.BytesIO(render("中文 abc ✓ *粗*"))) as pdf:
        names = {str(o.BaseFont).partition("+")[2] for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/BaseFont" in o}
    assert {n.removesuffix("-Identity-H") for n in names} == {"NotoSansSCThin-Regular", "NotoSansSCThin-Bold", "DejaVuSans"}  # as the files say


# ── evidence text ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("invoice\u202efdp.exe", "invoice〔U+202E〕fdp.exe"),
        ("a\u2066b\u2069c\u200fd", "a〔U+2066〕b〔U+2069〕c〔U+200F〕d"),
        ("a\x00\x07\x1b[31mb", "a〔U+0000〕〔U+0007〕〔U+001B〕[31mb"),
        ("two\nlines\tand\u3000space", "two lines and space"),
        ("e\u0301\u0301\u0301\u0301", "é\u0301\u0301〔U+0301〕"),
        ("葛\U000e0100❤\ufe0f", "葛❤"),
        ("ｅ́ Å", "ｅ́ Å"),
        ("שלום مرحبا", "שלום مرحبا"),
    ],
)
def test_evidence_text_is_made_safe_to_print(given: str, shown: str) -> None:
    assert clean(given, 200) == shown


def test_evidence_text_is_cut_with_a_mark() -> None:
    assert clean("字" * 300, 200) == "字" * 199 + "…"
    assert clean("字" * 200, 200) == "字" * 200


def test_text_from_right_to_left_stays_in_its_place(render: Render) -> None:
    pdf = render("#table(columns: 2, ..data.x)", data={"x": ["קובץ.pdf", "12 345"]})
    assert faults(pdf) == [] and "12 345" in text_of(pdf)
