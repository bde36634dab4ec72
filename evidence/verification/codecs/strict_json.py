"""The one JSON reader of the product: RFC 8259, and nothing that two parsers could read differently.

Refused: byte-order marks and anything but UTF-8, duplicate names, NaN and Infinity, numbers whose digits or exponent
exceed the bounds, lone surrogates, nesting beyond `DEPTH_MAX`, trailing bytes. Integers are exact; a number with a
fraction or an exponent becomes `Decimal`, never a float.
"""

import json
import re
from decimal import Decimal
from typing import Any

DEPTH_MAX = 64
"""Nesting; real certificates stay under 12, and Python's own reader overflows its stack near 1,000."""
BYTES_MAX = 64 << 20
"""A whole proof package (spec: at most 64 MiB)."""
INTEGER_DIGITS_MAX = 78
"""Decimal digits of 2**256, the largest integer any chain writes."""
EXPONENT_MAX = 999

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """Not strict JSON. `offset` is the byte (or character) position where known."""

    def __init__(self, problem: str, *, offset: int | None = None) -> None:
        super().__init__(problem if offset is None else f"{problem} at {offset}")
        self.offset = offset


def loads(data: bytes) -> Any:
    """UTF-8 bytes -> dict, list, str, int, Decimal, bool or None. Raises JsonError and nothing else."""
    if len(data) > BYTES_MAX:
        raise JsonError("larger than the reader's limit")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise JsonError("byte-order mark", offset=0)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise JsonError("not UTF-8", offset=fault.start) from fault
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_constant,
        )
    except JsonError:
        raise
    except json.JSONDecodeError as fault:
        raise JsonError(fault.msg, offset=fault.pos) from fault
    except (ValueError, RecursionError) as fault:
        raise JsonError("not JSON") from fault
    if "\\u" in text and _has_lone_surrogate(value):
        raise JsonError("lone surrogate")
    return value


def _check_depth(text: str) -> None:
    """Counts brackets outside strings before the real parser sees the text, so that depth cannot exhaust it."""
    depth = 0
    for match in _TOKENS.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise JsonError("nested too deeply", offset=match.start())
        elif token in "]}":
            depth -= 1


_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("the same name twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > INTEGER_DIGITS_MAX:
        raise JsonError("integer with too many digits")
    return int(digits)


def _decimal(text: str) -> Decimal:
    exponent = re.search(r"[eE][+-]?(\d+)$", text)
    if len(text) > INTEGER_DIGITS_MAX or (exponent and (len(exponent[1]) > 4 or int(exponent[1]) > EXPONENT_MAX)):
        raise JsonError("number out of range")
    return Decimal(text)


def _constant(name: str) -> None:
    raise JsonError(f"{name} is not JSON")


def _has_lone_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_LONE_SURROGATE.search(value))
    if isinstance(value, list):
        return any(map(_has_lone_surrogate, value))
    if isinstance(value, dict):
        return any(_has_lone_surrogate(k) or _has_lone_surrogate(v) for k, v in value.items())
    return False
