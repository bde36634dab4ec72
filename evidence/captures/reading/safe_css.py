"""Style sheets of a page, written anew so that nothing in them can ask for anything.

Tokens are those of the CSS standard (tinycss2). Every address becomes a picture from the file itself or an empty `data:` address;
`@import` becomes the imported sheet; a font is left out, because a font is a program for the reader's own machine and cannot be
drawn anew as a picture can. What is written can neither end a `style` element nor open a comment in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tinycss2
from tinycss2.serializer import serialize_identifier

from .safe_tree import TooMuch

CSS_MAX = 2 << 20
"""Characters of style for all pages of a file: some five seconds."""
BLOCKS_MAX = 60_000
"""Brackets that one sheet opens."""
CSS_DEPTH_MAX = 60
IMPORTS_MAX = 3
"""Sheets that import one another."""
EMPTY = 'url("data:,")'
_KEPT_RULES = frozenset(
    "media supports layer container keyframes -webkit-keyframes -moz-keyframes page scope starting-style counter-style".split()
)
_CHOICES = frozenset("image-set -webkit-image-set image -webkit-image".split())
_GONE = frozenset("expression src element -moz-element paint".split())
_BINDINGS = frozenset("behavior -moz-binding -ms-behavior".split())


@dataclass(slots=True)
class Styles:
    """Writes the sheets of one file. `fonts`: how many were left out.

    picture(address, base)   the `data:` address of a picture in the file, or None
    sheet(address, base)     (text, address) of a sheet in the file, or None
    """

    picture: Callable[[str, str | None], str | None]
    sheet: Callable[[str, str | None], tuple[str, str] | None]
    left: int = CSS_MAX
    fonts: int = 0

    def written(self, text: str, base: str | None, *, depth: int = 0) -> str:
        """A whole sheet. Raises TooMuch."""
        return _Sheet(self, base, depth).rules(self._tokens(text))

    def declarations(self, text: str, base: str | None) -> str:
        """The value of a `style` attribute; rules have no place in it. Raises TooMuch."""
        return _Sheet(self, base, IMPORTS_MAX).values(self._tokens(text), 1)

    def _tokens(self, text: str) -> list[Any]:
        self.left -= len(text)
        if self.left < 0:
            raise TooMuch("CSS_MAX")
        if text.count("(") + text.count("[") + text.count("{") > BLOCKS_MAX:
            raise TooMuch("BLOCKS_MAX")
        found: list[Any] = tinycss2.parse_component_value_list(text, skip_comments=False)
        return found


class _Sheet:
    def __init__(self, styles: Styles, base: str | None, depth: int) -> None:
        self._styles, self._base, self._depth = styles, base, depth

    def rules(self, tokens: Sequence[Any]) -> str:
        """`@import` counts only before everything else, as in a browser."""
        out: list[str] = []
        at, opening = 0, True
        while at < len(tokens):
            token = tokens[at]
            if token.type == "at-keyword":
                name = token.lower_value
                end = _end(tokens, at)
                if name == "import":
                    if opening:
                        out.append(self._imported(tokens[at + 1 : end]))
                else:
                    opening = opening and name in ("charset", "layer")
                    out.append(self._rule(name, tokens[at + 1 : end], 0))
                at = end
                continue
            if token.type not in ("whitespace", "comment"):
                opening = False
            out.append(self._value(token, 0))
            at += 1
        return "".join(out)

    def values(self, tokens: Sequence[Any], depth: int) -> str:
        if depth > CSS_DEPTH_MAX:
            raise TooMuch("CSS_DEPTH_MAX")
        out: list[str] = []
        at = 0
        while at < len(tokens):
            if tokens[at].type == "at-keyword":
                end = _end(tokens, at)
                out.append(self._rule(tokens[at].lower_value, tokens[at + 1 : end], depth))
                at = end
            else:
                out.append(self._value(tokens[at], depth))
                at += 1
        return "".join(out)

    def _rule(self, name: str, rest: Sequence[Any], depth: int) -> str:
        if name not in _KEPT_RULES:
            self._styles.fonts += name == "font-face"
            return ""
        return f"@{name}" + "".join(self._value(t, depth + 1) for t in rest)

    def _imported(self, rest: Sequence[Any]) -> str:
        told = [t for t in rest if t.type not in ("whitespace", "comment")]
        address = _address(told[0]) if told else None
        if address is None or self._depth >= IMPORTS_MAX:
            return ""
        found = self._styles.sheet(address, self._base)
        if found is None:
            return ""
        text = self._styles.written(found[0], found[1], depth=self._depth + 1)
        query = "".join(self._value(t, 1) for t in told[1:] if not (t.type == "function" or t.value in (";", "layer"))).strip()
        return f"@media {query}{{{text}}}" if query else text

    def _value(self, token: Any, depth: int) -> str:
        kind = token.type
        if kind == "whitespace":
            return " "
        if kind == "comment":
            return "/**/"
        if kind == "literal":
            return {"<": "< ", "<!--": " ", "-->": " ", "\\": " "}.get(token.value, token.value)
        if kind == "url":
            return self._drawn(token.value)
        if kind == "function":
            return self._function(token, depth)
        if kind in ("{} block", "[] block", "() block"):
            return f"{kind[0]}{self.values(token.content, depth + 1)}{kind[1]}"
        if kind == "error":
            return " "
        if kind == "ident" and token.lower_value in _BINDINGS:
            return "x-removed"
        return _escaped(token.serialize())

    def _function(self, token: Any, depth: int) -> str:
        name = token.lower_name
        if name == "url":
            address = _address(token)
            return self._drawn(address) if address is not None else EMPTY
        if name in _GONE:
            return " "
        if name in _CHOICES:
            for inner in token.arguments:
                address = _address(inner)
                shown = self._styles.picture(address, self._base) if address is not None else None
                if shown:
                    return f'url("{shown}")'
            return EMPTY
        return f"{_escaped(serialize_identifier(token.name))}({self.values(token.arguments, depth + 1)})"

    def _drawn(self, address: str) -> str:
        if not address or address.startswith("#"):
            return EMPTY
        shown = self._styles.picture(address, self._base)
        return f'url("{shown}")' if shown else EMPTY


def _address(token: Any) -> str | None:
    """Of `url(…)`, `url("…")` or `"…"`."""
    if token.type in ("url", "string"):
        return str(token.value)
    if token.type == "function" and token.lower_name == "url":
        told = [t for t in token.arguments if t.type != "whitespace"]
        return str(told[0].value) if len(told) == 1 and told[0].type == "string" else None
    return None


def _end(tokens: Sequence[Any], at: int) -> int:
    """Behind the rule that begins at `at`: its semicolon or its block."""
    for place in range(at + 1, len(tokens)):
        token = tokens[place]
        if token.type == "{} block" or (token.type == "literal" and token.value == ";"):
            return place + 1
    return len(tokens)


def _escaped(text: str) -> str:
    return text.replace("\\<", "\\3c ").replace("<", "\\3c ").replace("\0", "\ufffd")
