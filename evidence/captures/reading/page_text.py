"""The visible text of an HTML page, with the bytes each piece was written in.

A tokenizer of its own, because the places must be exact and the time linear whatever the page: the rules are those of the
HTML standard (§13.2.5) as far as they tell text from markup. Nothing is built, run or styled; what a style sheet hides is
shown, what the page hides by its own markup is left out and counted.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..capture import Run

NODES_MAX = 200_000
"""Pieces of markup of one page; a long page has some ten thousand."""

_BREAKS = frozenset(
    "address article aside blockquote body br button caption center dd details dialog div dl dt fieldset figcaption"
    " figure footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main menu nav ol optgroup option p pre"
    " search section select summary table tbody td textarea tfoot th thead title tr ul".split()
)
_RAW = frozenset("script style textarea title noscript iframe noembed noframes xmp template".split())
"""Elements read up to their own end tag; `template` may nest, which shows more of it, never less of the page."""
_SHOWN_RAW = frozenset(("textarea", "xmp"))
_ENDS_AT_NEXT = frozenset("p li dt dd option tr td th thead tbody tfoot".split())
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())

_MARKUP = re.compile(r"<(?:!--|[a-zA-Z/!?])")
_TAG = re.compile(
    r"<(/?[a-zA-Z][^\s/>]*+)((?:=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+)?|[^=>]++)*+)>"
)
_COMMENT_END = re.compile(r"--!?>")
_ENTITY = re.compile(r"&(?:#[xX]?[0-9a-fA-F]{1,8};?|[a-zA-Z][a-zA-Z0-9]{0,31};?)")
_ATTRIBUTE = re.compile(r"([^\s=/>\"']{1,40})(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]*+)))?")
_HIDING = re.compile(r"(?i)(?:display\s*:\s*none|visibility\s*:\s*hidden)")
_META_CHARSET = re.compile(rb"(?i)<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([a-z0-9_:.-]{2,30})")
_HTTP_CHARSET = re.compile(r"(?i)charset\s*=\s*[\"']?([a-z0-9_:.-]{2,30})")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# The labels of the Encoding Standard that name something else in Python, or less of it.
_LABELS = {
    **dict.fromkeys(("gb2312", "gbk", "gb-2312", "gb_2312-80", "x-gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "ascii", "us-ascii"), "cp1252"),
    **dict.fromkeys(("utf8", "unicode-1-1-utf-8", "utf-16", "utf-16le"), "utf-8"),
}
_READ = frozenset(
    "utf-8 gb18030 big5 big5hkscs cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874 shift_jis cp932"
    " euc_jp euc_kr cp949 koi8-r koi8-u iso8859-2 iso8859-5 iso8859-7 iso8859-15 iso2022_jp".split()
)


@dataclass(slots=True)
class PageText:
    """`encoding`: None when the runs could not be placed; `hidden`: pieces that the page itself hides; `stopped`: at a bound."""

    runs: list[Run] = field(default_factory=list)
    title: str | None = None
    encoding: str | None = None
    hidden: int = 0
    stopped: bool = False


def read(payload: bytes, *, content_type: str = "", runs_max: int, text_max: int) -> PageText:
    """The text of a page of at most `runs_max` runs and `text_max` bytes. Never raises for what the page holds."""
    encoding, start = _encoding(payload, content_type)
    text = payload[start:].decode(encoding, "surrogateescape" if encoding[:5] != "utf-1" else "replace")
    placed = encoding[:5] == "utf-1" or text.encode(encoding, "surrogateescape") == payload[start:]
    if encoding[:5] == "utf-1":
        placed = text.encode(encoding, "replace") == payload[start:]
    found = PageText(encoding=encoding if placed else None)
    at, byte, used = 0, start, 0
    for begin, end, written, shown in _pieces(text, found):
        if placed:
            byte += len(text[at:begin].encode(encoding, "surrogateescape"))
            length = len(text[begin:end].encode(encoding, "surrogateescape"))
            run = Run(whole(written), byte, length if shown else 0)
            at, byte = end, byte + length
        else:
            run = Run(whole(written), 0, len(payload) if shown else 0)
        used += len(run.text.encode())
        if len(found.runs) >= runs_max or used > text_max:
            found.stopped = True
            break
        if shown or (found.runs and found.runs[-1].length):
            found.runs.append(run)
    return found


def decoded(payload: bytes, content_type: str = "") -> str:
    """All of a page as characters, in the encoding its text is read in; what is no character is a replacement character."""
    encoding, start = _encoding(payload, content_type)
    return payload[start:].decode(encoding, "replace")


def of_text(payload: bytes) -> tuple[str, str | None]:
    """(text, encoding) of a plain text: UTF-8, UTF-16 with its mark, or GB 18030; (…, None) where the encoding does not lead back."""
    start, name = next(((len(mark), name) for mark, name in _BOMS if payload.startswith(mark)), (0, ""))
    for encoding in (name,) if name else ("utf-8", "gb18030"):
        try:
            text = payload[start:].decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.encode(encoding) == payload[start:]:
            return text, encoding
    return payload[start:].decode(name or "utf-8", "replace"), None


def whole(text: str) -> str:
    """Without halves of surrogate pairs (bytes that are no text here) and without NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?") if not text.isascii() or "\0" in text else text


def _encoding(payload: bytes, content_type: str) -> tuple[str, int]:
    """(name, bytes of the mark in front): mark, then transport, then the page's own word, then what decodes."""
    for mark, name in _BOMS:
        if payload.startswith(mark):
            return name, len(mark)
    said = _HTTP_CHARSET.search(content_type)
    meta = _META_CHARSET.search(payload[:4096])
    for label in (said[1] if said else None, meta[1].decode("ascii") if meta else None):
        known = _known(label) if label else None
        if known:
            return known, 0
    for name in ("utf-8", "gb18030"):
        try:
            codecs.decode(payload, name)
        except UnicodeDecodeError:
            continue
        return name, 0
    return "cp1252", 0


def _known(label: str) -> str | None:
    label = label.lower()
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
    except LookupError:
        return None
    return name if name in _READ else None


def _pieces(text: str, found: PageText) -> Iterator[tuple[int, int, str, bool]]:
    """(begin, end, text as shown, True) of every visible piece; (place, place, line feed, False) for every break."""
    at, size, nodes = 0, len(text), 0
    hiding, depth = "", 0  # the element that hides what it holds, and how many of its name are open inside
    while at < size:
        nodes += 1
        if nodes > NODES_MAX:
            found.stopped = True
            return
        markup = _MARKUP.search(text, at)
        end = markup.start() if markup else size
        if end > at:
            if hiding:
                found.hidden += bool(text[at:end].strip())
            else:
                yield from _references(text, at, end)
        if markup is None:
            return
        at = end
        if markup[0] == "<!--":
            stop = _COMMENT_END.search(text, at + 2)
            at = stop.end() if stop else size
            continue
        tag = _TAG.match(text, at)
        if tag is None:
            if markup[0][1] in "!?/":  # a declaration, or an end tag of nothing
                stop_at = text.find(">", at)
                at = stop_at + 1 if stop_at >= 0 else size
                continue
            return  # a tag that never ends takes the rest with it
        at = tag.end()
        name = tag[1].lower()
        closing, name = name.startswith("/"), name.lstrip("/")
        if name in _BREAKS and not hiding:
            yield at, at, "\n", False
        end = at
        if name in _RAW and not closing:
            stop = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(text, at)
            end = stop.start() if stop else size
        if hiding:
            at = end
            if name == hiding and hiding in _ENDS_AT_NEXT and not closing:
                depth = 0
            elif name == hiding:
                depth += -1 if closing else 1
            if depth <= 0:
                hiding = ""
            if hiding or closing:
                continue
        if closing:
            continue
        if name in _RAW:
            if name == "title" and found.title is None:
                found.title = " ".join(html.unescape(text[at : min(end, at + 20_000)]).split())
            elif name in _SHOWN_RAW:
                yield from _references(text, at, end)
            at = end
        elif name not in _VOID and _hides(tag[2]):
            hiding, depth = name, 1


def _references(text: str, at: int, end: int) -> Iterator[tuple[int, int, str, bool]]:
    """Text between markup; a character reference is a piece of its own."""
    for found in _ENTITY.finditer(text, at, end):
        shown = html.unescape(found[0])
        if shown == found[0]:
            continue
        if found.start() > at:
            yield at, found.start(), text[at : found.start()], True
        yield found.start(), found.end(), shown, True
        at = found.end()
    if end > at:
        yield at, end, text[at:end], True


def _hides(attributes: str) -> bool:
    """Does the element itself say that it is not shown?"""
    if "hidden" not in attributes.lower() and "none" not in attributes.lower():
        return False
    for found in _ATTRIBUTE.finditer(attributes):
        name, value = found[1].lower(), found[2] or found[3] or found[4] or ""
        if name == "hidden" and value.lower() != "until-found":
            return True
        if name == "style" and _HIDING.search(value):
            return True
    return False
