"""Objects of an object stream, read by whole tokens: pyHanko's own reading goes byte by byte and takes most of the time of a long report.

Only what writers usually write is read here: names without escapes, whole numbers, references with one blank between their parts,
dictionaries without repeated keys. Anything else (strings, fractions, comments, depth, faults) makes the answer None for that object, and
the library reads it. So the answer is the library's in every case; a test compares them object by object.
"""

import re
from typing import Any

from pyhanko.pdf_utils import generic

_MAKE: Any = generic
"""The library's classes, which it leaves without types."""
DEPTH_MAX = 40
"""Dictionaries and arrays inside each other; the library's limit is that of recursion."""

_DELIMITED = rb"(?=[ \n\r\t\f\0()<>\[\]/])"
_KINDS = (
    rb"(/[!-\"$&-'*-.0-;=?-Z\\^-z|~]*+" + _DELIMITED + rb")",
    rb"(\d{1,8} \d{1,3} R" + _DELIMITED + rb")",
    rb"([+-]?\d{1,15}" + _DELIMITED + rb")",
    rb"(<<|>>|[\[\]])",
    rb"((?:true|false|null)" + _DELIMITED + rb")",
)
_BLANK = rb"[ \n\r\t\f\0]*+"
_TOKEN = re.compile(_BLANK + rb"(?:" + rb"|".join(_KINDS) + rb")")
_WHOLE = re.compile(rb"(?:" + _BLANK + rb"(?>" + rb"|".join(k.replace(b"(", b"(?:", 1) for k in _KINDS) + rb"))*+" + _BLANK)


def read(data: bytes, place: int, end: int, number: int, reader: Any) -> Any:
    """The object `number` that stands at `place` of the inflated stream `data`, before `end`; None: the library may say."""
    if data[place : place + 2] != b"<<" and data[place : place + 1] != b"[":
        return None
    if _WHOLE.fullmatch(data, place, end) is None:
        return None
    container = generic.Reference(number, 0, reader)
    opened: list[Any] = []
    keys: list[Any] = []
    current: Any = None
    key: Any = None
    in_dictionary = done = False
    for name, reference, whole, mark, word in _TOKEN.findall(data, place, end):
        value: Any
        if done:
            return None
        if name:
            value = generic.NameObject(name.decode("ascii"))
            if in_dictionary and key is None:
                if value in current:
                    return None
                key = value
                continue
        elif reference:
            one, two, _ = reference.split(b" ")
            if not int(one):  # a fault to the library
                return None
            value = _MAKE.IndirectObject(int(one), int(two), reader)
        elif mark == b"<<" or mark == b"[":
            if len(opened) == DEPTH_MAX or (in_dictionary and key is None):
                return None
            opened.append(current)
            keys.append(key)
            in_dictionary, key = mark == b"<<", None
            current = _MAKE.DictionaryObject() if in_dictionary else generic.ArrayObject()
            continue
        elif mark:
            if key is not None or in_dictionary != (mark == b">>"):
                return None
            value, current, key = current, opened.pop(), keys.pop()
            in_dictionary, done = type(current) is generic.DictionaryObject, current is None
        elif whole:
            value = _MAKE.NumberObject(whole)
        else:
            value = generic.NullObject() if word == b"null" else _MAKE.BooleanObject(word == b"true")
        value.container_ref = container
        if done:
            found = value
        elif not in_dictionary:
            current.append(value)
        elif key is None:
            return None
        else:
            dict.__setitem__(current, key, value)
            key = None
    return found if done else None
