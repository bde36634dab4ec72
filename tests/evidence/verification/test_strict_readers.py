"""The strict readers: one reading of every JSON text, number, hexadecimal, base64 and BER value, or none."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.verification.codecs import ber, strict_json
from evidence.verification.codecs.strict_json import DEPTH_MAX, INTEGER_DIGITS_MAX, JsonError
from evidence.verification.codecs.text import CodecError, base64_bytes, decimal, hex_bytes

# ── strict JSON ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("[]", []),
        (' \t\r\n{"a" : [ 1 , -2 , 0 ] }\n', {"a": [1, -2, 0]}),
        ('"\\u4e2d\\ud83d\\ude00\\/\\"\\b"', '中😀/"\b'),
        ('"中"', "中"),
        ("1.0", Decimal("1.0")),
        ("1e5", Decimal("1E+5")),
        ("-0", 0),
        (str(2**256), 2**256),
        ("9007199254740993", 9007199254740993),
        ("null", None),
        ('{"":0}', {"": 0}),
        ('{"__proto__":1,"constructor":2}', {"__proto__": 1, "constructor": 2}),
        ("[" * DEPTH_MAX + "]" * DEPTH_MAX, None),
        ('"' + "[" * 200 + '"', "[" * 200),
        ('"\\\\[[["', "\\[[["),
    ],
)
def test_json_that_is_json(text: str, value: object) -> None:
    read = strict_json.loads(text.encode())
    assert value is None or (read == value and type(read) is type(value))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b'{"a":1,}',
        b"{'a':1}",
        b"{a:1}",
        b'{"a" 1}',
        b'{"a":1}{"b":2}',
        b'{"a":1} x',
        b"[1]\x00",
        b"nul",
        b"True",
        b"01",
        b"-01",
        b"+1",
        b".5",
        b"5.",
        b"1e",
        b"0x10",
        b"1_000",
        "１２".encode(),
        b"-",
        b"NaN",
        b"Infinity",
        b"[-Infinity]",
        b'"\t"',
        b'"\x00"',
        b'"\\x41"',
        b'"\\u00g0"',
        b'"\\',
        b'"abc',
        b"// c\n1",
        b"/**/1",
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'[{"x":{"a":1,"a":2}}]',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800":1}',
        b'["\\ud800x"]',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32-be"),
        b'"\xff"',
        b'"\xc0\xaf"',  # overlong
        b'"\xed\xa0\x80"',  # surrogate in UTF-8
        b'"\xf4\x90\x80\x80"',  # beyond Unicode
        b"\xa0 1",
        b"\x0c1",
        b"1e1000",
        b"1e-99999999999",
        b"1" * (INTEGER_DIGITS_MAX + 1),
        b"-" + b"1" * (INTEGER_DIGITS_MAX + 1),
        b"0." + b"1" * 200,
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda d: repr(d[:24]),
)
def test_json_that_is_not(data: bytes) -> None:
    with pytest.raises(JsonError):
        strict_json.loads(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_json_round_trip(value: object, ascii_only: bool) -> None:
    assert strict_json.loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=80))
def test_json_raises_nothing_else(data: bytes) -> None:
    try:
        strict_json.loads(data)
    except JsonError:
        pass


# ── text codecs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hexadecimal() -> None:
    assert hex_bytes("00ff") == b"\x00\xff"
    assert hex_bytes("") == b""
    assert hex_bytes("0x00ff", prefix="0x") == b"\x00\xff"
    assert hex_bytes("00FF", any_case=True) == b"\x00\xff"
    assert hex_bytes("ab" * 32, length=32) == b"\xab" * 32


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("0", {}),
        ("00FF", {}),
        ("00 ff", {}),
        (" 00ff", {}),
        ("00ff\n", {}),
        ("0x00", {}),
        ("00ff", {"prefix": "0x"}),
        ("0X00ff", {"prefix": "0x"}),
        ("00ff", {"length": 3}),
        ("gg", {}),
        ("００", {}),
        ("0_0a", {}),
    ],
)
def test_not_hexadecimal(text: str, options: dict[str, object]) -> None:
    with pytest.raises(CodecError):
        hex_bytes(text, **options)  # type: ignore[arg-type]


def test_base64() -> None:
    assert base64_bytes("AP8=") == b"\x00\xff"
    assert base64_bytes("") == b""
    assert base64_bytes("AP8A", length=3) == b"\x00\xff\x00"


@pytest.mark.parametrize("text", ["AP8", "AP9=", "AP8=\n", " AP8=", "AP-_", "A", "AP8==", "=AP8", "AP8=AP8=", "ＡＰ８=", "AP8A\x00"])
def test_not_base64(text: str) -> None:
    with pytest.raises(CodecError):
        base64_bytes(text)


def test_decimal_numbers() -> None:
    assert decimal("0") == 0
    assert decimal(str((1 << 64) - 1)) == (1 << 64) - 1
    for text in ("", "00", "01", "-1", "+1", "1_0", " 1", "1\n", "１", "1.0", "1e3", str(1 << 64)):
        with pytest.raises(CodecError):
            decimal(text)
    with pytest.raises(CodecError):
        decimal("256", maximum=255)


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("0401ff", "0401ff"),
        ("048101ff", "0401ff"),
        ("3080 0401aa 0401bb 0000", "3006 0401aa 0401bb"),
        ("31 06 0401bb 0401aa", "31 06 0401aa 0401bb"),
        ("2480 0401aa 0402bbcc 0000", "0403aabbcc"),
        ("a080 3180 020102 020101 0000 0000", "a008 3106 020101 020102"),
        ("24 08 2406 0401aa 0401bb", "0402aabb"),
    ],
)
def test_ber_becomes_der(sent: str, canonical: str) -> None:
    assert ber.to_der(bytes.fromhex(sent)) == bytes.fromhex(canonical)
    assert ber.to_der(bytes.fromhex(canonical)) == bytes.fromhex(canonical)


@pytest.mark.parametrize("sent", ["", "30", "3003", "3080", "30800401", "0480", "0401ff00", "3002 0402", "2403 020101", "30850000000000", "1f", "1fffffffffff01"])
def test_ber_that_is_not(sent: str) -> None:
    with pytest.raises(CodecError):
        ber.to_der(bytes.fromhex(sent))


def test_ber_nesting_is_bounded() -> None:
    for deep in (b"\x30\x80" * 100_000, b"\x24\x80" * 40 + b"\x00\x00" * 40):
        with pytest.raises(CodecError):
            ber.to_der(deep)
