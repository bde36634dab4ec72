"""What a saved page needs from elsewhere: the addresses of images, styles, scripts and frames in its HTML and CSS.

Nothing is executed and no tree is built: tags are read one after another, each byte once, so that hostile markup costs no more
than its length. Links that a reader may follow are not needed to show the page, and are left out.
"""

import html
import re
from dataclasses import dataclass, field

from ..codecs.inflate import LimitReached

TOKENS_MAX = 1_000_000
"""Tags and attributes of one page: about two seconds of reading. Large pages have some hundred thousand."""
REFERENCES_MAX = 20_000
"""Distinct addresses kept."""
FRAMES_MAX = 5
"""Pages inside pages (`srcdoc`)."""
ADDRESS_MAX = 2_000
"""Characters of an address; what a longer one points to cannot be told by it."""

_OPENS = re.compile(r"<(?:!--|([A-Za-z][^\s/>]*+))")
_COMMENT_END = re.compile(r"--!?>")
"""A comment ends at `--!>` too (HTML standard §13.2.5.52); a reader that waits for `-->` sees less than a browser."""
_REFRESH = re.compile(r"[\s\d.]*+[;,\s]\s*+(?:url\s*+=\s*+)?[\"']?([^\"']*+)", re.IGNORECASE)
_NAME = re.compile(r"[\s/]*+([^\s/>=]++)?(\s*+=\s*+)?")
_BARE = re.compile(r"[^\s>]*+")
_RAW = ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript")
"""Elements whose content is text to a browser that runs scripts; only that of `style` says what is needed."""
_ENDS = {name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE) for name in _RAW}
_CSS_ADDRESS = re.compile(
    r"""url\(\s*+(?:"([^"]*+)"|'([^']*+)'|([^)"'\s]++))|@import\s++(?:"([^"]*+)"|'([^']*+)')""", re.IGNORECASE
)
_CANDIDATE = re.compile(r"[\s,]*+([^\s,]++)[^,]*+")
_KEPT = frozenset("src srcset poster data background href xlink:href rel style srcdoc http-equiv content".split())
"""Attributes that are looked at; a tag may carry a million others."""
_SRC = frozenset("img source embed track video audio iframe frame script input image".split())
_LINKS = frozenset("stylesheet icon apple-touch-icon preload modulepreload manifest mask-icon".split())
_NOT_NEEDED = ("data:", "about:", "javascript:", "blob:", "mailto:", "#")


@dataclass(slots=True)
class References:
    """`needed`: addresses as written, each once, in order. `base`: of `<base href>`, if any."""

    needed: dict[str, None] = field(default_factory=dict)
    base: str | None = None
    tokens: int = 0

    def add(self, address: str) -> None:
        address = address.strip()
        if not address or address.lower().startswith(_NOT_NEEDED):
            return
        self.needed[address[:ADDRESS_MAX]] = None
        if len(self.needed) > REFERENCES_MAX:
            raise LimitReached("REFERENCES_MAX")

    def count(self) -> None:
        self.tokens += 1
        if self.tokens > TOKENS_MAX:
            raise LimitReached("TOKENS_MAX")


def of_page(data: bytes) -> References:
    """Addresses that an HTML page needs. Raises LimitReached and nothing else."""
    found = References()
    _read(_decoded(data), found, depth=0)
    return found


def _decoded(data: bytes) -> str:
    """One character for each byte: markup is ASCII in every encoding that browsers save in, UTF-16 aside."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("latin-1")


def _read(text: str, found: References, *, depth: int) -> None:
    at = 0
    while (tag := _OPENS.search(text, at)) is not None:
        found.count()
        if tag[1] is None:
            end_of_comment = _COMMENT_END.search(text, tag.start() + 2)
            if end_of_comment is None:
                return
            at = end_of_comment.end()
            continue
        name = tag[1].lower()
        attributes, at = _attributes(text, tag.end(), found)
        if at < 0:  # the page ends inside a tag: a browser drops it
            return
        _take(name, attributes, found, depth=depth)
        if name in _ENDS:
            end = _ENDS[name].search(text, at)
            if name == "style":
                _style(text[at : end.start() if end else len(text)], found)
            if end is None:
                return
            at = end.start() + 1


def _attributes(text: str, at: int, found: References) -> tuple[dict[str, str], int]:
    """Attributes (first of a name counts) up to the end of the tag; -1 when the text ends before."""
    attributes: dict[str, str] = {}
    while at < len(text):
        found.count()
        name = _NAME.match(text, at)
        at = name.end() if name else at
        value = ""
        if name and name[2]:
            quote = text[at : at + 1]
            if quote in ('"', "'"):
                end = text.find(quote, at + 1)
                if end < 0:
                    return attributes, -1
                value, at = text[at + 1 : end], end + 1
            elif bare := _BARE.match(text, at):
                value, at = bare[0], bare.end()
        if name and name[1] and name[1].lower() in _KEPT:
            attributes.setdefault(name[1].lower(), value)
        if text[at : at + 1] == ">":
            return attributes, at + 1
        if name is None or name.end() == name.start():
            at += 1
    return attributes, -1


def _take(name: str, attributes: dict[str, str], found: References, *, depth: int) -> None:
    def address(key: str) -> None:
        if key in attributes:
            found.add(html.unescape(attributes[key]))

    if name in _SRC:
        address("src")
    if name in ("img", "source"):
        _candidates(html.unescape(attributes.get("srcset", "")), found)
    if name == "video":
        address("poster")
    if name == "object":
        address("data")
    if name in ("body", "table", "td", "th"):
        address("background")
    if name in ("image", "use", "feimage"):
        address("href")
        address("xlink:href")
    if name == "link" and _LINKS & set(attributes.get("rel", "").lower().split()):
        address("href")
    if name == "meta" and attributes.get("http-equiv", "").strip().lower() == "refresh":
        # A page that leaves for another one is not what it shows at first.
        led = _REFRESH.match(html.unescape(attributes.get("content", "")))
        if led:
            found.add(led[1])
    if name == "base" and found.base is None and "href" in attributes:
        found.base = html.unescape(attributes["href"]).strip()[:ADDRESS_MAX]
    if "style" in attributes:
        _style(html.unescape(attributes["style"]), found)
    if name == "iframe" and "srcdoc" in attributes:
        if depth >= FRAMES_MAX:
            raise LimitReached("FRAMES_MAX")
        _read(html.unescape(attributes["srcdoc"]), found, depth=depth + 1)


def _candidates(srcset: str, found: References) -> None:
    """Addresses of `srcset`; one that begins with `data:` may hold commas and is not taken apart."""
    if "data:" in srcset[:64].lower():
        return
    for candidate in _CANDIDATE.finditer(srcset):
        found.count()
        found.add(candidate[1])


def _style(css: str, found: References) -> None:
    for address in _CSS_ADDRESS.finditer(_without_comments(css, found)):
        found.count()
        found.add(next(filter(None, address.groups()), ""))


def _without_comments(css: str, found: References) -> str:
    kept, at = [], 0
    while (start := css.find("/*", at)) >= 0:
        found.count()
        kept.append(css[at:start])
        end = css.find("*/", start + 2)
        at = len(css) if end < 0 else end + 2
    return "".join([*kept, css[at:]])
