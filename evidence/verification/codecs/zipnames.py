"""Member names of zip archives: how they are read and which are refused (spec snapshots §2, rules 5 and 8)."""

import stat
import struct
import unicodedata
import zlib
from collections.abc import Mapping

UNICODE_PATH = 0x7075
NAME_BYTES_MAX = 1024
"""Bytes of a name. Scoop writes up to 170; longer names only serve to break displays."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)})
_ALLOWED_TYPES = (0, stat.S_IFREG, stat.S_IFDIR)


class NameRefused(ValueError):
    """Why a name, or the type of file it is given to, is not taken."""


def decode(raw: bytes, *, declared_utf8: bool) -> tuple[str, str]:
    """Raw name -> (name, encoding): UTF-8 when declared, else ASCII, else GB18030."""
    if declared_utf8:
        encoding = "utf-8"
    elif raw.isascii():
        encoding = "ascii"
    else:
        encoding = "gb18030"
    try:
        return raw.decode(encoding), encoding
    except UnicodeDecodeError as fault:
        raise NameRefused(f"not {encoding}") from fault


def unicode_path_agrees(extras: Mapping[int, bytes], raw: bytes, *, declared_utf8: bool) -> bool:
    """Rule 5: an Info-ZIP Unicode path must be version 1, made for this raw name, and say the same name."""
    field = extras.get(UNICODE_PATH)
    if field is None:
        return True
    if len(field) < 5 or field[0] != 1 or struct.unpack_from("<L", field, 1)[0] != zlib.crc32(raw):
        return False
    try:
        return field[5:].decode("utf-8") == decode(raw, declared_utf8=declared_utf8)[0]
    except (UnicodeDecodeError, NameRefused):
        return False


def accept(raw: bytes, *, declared_utf8: bool, unix_mode: int, size: int) -> tuple[str, str]:
    """Rule 8 for one member -> (name, encoding). NameRefused says what is wrong."""
    if not 0 < len(raw) <= NAME_BYTES_MAX:
        raise NameRefused("empty name" if not raw else "name too long")
    name, encoding = decode(raw, declared_utf8=declared_utf8)
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in name):
        raise NameRefused("control or bidirectional character")
    if "\\" in name or name.startswith("/") or (len(name) > 1 and name[1] == ":" and name[0].isalpha()):
        raise NameRefused("backslash, absolute path or drive")
    for part in name.removesuffix("/").split("/"):
        if part in ("", ".", "..") or part[-1] in " .":
            raise NameRefused("empty part, dot part, or part ending in a space or dot")
        if part.split(".")[0].rstrip(" ").casefold() in _DEVICES:
            raise NameRefused("reserved device name")
    if name.endswith("/") and size:
        raise NameRefused("directory with data")
    if stat.S_IFMT(unix_mode) not in _ALLOWED_TYPES:
        raise NameRefused("neither regular file nor directory")
    return name, encoding


def folded(name: str) -> str:
    """Names with the same folded form may be one file on somebody's disk."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).removesuffix("/")
