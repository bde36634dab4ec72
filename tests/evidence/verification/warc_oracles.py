"""Two other checkers of WARC, asked about the same files: `warcio check -v` and `fastwarc check -p`, each file in a process of
its own, so that one that is taken down by a file takes nothing else with it. Their answer is their exit code."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from evidence.verification import Verdict
from evidence.verification.verdict import Outcome

PASSES, FAILS, OPEN, CRASHES = "passes", "fails", "open", "crashes"
TOOLS = ("warcio", "fastwarc")

_DRIVER = """
import json, os, sys
tool, *paths = sys.argv[1:]
if tool == "warcio":
    from warcio.cli import main
    before = ["check", "-v"]
else:
    from fastwarc.cli import main
    before = ["check", "-p"]
said = {}
for path in paths:
    child = os.fork()
    if not child:
        quiet = os.open(os.devnull, os.O_RDWR)
        for n in range(3):
            os.dup2(quiet, n)
        sys.argv = [tool, *before, path]
        code = 70
        try:
            code = (main([*before, path]) if tool == "warcio" else main()) or 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            code = 70
        os._exit(code)
    said[path] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(said))
"""


def opinions(tool: str, paths: Sequence[Path]) -> dict[str, str]:
    """File name -> what the tool says of it: exit code 0, another one, or taken down (a signal, an exception)."""
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, tool, *map(str, paths)], capture_output=True, text=True, check=True
    )
    codes = json.loads(done.stdout.splitlines()[-1])
    return {Path(path).name: _state(code) for path, code in codes.items()}


def opinion(verdict: Verdict) -> str:
    """The engine's answer about the archive, in the same words; OPEN where the tools know only yes and no."""
    outcomes = {f.outcome for f in verdict.findings if f.check.startswith(("WARC.", "GZ.", "ZSTD."))}
    if Outcome.FAILED in outcomes:
        return FAILS
    return PASSES if outcomes == {Outcome.PASSED} else OPEN


def _state(code: int) -> str:
    return CRASHES if code < 0 or code == 70 else FAILS if code else PASSES
