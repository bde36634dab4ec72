"""Does script text ask whether it runs in a web archive? (spec snapshots §13 R6.)

A pattern over bytes, nothing is parsed or run, so it can be wrong both ways: a note, never more. Two signs count: a name that only
replay programs give (Wombat of Webrecorder and pywb, the Wayback Machine's toolbar), and the host of a public archive close to a word
for the page's own address. A page that asks whether it stands in a frame does so against advertising far more often than against
archives: that is no sign. Patterns are ASCII; a page in UTF-16 is not looked at.
"""

import re

HITS_MAX = 1_000
"""Hosts in one text whose surroundings are looked at."""
_NEAR = 120
"""Bytes on each side in which a script that compares its own address names it."""

_NAME = re.compile(rb"\b(?:_+wb_wombat\w*|_*WB_wombat_\w+|_{2,}WB\$wombat\$\w+|__WB_(?:pmw|replay\w*|load\w*)|__wbinfo|wbinfo\.|__wm\.wombat|WBWombat\w*)")
_HOST = re.compile(rb"(?i)(?:web\\?\.archive\\?\.org|archive\\?\.(?:today|ph|is|li)\b|perma\\?\.cc|replayweb\\?\.page|conifer\\?\.rhizome\\?\.org|webcitation\\?\.org)")
_OWN_ADDRESS = re.compile(rb"\b(?:location|hostname|document\.(?:URL|referrer|domain|baseURI)|ancestorOrigins)\b")
_ASKED = re.compile(rb"(?:indexOf|includes|match|test|search|startsWith|endsWith)\s*\(|[!=]==?")
_SCRIPT = re.compile(rb"(?i)<script(?=[\s>/])([^>]{0,2000})>")
_SCRIPT_END = re.compile(rb"(?i)</script(?=[\s>/])")
_TYPE = re.compile(rb"(?i)\btype\s*=\s*[\"']?\s*([^\s\"'>]*)")
_RUN = frozenset((b"", b"module", b"text/javascript", b"application/javascript", b"application/x-javascript", b"text/ecmascript"))


def in_page(payload: bytes) -> int:
    """How many scripts written in a page of HTML ask; data in `<script type="application/json">` is no script."""
    found, at = 0, 0
    while (begin := _SCRIPT.search(payload, at)) is not None:
        end = _SCRIPT_END.search(payload, begin.end())
        at = end.start() if end else len(payload)
        told = _TYPE.search(begin[1])
        if told is None or told[1].lower() in _RUN:
            found += asks(payload[begin.end() : at])
    return found


def asks(script: bytes) -> bool:
    """Does this script?"""
    if _NAME.search(script):
        return True
    for n, host in enumerate(_HOST.finditer(script)):
        if n >= HITS_MAX:
            return False
        around = script[max(0, host.start() - _NEAR) : host.end() + _NEAR]
        if _OWN_ADDRESS.search(around) and _ASKED.search(around):
            return True
    return False


def is_script(content_type: str, url: str) -> bool:
    """By its type, or by its address where no type is told."""
    told = content_type.partition(";")[0].strip().lower()
    return "javascript" in told or "ecmascript" in told or (not told and url.partition("?")[0].lower().endswith((".js", ".mjs")))
