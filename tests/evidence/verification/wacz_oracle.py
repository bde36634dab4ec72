"""Another checker of WACZ, asked about the same files: `wacz validate` of Webrecorder's py-wacz, each file in a process of its own. It
unpacks what it is given, so bombs are kept from it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from evidence.verification import Verdict
from evidence.verification.verdict import Outcome

VALID, INVALID, CRASHES, OPEN = "valid", "invalid", "crashes", "open"

_DRIVER = """
import contextlib, io, json, os, sys
from wacz.main import main
said = {}
for path in sys.argv[1:]:
    child = os.fork()
    if not child:
        quiet = os.open(os.devnull, os.O_RDWR)
        for n in range(3):
            os.dup2(quiet, n)
        code = 70
        try:
            code = main(["validate", "-f", path]) or 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            code = 70
        os._exit(code)
    said[path] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(said))
"""


def opinions(paths: Sequence[Path]) -> dict[str, str]:
    """File name -> valid, invalid or crashes, as py-wacz has it."""
    done = subprocess.run([sys.executable, "-c", _DRIVER, *map(str, paths)], capture_output=True, text=True, check=True)
    codes = json.loads(done.stdout.splitlines()[-1])
    return {Path(p).name: VALID if c == 0 else CRASHES if c in (70,) or c < 0 else INVALID for p, c in codes.items()}


def opinion(verdict: Verdict) -> str:
    """The engine's answer about the package (without the archives in it and the signature), in the same words."""
    asked = ("WACZ.CONTAINER", "WACZ.LISTED", "WACZ.HASHES", "WACZ.UNLISTED", "ZIP.STRUCTURE", "ZIP.NAMES", "ZIP.DATA")
    outcomes = {f.outcome for f in verdict.findings if f.check in asked}
    if Outcome.FAILED in outcomes:
        return INVALID
    return VALID if outcomes == {Outcome.PASSED} else OPEN


CAUSES = {
    "names": "the data package standard wants lower-case names without colons; Scoop writes `sha256:…` into them: noted, not failed",
    "older layout": "1.0.0 has its digests under `stats`; py-wacz looks for `hash` in the first entry and finds no algorithm",
    "writer defect": "every chunk was hashed twice by js-wacz: reproduced exactly (WRD-01), so open; py-wacz sees another digest",
    "no manifest": "0.1.0 has none: nothing to compare, so open; py-wacz stumbles",
    "one name twice": "two members of one name: Python's zipfile takes the last, others the first",
    "local name": "the local header names another file: refused; Python's zipfile raises and py-wacz stumbles",
    "prefix": "bytes before the first member: the file is something else to other programs",
    "unlisted": "py-wacz looks for unlisted files by their extension",
    "weak": "MD5 can be made to match; py-wacz takes whatever algorithm the first entry names",
    "own digest file": "py-wacz writes the digest of an MD5 package in SHA-256 and reads it back under MD5: it refuses what it wrote",
    "no zip": "the end of the zip is missing: refused; Python's zipfile raises and py-wacz stumbles",
    "own algorithm": "py-wacz reads all entries under the algorithm of the first",
}
"""Why the two differ; in each of these the engine follows the specification (snapshots §2, §5, §11, §17)."""
