"""Switch off one condition of the engine after the other, and see whether a test notices.

    python -m tests.sabotage MODULE.py [MODULE.py …] -- TEST.py [-k …] [TEST.py …]

Each mutant is the module with one condition changed: an `if` that never holds, a part of an `and` or `or` left out, a comparison
shifted by one. It lives in a forked process only, nothing is written; there the tests run, quick ones first, until one fails. A mutant
that every test lets pass is printed: either a test is missing, or the condition decides nothing (it saves time, or another one beside
it says the same). Slow; for whoever changes a check, not part of the suite.
"""

import ast
import contextlib
import copy
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ("-q", "-s", "-p", "no:cacheprovider", "-p", "no:django", "--noconftest", "--import-mode=importlib", "-c", os.devnull, "--rootdir", str(ROOT))
SECONDS = 120
"""After which a mutant counts as noticed: it hangs."""
_SHIFTED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """(what was changed, the changed module), one change each."""
    tree = ast.parse(source)
    for number, node in enumerate(list(ast.walk(tree))):
        for label, change in _changes(node):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[number])
            yield f"{getattr(node, 'lineno', 0)}: {label}", ast.fix_missing_locations(changed)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, (ast.If, ast.IfExp)):
        yield f"never: {ast.unparse(node.test)[:90]}", _never
    if isinstance(node, ast.BoolOp):
        for index, part in enumerate(node.values):
            yield f"without: {ast.unparse(part)[:90]}", lambda n, i=index: _without(n, i)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _SHIFTED:
        yield f"shifted: {ast.unparse(node)[:90]}", _shift


def _never(node: Any) -> None:
    node.test = ast.Constant(False)


def _without(node: Any, index: int) -> None:
    rest = node.values[:index] + node.values[index + 1 :]
    node.values = rest * 2 if len(rest) == 1 else rest


def _shift(node: Any) -> None:
    node.ops = [_SHIFTED[type(node.ops[0])]()]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


class _Loop:
    """Takes the place of pytest's loop: the collected tests run once for every mutant."""

    def __init__(self, modules: list[Path]) -> None:
        self._modules = modules
        self._say = os.fdopen(os.dup(1), "w")
        self.survivors = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = self._by_time(session)
        for path in self._modules:
            live = [f for f in gc.get_objects() if isinstance(f, FunctionType) and f.__code__.co_filename == str(path)]
            if not live:
                self._print(f"{path.name}: no test imports it")
            for label, tree in mutants(path.read_text()):
                changed = {(c.co_qualname, c.co_firstlineno): c for c in _codes(compile(tree, str(path), "exec"))}
                pairs = [(f, changed[f.__code__.co_qualname, f.__code__.co_firstlineno]) for f in live]
                if all(f.__code__ == c for f, c in pairs):
                    continue  # at the level of the module: read once, before the tests
                if self._in_child(lambda p=pairs: _run(session, items, p)) == 0:
                    self.survivors += 1
                    self._print(f"{path.name}:{label}")
        return True

    def _print(self, text: str) -> None:
        print(text, file=self._say, flush=True)

    def _by_time(self, session: pytest.Session) -> list[pytest.Item]:
        """The collected tests, the quick ones first; they must all pass on the engine as it is."""
        times = []
        for item in session.items:
            start = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            times.append(time.perf_counter() - start)
            if session.testsfailed:
                raise SystemExit(f"{item.nodeid} fails without any change")
        order = sorted(range(len(times)), key=times.__getitem__)
        return [session.items[n] for n in order]

    def _in_child(self, work: Callable[[], int]) -> int:
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        signal.alarm(SECONDS)
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        status = 1
        with contextlib.suppress(BaseException):
            status = work()
        os._exit(status)


def _run(session: pytest.Session, items: list[pytest.Item], pairs: list[tuple[FunctionType, CodeType]]) -> int:
    for function, code in pairs:
        function.__code__ = code
    for item in items:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        if session.testsfailed:
            return 1
    return 0


def main(arguments: list[str]) -> int:
    middle = arguments.index("--")
    loop = _Loop([Path(a).resolve() for a in arguments[:middle]])
    pytest.main([*OPTIONS, *arguments[middle + 1 :]], plugins=[loop])
    return min(loop.survivors, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
