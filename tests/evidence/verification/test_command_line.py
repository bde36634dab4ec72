"""The command-line door as a black box (DESIGN §6): exit status, canonical JSON, plain text, no network, same bytes."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evidence.verification import catalogue
from tests.anchor_packs import write_pack

from .authority import TIME_STAMPING, TokenPlan, issue, response

HOUSE = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((HOUSE / "docs/schema/verdict.schema.json").read_bytes())
AT = "2026-11-22T12:00:00Z"
MESSAGE = b"the page as captured\n"

ROOT = issue("TSA root", ca=True)
TSA = issue("TSA 1", by=ROOT, eku=[TIME_STAMPING])
TOKEN = response(TokenPlan(MESSAGE, TSA, embed=(TSA.der,)))


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_pack(tmp_path_factory.mktemp("trust") / "pack", tsa_roots=[ROOT.pem], demonstration=True))


@pytest.fixture
def exhibit(tmp_path: Path) -> Path:
    folder = tmp_path / "exhibit"
    folder.mkdir()
    (folder / "page.html").write_bytes(MESSAGE)
    (folder / "page.tsr").write_bytes(TOKEN)
    return folder


def run(
    *arguments: str | Path, environment: dict[str, str] | None = None, options: Sequence[str] = (), cwd: Path = HOUSE
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own with nothing but a path in the environment."""
    return subprocess.run(
        [sys.executable, *options, "-m", "evidence.verification", *map(str, arguments)],
        capture_output=True,
        cwd=cwd,
        env={"PYTHONPATH": str(HOUSE), **(environment or {})},
        check=False,
    )


def verdict(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(value)
    assert done.stdout == json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return value


def test_consistent(exhibit: Path, pack: str) -> None:
    done = run("--trust", pack, "--at", AT, "--json", exhibit)
    found = verdict(done)
    assert (done.returncode, found["overall"], found["grade"]) == (0, "CONSISTENT", "A")
    assert found["at"] == "2026-11-22T12:00:00.000Z"
    assert found["trust"]["label"] == "demonstration"
    assert [s["name"] for s in found["sources"]] == ["page.html", "page.tsr"]
    assert found["time"] == {"not_before": None, "not_after": "2026-06-01T12:00:01.000Z", "basis": "TSA"}  # ± 1 s
    assert done.stderr == b""


def test_inconsistent(exhibit: Path, pack: str) -> None:
    (exhibit / "page.html").write_bytes(MESSAGE + b"changed")
    done = run("--trust", pack, "--at", AT, "--json", exhibit)
    found = verdict(done)
    assert (done.returncode, found["overall"], found["reasons"]) == (1, "INCONSISTENT", ["HASH_FAILURE"])


@pytest.mark.parametrize("trust", [[], ["--trust", "none"]], ids=["shipped", "none"])
def test_indeterminate(exhibit: Path, trust: list[str]) -> None:
    done = run(*trust, "--at", AT, "--json", exhibit)
    found = verdict(done)
    assert (done.returncode, found["overall"], found["grade"]) == (2, "INDETERMINATE", "E")
    assert found["reasons"] == ["NO_CERTIFICATE_CHAIN_FOUND"]
    assert found["trust"]["label"] == ("none" if trust else "court")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--json"],
        ["--nonsense", "FILE"],
        ["missing"],
        ["FILE", "missing"],
        ["FILE", "."],
        ["--at", "yesterday", "FILE"],
        ["--at", "2026-11-22T12:00:00", "FILE"],
        ["--at", "FILE"],
        ["--trust", "missing", "FILE"],
        ["--trust", ".", "FILE"],
        ["--lang", "fr", "FILE"],
        ["EMPTY"],
        ["LINKS"],
        ["MANY"],
    ],
    ids=" ".join,
)
def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "FILE").write_bytes(b"x")
    for folder in ("EMPTY", "LINKS", "MANY"):
        (tmp_path / folder).mkdir()
    (tmp_path / "LINKS" / "link").symlink_to("/etc/hostname")
    for number in range(51):
        (tmp_path / "MANY" / f"{number}").write_bytes(b"")
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (64, b"")
    assert done.stderr.startswith(b"evidence.verification: ")
    assert b"Traceback" not in done.stderr


def test_an_internal_error_looks_like_no_result(exhibit: Path, tmp_path: Path) -> None:
    """The engine is broken on purpose by a module that stands before it."""
    (tmp_path / "broken.py").write_text(
        "import sys, evidence.verification.__main__ as door\n"
        "def fault(*_): raise ZeroDivisionError\n"
        "door.verify = fault\n"
        "sys.exit(door.main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "broken.py"), "--json", str(exhibit)],
        capture_output=True,
        env={"PYTHONPATH": str(HOUSE)},
        check=False,
    )
    assert (done.returncode, done.stdout) == (70, b"")
    assert b"ZeroDivisionError" in done.stderr


def test_help_is_no_error() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in (b"--trust", b"--at", b"--json", b"--lang", b"64 usage"):
        assert word in done.stdout


# ── the same inputs give the same bytes ───────────────────────────────────────────────────────────────────────────────


def test_same_bytes_whatever_the_order_the_hashing_and_the_optimiser(exhibit: Path, pack: str) -> None:
    (exhibit / "notes.txt").write_bytes(b"notes")
    (exhibit / "chain.pem").write_bytes(TSA.pem)
    files = sorted(exhibit.iterdir())
    base = ("--trust", pack, "--at", AT, "--json")
    outputs = {
        run(*base, *files).stdout,
        run(*base, *reversed(files)).stdout,
        run(*base, exhibit).stdout,
        run(*base, *files, environment={"PYTHONHASHSEED": "0"}).stdout,
        run(*base, *files, environment={"PYTHONHASHSEED": "4242"}).stdout,
        run(*base, *files, environment={"PYTHONOPTIMIZE": "1"}).stdout,
        run(*base, *files, environment={"PYTHONOPTIMIZE": "2"}).stdout,
        run(*base, *files, environment={"TZ": "Asia/Shanghai", "LC_ALL": "tr_TR.UTF-8", "LANG": "zh_CN.UTF-8"}).stdout,
        run(*base, *files, environment={"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}).stdout,
    }
    assert len(outputs) == 1
    assert json.loads(outputs.pop())["sources"]


def test_verdicts_survive_the_optimiser(exhibit: Path, pack: str) -> None:
    """No check may be an `assert`: with them stripped, the exit status of every outcome stays."""
    for optimise in ("1", "2"):
        environment = {"PYTHONOPTIMIZE": optimise}
        assert run("--trust", pack, "--at", AT, exhibit, environment=environment).returncode == 0
        assert run("--trust", "none", "--at", AT, exhibit, environment=environment).returncode == 2
    (exhibit / "page.html").write_bytes(b"other")
    assert run("--trust", pack, "--at", AT, exhibit, environment={"PYTHONOPTIMIZE": "1"}).returncode == 1


def test_moments_in_any_zone(exhibit: Path, pack: str) -> None:
    outputs = {
        run("--trust", pack, "--json", "--at", at, exhibit).stdout
        for at in ("2026-11-22T12:00:00Z", "2026-11-22T20:00:00+08:00", "2026-11-22T12:00:00.000+00:00")
    }
    assert len(outputs) == 1


def test_the_moment_printed_gives_the_same_verdict_again(exhibit: Path, pack: str) -> None:
    now = run("--trust", pack, "--json", exhibit)
    again = run("--trust", pack, "--json", "--at", verdict(now)["at"], exhibit)
    assert now.stdout == again.stdout


# ── text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_text_says_the_same_in_both_languages(exhibit: Path, pack: str) -> None:
    for language in ("zh", "en"):
        done = run("--trust", pack, "--at", AT, "--lang", language, exhibit)
        text = done.stdout.decode()
        assert done.returncode == 0
        for key in ("WORD.CONSISTENT", "VERDICT.CONSISTENT", "GRADE.A", "TRUST.DEMONSTRATION", "NOT_PROVEN.CONTENT", "STATE.PROVEN"):
            assert catalogue.statement(key, language) in text, key
        assert "CN=TSA root" in text
        assert "2026-06-01T12:00:00.000Z" in text
        # What is open stands before what passed.
        assert text.index("TRY_LATER") < text.index(catalogue.question("TST.IMPRINT", language))


def test_text_of_a_verdict_with_open_points(exhibit: Path) -> None:
    text = run("--trust", "none", "--at", AT, "--lang", "en", exhibit).stdout.decode()
    for key in ("VERDICT.INDETERMINATE", "GRADE.E", "TRUST.NONE", "LABEL.OPEN"):
        assert catalogue.statement(key, "en") in text
    assert "STATE" not in text
    assert catalogue.statement("STATE.PROVEN", "en") not in text
    assert "NO_CERTIFICATE_CHAIN_FOUND" in text


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_language_of_the_system(exhibit: Path, environment: dict[str, str], language: str) -> None:
    text = run("--at", AT, exhibit, environment=environment).stdout.decode()
    assert catalogue.statement("VERDICT.INDETERMINATE", language) in text


def test_hostile_names_cannot_steer_a_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "a\x1b[2J\u202egpj.exe").write_bytes(b"1")
    (folder / "line\nbreak").write_bytes(b"2")
    raw = os.fsencode(folder) + b"/\xff\xfe.bin"
    with open(raw, "wb") as out:
        out.write(b"3")
    done = run("--at", AT, "--lang", "en", folder)
    assert done.returncode == 2
    text = done.stdout.decode()
    for hostile in ("\x1b", "\u202e", "line\nbreak"):
        assert hostile not in text
    assert "line\\nbreak" in text
    names = {s["name"] for s in verdict(run("--at", AT, "--json", folder))["sources"]}
    assert names == {"a\x1b[2J\u202egpj.exe", "line\nbreak", "\ufffd\ufffd.bin"}


# ── it needs little and touches nothing ───────────────────────────────────────────────────────────────────────────────

AUDIT = """
import sys
opened = []
def hook(event, arguments):
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
        opened.append(event)
    if event == "open" and isinstance(arguments[1], str) and any(m in arguments[1] for m in "wax+"):
        opened.append(f"{event} {arguments[0]}")
sys.addaudithook(hook)
sys.dont_write_bytecode = True
from evidence.verification.__main__ import main
status = main(sys.argv[1:])
# asn1crypto loads the module `socket` for the text form of addresses; opening one is what the hook would show.
forbidden = {"ssl", "django", "requests", "urllib3", "subprocess"} & set(sys.modules)
print(opened, sorted(forbidden), file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize("output", ["--json", "--lang=zh"])
def test_no_socket_no_program_no_written_file(exhibit: Path, pack: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AUDIT, "--trust", pack, "--at", AT, output, str(exhibit)],
        capture_output=True,
        env={"PYTHONPATH": str(HOUSE)},
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == b"[] []\n"


@pytest.mark.needs("strace")
def test_the_kernel_sees_no_network_call_and_no_other_program(exhibit: Path, pack: str, tmp_path: Path) -> None:
    """What libraries do below Python counts too: every system call on the network, every program started."""

    def calls(*arguments: str) -> str:
        trace = tmp_path / "trace"
        done = subprocess.run(
            ["strace", "-f", "-qq", "-e", "trace=%network,execve", "-o", str(trace), sys.executable, *arguments],
            capture_output=True,
            # Without HOME the interpreter itself asks the name service where its user lives.
            env={"PYTHONPATH": str(HOUSE), "HOME": str(tmp_path)},
            check=False,
        )
        if b"PTRACE" in done.stderr or b"not permitted" in done.stderr:
            pytest.skip("strace may not trace here")
        lines = trace.read_text().splitlines()
        assert "execve" in lines[0]  # the interpreter itself
        return "\n".join(lines[1:])

    assert calls("-m", "evidence.verification", "--trust", pack, "--at", AT, "--json", str(exhibit)) == ""
    assert "socket" in calls("-c", "import socket; socket.socket()")  # the trace would show one


def test_heavy_libraries_wait_until_they_are_needed(tmp_path: Path) -> None:
    """A small exhibit without tokens loads neither asn1crypto nor pyHanko; the start is quick because of it."""
    (tmp_path / "note.txt").write_bytes(b"text")
    program = (
        "import sys; from evidence.verification.__main__ import main; s = main(sys.argv[1:]);"
        "print(sorted({'asn1crypto', 'pyhanko', 'pyhanko_certvalidator', 'Crypto', 'lxml', 'PIL', 'django'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--json", str(tmp_path / "note.txt")],
        capture_output=True,
        env={"PYTHONPATH": str(HOUSE)},
        check=False,
    )
    assert done.stderr == b"[]\n"
