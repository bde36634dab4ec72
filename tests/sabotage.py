"""Switch off one condition of the engine after the other, and see whether a test notices.

    python -m tests.sabotage MODULE.py [MODULE.py …] -- TEST.py [TEST.py …]

Each mutant is the module with one condition changed: an `if` that never holds, a part of an `and` or `or` left out, a comparison
shifted by one. It lives in a forked process only, nothing is written; there the tests run until the first one fails. A mutant that
every test lets pass is printed: either a test is missing, or the condition decides nothing (it saves time, or another one beside
it says the same). Slow; for whoever changes a check, not part of the suite.
"""

import ast
import copy
import importlib.abc
import importlib.machinery
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ("-p", "no:django", "-p", "no:hypothesispytest", "--noconftest", "-c", os.devnull, "--rootdir", str(ROOT), "--import-mode=importlib")
SECONDS = 180
"""After which a mutant counts as noticed: it hangs."""
_SHIFTED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """(what was changed, the changed module), one change each."""
    tree = ast.parse(source)
    for number, node in enumerate(list(ast.walk(tree))):
        for label, change in _changes(node):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[number]
            change(target)
            yield f"{node.lineno}: {label}", ast.fix_missing_locations(changed)  # type: ignore[attr-defined]


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    if isinstance(node, (ast.If, ast.IfExp)):
        yield f"never: {ast.unparse(node.test)[:90]}", _never
    if isinstance(node, ast.BoolOp):
        for index, part in enumerate(node.values):
            yield f"without: {ast.unparse(part)[:90]}", lambda n, i=index: _without(n, i)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _SHIFTED:
        yield f"shifted: {ast.unparse(node)[:90]}", _shift


def _never(node: ast.AST) -> None:
    node.test = ast.Constant(False)  # type: ignore[attr-defined]


def _without(node: ast.AST, index: int) -> None:
    rest = node.values[:index] + node.values[index + 1 :]  # type: ignore[attr-defined]
    node.values = rest * 2 if len(rest) == 1 else rest  # type: ignore[attr-defined]


def _shift(node: ast.AST) -> None:
    node.ops = [_SHIFTED[type(node.ops[0])]()]  # type: ignore[attr-defined]


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module's changed code whenever it is imported."""

    def __init__(self, name: str, code: ast.Module, path: Path) -> None:
        self._name, self._code, self._path = name, code, path

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self, origin=str(self._path)) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self._path)
        exec(compile(self._code, str(self._path), "exec"), module.__dict__)


def noticed(path: Path, code: ast.Module, tests: list[str]) -> bool:
    """Does any test fail (or the mutant hang)? In a process of its own."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    signal.alarm(SECONDS)
    name = ".".join(path.resolve().relative_to(ROOT).with_suffix("").parts)
    sys.meta_path.insert(0, _Loader(name, code, path))
    import pytest

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *OPTIONS, *tests])
    os._exit(int(status))


def main(arguments: list[str]) -> int:
    middle = arguments.index("--")
    modules, tests = [Path(a) for a in arguments[:middle]], arguments[middle + 1 :]
    for heavy in ("pytest", "hypothesis", "warcio.warcwriter", "wacz.main", "cryptography.x509", "asn1crypto.cms"):
        importlib.import_module(heavy)
    survivors = 0
    for path in modules:
        if noticed(path, ast.parse(path.read_text()), tests):
            print(f"{path.name}: the tests fail without any change")
            return 2
        for label, code in mutants(path.read_text()):
            if not noticed(path, code, tests):
                survivors += 1
                print(f"{path.name}:{label}", flush=True)
    return min(survivors, 1)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
