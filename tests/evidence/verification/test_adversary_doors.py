"""One exhibit through every door: the function, the command line, the jail; in any order, with any hash seed, optimised or not."""

import ast
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence.runs.jail import Jail
from evidence.verification import Exhibit, Source, TrustStore, verify
from evidence.verification.reasons import Reason
from evidence.verification.verdict import (
    Bearing,
    Finding,
    Grade,
    Node,
    NodeKind,
    Outcome,
    Overall,
    ProofState,
    ProvenTime,
    Step,
    Walk,
    conclude,
)
from tests.anchor_packs import write_pack
from tests.evidence.verification import fisco3_exhibits as fisco
from tests.evidence.verification.attacked import certificate, fisco_files, good, sha256
from tests.evidence.verification.authority import issue
from tests.evidence.verification.chainmaker_exhibits import MINE, OTHER, PAGE, built

ROOT = Path(__file__).resolve().parents[3]
AT = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chains = {
        "a": {"profile": built().profile, "validators": built().validators},
        "b": {"profile": fisco.built().profile, "validators": fisco.built().validators},
    }
    return write_pack(tmp_path_factory.mktemp("pack") / "pack", chains=chains)


EXHIBITS = {
    "good": good(c_json=certificate(txHash=built().tx_ids[MINE], fileHash=sha256(PAGE))),
    "of everything": {
        **good(
            chain_pem=issue("x").pem,
            other_html=OTHER,
            old_json=certificate(txHash="ab" * 32, fileHash=sha256(b"x")),
        ),
        **fisco_files(0),
        **fisco_files(1),
        "\u202enamed\n.html": b"",
        "a.warc": b"WARC/1.0\r\n",
    },
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for title, given in EXHIBITS.items():
        made[title] = tmp_path_factory.mktemp("exhibit")
        for name, data in given.items():
            (made[title] / name).write_bytes(data)
    return made


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail() as running:
        yield running


def direct(folder: Path, pack: Path) -> bytes:
    exhibit = Exhibit.from_paths(sorted(folder.iterdir()))
    try:
        return verify(exhibit, TrustStore.load(pack), AT).to_json()
    finally:
        exhibit.close()


@pytest.mark.parametrize("title", EXHIBITS)
def test_every_door_gives_the_same_bytes(
    title: str, folders: dict[str, Path], pack: Path, jail: Jail
) -> None:
    folder = folders[title]
    expected = direct(folder, pack)
    assert (b'"overall":"CONSISTENT"' in expected) is (title == "good")
    files = [(p.name, p) for p in sorted(folder.iterdir())]
    for order in (files, files[::-1]):
        assert jail.run(order, trust_dir=pack, at=AT).verdict_json == expected
    for flags, seed, locale in (
        ((), "0", "C"),
        ((), "1", "zh_CN.UTF-8"),
        (("-O",), "77", "C"),
        (("-OO",), "random", "POSIX"),
    ):
        done = subprocess.run(
            [
                sys.executable,
                *flags,
                "-m",
                "evidence.verification",
                "--trust",
                pack,
                "--at",
                AT.isoformat(),
                "--json",
                folder,
            ],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "PATH": os.environ["PATH"]},
            capture_output=True,
            check=False,
        )
        assert done.stdout == expected + b"\n", (flags, seed, done.stderr)
        assert done.returncode == (0 if title == "good" else done.returncode)


def test_no_order_of_handing_in_shows(pack: Path) -> None:
    trust = TrustStore.load(pack)
    given = [*EXHIBITS["good"].items(), ("page.html", PAGE), ("page.html", b"another")]
    found = set()
    for order in itertools.islice(itertools.permutations(given), 0, 5040, 250):
        exhibit = Exhibit.of(Source.from_bytes(n, d) for n, d in order)
        found.add(verify(exhibit, trust, AT).to_json())
        exhibit.close()
    assert len(found) == 1


# ── how findings become a verdict ─────────────────────────────────────────────────────────────────────────────────────

FILE = "ab" * 32
TIME = ProvenTime(datetime(2026, 1, 1, tzinfo=UTC), "TSA")


def walk(**changes: object) -> Walk:
    """A walk of one passed step to the anchor, and what the attack changes of it."""
    end = Node(changes.pop("end", NodeKind.ANCHOR), "")  # type: ignore[arg-type]
    outcome = changes.pop("outcome", Outcome.PASSED)
    step = Step(
        Node(NodeKind.FILE, ""), end, "A.B", outcome, None if outcome is Outcome.PASSED else Reason.NO_POE
    )  # type: ignore[arg-type]
    values: dict[str, object] = {
        "source": "s",
        "file": FILE,
        "steps": (step,),
        "grade": Grade.A,
        "state": ProofState.PROVEN,
        "time": TIME,
    }
    return Walk(**{**values, **changes})  # type: ignore[arg-type]


NO_WALK = {
    "of no file": walk(file=""),
    "of another file": walk(file="cd" * 32),
    "of the same file in capitals": walk(file=FILE.upper()),
    "without a step": walk(steps=()),
    "that does not end at the anchor": walk(end=NodeKind.VALIDATORS),
    "at grade E": walk(grade=Grade.E),
    "that is only promised": walk(state=ProofState.PROMISED),
    "that is only asserted": walk(state=ProofState.ASSERTED),
    "with an open step": walk(outcome=Outcome.INDETERMINATE),
    "with a failed step that no finding tells": walk(outcome=Outcome.FAILED),
}


@pytest.mark.parametrize("kind", NO_WALK)
def test_a_walk_that_is_none_covers_nothing(kind: str) -> None:
    assert conclude(findings=(), walks=(walk(),), content=[FILE])[0] is Overall.CONSISTENT
    overall, _, time, reasons = conclude(findings=(), walks=(NO_WALK[kind],), content=[FILE])
    assert (overall, time) == (Overall.INDETERMINATE, None) and reasons
    # a good walk of one file does not cover another, nor the same one twice over
    assert (
        conclude(findings=(), walks=(walk(), walk()), content=[FILE, "cd" * 32])[0] is Overall.INDETERMINATE
    )


def test_nothing_is_not_consistent() -> None:
    assert conclude(findings=(), walks=(), content=[])[0] is Overall.INDETERMINATE
    assert conclude(findings=(), walks=(walk(), walk(file="")), content=[])[0] is Overall.INDETERMINATE


@pytest.mark.parametrize("bearing", Bearing)
@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.INDETERMINATE])
def test_what_a_finding_can_do(bearing: Bearing, outcome: Outcome) -> None:
    finding = Finding("A.B", outcome, Reason.HASH_FAILURE, "x", bearing=bearing)
    overall = conclude(findings=(finding,), walks=(walk(),), content=[FILE])[0]
    if bearing is Bearing.ADVISORY:
        assert overall is Overall.CONSISTENT
    elif outcome is Outcome.FAILED:
        assert overall is Overall.INCONSISTENT
    else:
        assert overall is (Overall.INDETERMINATE if bearing is Bearing.DECISIVE else Overall.CONSISTENT)


DECIDING = ("Bearing.DECISIVE", "Bearing.REFUTING")
FAILS_WITHOUT_DECIDING = {
    # What INCL.NODE_QUORUM has said, once more for the rule matrix.
    ("ladder.py", "FINALITY"),
    # What a node answers stands beside the walk (spec consortium-chains §3.3): the answer itself goes up the ladder and decides there.
    ("court_node.py", "ONLINE"),
    # A saved page whose form is damaged contradicts nothing: its bytes are what was recorded, or they are not (spec snapshots §7, §9).
    ("mhtml.py", "FORM"),
    ("har.py", "FORM"),
    # Says of a whole package what was said of a member, with the bearing it has there.
    ("container.py", "check"),
    # What a transparency log promised about the signer's certificate is no part of the walk from the bytes to the pin: the signature, the
    # path and the time decide (spec snapshots §1.3 requires WAUTH-01 to 07).
    ("wacz_logs.py", "LOGS"),
    # Of captures other than forensic packages the order of times is shown (spec snapshots §1.3, CNP-08).
    ("time_order.py", "ORDER"),
}


def choices(value: ast.expr) -> list[str]:
    """What an expression can give: both ends of `a if … else b`."""
    return [*choices(value.body), *choices(value.orelse)] if isinstance(value, ast.IfExp) else [ast.unparse(value)]


def test_no_module_fails_anything_in_an_advisory_way_but_what_stands_here() -> None:
    """A FAILED that cannot decide would hide a contradiction: each that there is has its reason above."""
    core = ROOT / "evidence" / "verification"
    places = {
        (path.name, ast.unparse(call.args[0]))
        for path in sorted(core.rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("failed", "maker")
        if any(k.arg == "bearing" and not all(b in DECIDING for b in choices(k.value)) for k in call.keywords)
    }
    assert places == FAILS_WITHOUT_DECIDING
