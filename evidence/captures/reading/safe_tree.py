"""A page as a tree, by the rules of the HTML standard, within bounds.

tinyhtml5 (the parser of our report writer, kept by the same people) builds what a browser would build, in memory-safe
Python. It was not made against hostile pages: several of its loops grow with the square of their input. Each of those is
counted here, and a page that needs more is not shown; the counts are of work, not of time, so that the answer is the same
everywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from tinyhtml5.parser import HTMLParser
from tinyhtml5.tokenizer import HTMLTokenizer
from tinyhtml5.treebuilder import TreeBuilder

STEPS_MAX = 2_000_000
"""Steps of the tokenizer for all pages of a file: some five seconds. A page of 500 KB takes some 300,000."""
NODES_MAX = 60_000
"""Elements of one page; long lists of goods have some ten thousand."""
DEPTH_MAX = 300
"""Elements inside each other; browsers stop at 512."""
ATTRIBUTES_MAX = 200
"""Of one element: each is compared with all before it."""
END_TAG_MAX = 1_000
"""Characters of what begins like the end of a script: all of it is looked at with each further one."""
FOSTERED_MAX = 2_000
"""Things that stand in a table where nothing may, and are moved before it, one by one past all moved earlier."""
COPIED_MAX = 6_000_000_000
"""Characters copied because a text, name or value grows piece by piece."""


class TooMuch(ValueError):
    """This page asks for more work than any page needs; the message names the bound."""


@dataclass(slots=True)
class Effort:
    """What is left for all pages of a file."""

    steps: int = STEPS_MAX
    copied: int = COPIED_MAX

    def copy(self, size: int) -> None:
        self.copied -= size
        if self.copied < 0:
            raise TooMuch("COPIED_MAX")


@dataclass(frozen=True, slots=True)
class Tree:
    """`root`: names of HTML elements are bare, those of SVG and MathML in braces; `mode` as the standard's compatibility mode."""

    root: Element
    mode: str


def parse(text: str, *, effort: Effort) -> Tree:
    """Raises TooMuch, and whatever the parser raises where a page leads it astray."""
    parser = _Parser(effort)
    return Tree(parser.parse(text), parser.compatibility_mode)


class _Tokens(HTMLTokenizer):  # type: ignore[misc]
    def __init__(self, stream: str, parser: _Parser, effort: Effort) -> None:
        super().__init__(stream, parser=parser)
        self.temporary_buffer = ""
        self._effort = effort

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """As the parser's own, counted."""
        self.token_queue: deque[dict[str, Any]] = deque()
        effort, given = self._effort, None
        while self.state():
            effort.steps -= 1
            if effort.steps < 0:
                raise TooMuch("STEPS_MAX")
            token = self.current_token
            if token is not None and token is not given:
                effort.copy(_growing(token))
            if len(self.temporary_buffer) > END_TAG_MAX:
                raise TooMuch("END_TAG_MAX")
            self.stream.errors.clear()
            while self.token_queue:
                found = self.token_queue.popleft()
                if found is token:
                    given = token
                yield found

    def parse_error(self, _data: str, **datavars: object) -> None:
        """Pages have errors, and a page may have millions."""


def _growing(token: dict[str, Any]) -> int:
    """Characters of what the next character is added to."""
    size, data = len(token.get("name") or ""), token.get("data")
    if isinstance(data, str):
        return size + len(data)
    if isinstance(data, list) and data:
        if len(data) > ATTRIBUTES_MAX:
            raise TooMuch("ATTRIBUTES_MAX")
        return size + len(data[-1][0]) + len(data[-1][1])
    return size


class _Builder(TreeBuilder):  # type: ignore[misc]
    def __init__(self, effort: Effort) -> None:
        self._effort = effort
        super().__init__(False)

    def reset(self) -> None:
        self._nodes = self._fostered = 0
        super().reset()

    def insert_element_normal(self, token: dict[str, Any]) -> Any:
        self._count()
        return super().insert_element_normal(token)

    def create_element(self, token: dict[str, Any]) -> Any:
        self._count()
        return super().create_element(token)

    def insert_comment(self, token: dict[str, Any], parent: Any = None) -> None:
        """Comments are no part of what is shown."""

    def insert_text(self, data: str, parent: Any = None) -> None:
        element = (parent or self.open_elements[-1])._element
        self._effort.copy(len((element[-1].tail if len(element) else element.text) or ""))
        super().insert_text(data, parent)

    def get_table_misnested_node_position(self) -> Any:
        self._fostered += 1
        if self._fostered > FOSTERED_MAX:
            raise TooMuch("FOSTERED_MAX")
        return super().get_table_misnested_node_position()

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise TooMuch("NODES_MAX")
        if len(self.open_elements) > DEPTH_MAX:
            raise TooMuch("DEPTH_MAX")


class _Parser(HTMLParser):  # type: ignore[misc]
    def __init__(self, effort: Effort) -> None:
        super().__init__(False)
        self._effort = effort
        self.tree = _Builder(effort)
        for phase in self.phases.values():
            phase.tree = self.tree

    def _parse(self, stream: str, container: None = None, scripting: bool = True, **_: object) -> None:
        """`scripting`: what stands in `noscript` is text, as in the browser that captured the page."""
        self.container, self.scripting = container, scripting
        self.tokenizer = _Tokens(stream, self, self._effort)
        self.reset()
        self.main_loop()

    def parse_error(self, errorcode: str, datavars: object = None) -> None:
        """As above."""
