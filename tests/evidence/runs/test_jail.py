"""The jail against what a taken-over parser would try: contained, named, and without effect on the next run."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from evidence.runs import jail as jail_module
from evidence.runs.jail import PROBES, Jail, JailError, JailResult, Limits, self_test
from evidence.runs.probes import ATTEMPTS

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "tests.evidence.runs.hostile:attempt"
AT = datetime(2026, 3, 1, tzinfo=UTC)
QUICK = Limits(cpu_seconds=1, wall_factor=2)
NEVER_OUTSIDE = {"execute", "execute (Python)", "signal everybody", "trace the parent", "mount", "threads"}


@pytest.fixture(scope="module")
def hostile() -> Iterator[Jail]:
    with Jail(entry=HOSTILE) as jail:
        yield jail


@pytest.fixture(scope="module")
def attempts() -> dict[str, tuple[bool, str]]:
    return {name: (held, how) for name, held, how in self_test()}


@pytest.fixture
def act(hostile: Jail, tmp_path: Path) -> Callable[..., JailResult]:
    """Run one hostile act; afterwards an innocent run must go as if nothing had happened."""

    def run(name: str, *, limits: Limits = QUICK) -> JailResult:
        file = tmp_path / "act"
        file.write_text(name)
        result = hostile.run([("act", file)], trust_dir=tmp_path, at=AT, limits=limits)
        file.write_text("echo")
        after = hostile.run([("证书.json", file)], trust_dir=tmp_path, at=AT)
        assert did(after) == [["证书.json", hashlib.sha256(b"echo").hexdigest()]]
        assert children_of(zygote_pid(hostile)) == []
        return result

    return run


def did(result: JailResult) -> object:
    assert result.killed is None and result.verdict_json is not None, result
    return json.loads(result.verdict_json)["did"]


def zygote_pid(jail: Jail) -> int:
    jail.layers()
    assert jail._zygote is not None
    return jail._zygote.process.pid


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition: Callable[[], object], *, seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    return not alive(pid)


class TestExhaustion:
    def test_memory(self, act: Callable[..., JailResult]) -> None:
        result = act("memory_bomb")
        assert (result.killed, result.detail, result.verdict_json) == ("RESOURCE_LIMIT", "memory", None)
        assert result.max_rss <= 512 << 20

    def test_memory_swallowed_by_the_parser(self, act: Callable[..., JailResult]) -> None:
        result = act("memory_bomb_survived")
        assert result.killed is None and result.max_rss <= 512 << 20

    @pytest.mark.parametrize("name", ["cpu_loop", "cpu_loop_deaf", "cpu_loop_in_threads"])
    def test_processor(self, act: Callable[..., JailResult], name: str) -> None:
        result = act(name, limits=Limits(cpu_seconds=1, wall_factor=20))
        assert (result.killed, result.detail) == ("RESOURCE_LIMIT", "processor time")
        assert result.cpu_seconds < 3

    @pytest.mark.parametrize("name", ["sleep", "hide_and_sleep"])
    def test_wall_clock(self, act: Callable[..., JailResult], name: str) -> None:
        started = time.monotonic()
        result = act(name)
        assert result.killed == "TIMEOUT" and result.cpu_seconds < 1
        assert time.monotonic() - started < 6

    @pytest.mark.parametrize("name", ["large_answer", "endless_answer"])
    def test_answer(self, act: Callable[..., JailResult], name: str) -> None:
        result = act(name, limits=Limits())
        assert (result.killed, result.detail) == ("RESOURCE_LIMIT", "size of the answer")

    def test_the_largest_answer_allowed_is_passed_on_whole(self, act: Callable[..., JailResult]) -> None:
        exact = len(json.dumps({"did": "x" * (50 << 20)}))
        roomy = Limits(memory_bytes=1 << 30, output_bytes=exact)
        answer = act("large_answer", limits=roomy).verdict_json
        assert answer is not None and len(answer) == exact
        assert act("large_answer", limits=Limits(memory_bytes=1 << 30, output_bytes=exact - 1)).killed

    def test_processor_time_grows_with_the_exhibit(self) -> None:
        limits = Limits()
        assert [limits.cpu(n) for n in (0, 33_000_000, 34_000_000, 100_000_000, 1_000_000_000)] == [20, 20, 21, 60, 600]


class TestCrashes:
    @pytest.mark.parametrize(
        ("name", "detail"),
        [
            ("segfault", "SIGSEGV"),
            ("abort", "SIGABRT"),
            ("recursion", "RecursionError"),
            ("plain_exception", "LookupError"),
            ("strange_exception", "exit 102"),
            ("no_answer", "exit 0"),
            ("claim_unconfined", "exit 103"),
        ],
    )
    def test_named(self, act: Callable[..., JailResult], name: str, detail: str) -> None:
        result = act(name)
        assert (result.killed, result.detail, result.verdict_json) == ("CRASH", detail, None)

    def test_a_forged_answer_is_only_an_answer(self, act: Callable[..., JailResult]) -> None:
        assert act("forged_answer").verdict_json == b'{"overall":"CONSISTENT"}'

    def test_nothing_reaches_our_output(self, act: Callable[..., JailResult], capfd: pytest.CaptureFixture[str]) -> None:
        assert did(act("shout")) == "shouted"
        assert "HOSTILE" not in "".join(capfd.readouterr())

    def test_no_signal_reaches_anybody(self, act: Callable[..., JailResult]) -> None:
        assert did(act("kill_around")) == [True] * 5


class TestBreakouts:
    """H10, attempt by attempt; and the same attempts outside a jail, to show that they can succeed."""

    @pytest.mark.parametrize("name", list(ATTEMPTS))
    def test_held(self, attempts: dict[str, tuple[bool, str]], name: str) -> None:
        held, how = attempts[name]
        assert held, how

    @pytest.mark.parametrize("name", sorted(set(ATTEMPTS) - NEVER_OUTSIDE))
    def test_possible_outside(self, name: str, tmp_path: Path) -> None:
        order = tmp_path / "order"
        (tmp_path / "secret").write_text("court secret")
        order.write_text(json.dumps({"attempt": name, "secret": str(tmp_path / "secret"), "parent": os.getpid()}))
        script = "import sys; from evidence.runs.probes import attempt; print(attempt([('', 0)], '', '').decode())"
        with order.open() as stdin:
            done = subprocess.run(
                [sys.executable, "-c", script], cwd=ROOT, stdin=stdin, capture_output=True, text=True, check=True
            )
        assert '"held": false' in done.stdout

    def test_command_line(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "evidence.runs.jail", "--self-test"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("held ") == len(ATTEMPTS) and "BROKEN" not in done.stdout
        assert "landlock" in done.stdout and "seccomp" in done.stdout


class TestCanary:
    """H11: nothing of the worker's environment or memory is in the zygote or its children."""

    def test_environment_and_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        canary = secrets.token_hex(24)  # lives in this process's memory, as a database password would
        monkeypatch.setenv("DATABASE_URL", f"postgres://court:{canary}@db/")
        label = "label-" + secrets.token_hex(24)
        (tmp_path / "act").write_text("sleep")
        with Jail(entry=HOSTILE) as jail:
            pid = zygote_pid(jail)
            runner = threading.Thread(
                target=lambda: jail.run([("a", tmp_path / "act"), (label, tmp_path / "act")], trust_dir=tmp_path, at=AT, limits=QUICK)
            )
            runner.start()
            wait_for(lambda: children_of(pid))
            time.sleep(0.2)  # until it sleeps
            try:
                zygote, child = memory_of(pid), memory_of(children_of(pid)[0])
            except PermissionError:
                pytest.skip("NOT RUN: reading another process's memory needs root")
            finally:
                runner.join()
        assert label.encode() in child, "the search itself must be able to find something"
        assert canary.encode() not in child
        assert canary.encode() not in zygote
        assert Path(f"/proc/{os.getpid()}/environ")  # the control is above: same search, other string

    def test_the_search_finds_the_canary_here(self) -> None:
        canary = secrets.token_hex(24)
        assert canary.encode() in memory_of(os.getpid())


def memory_of(pid: int) -> bytes:
    """All readable private memory of a process, and its environment."""
    found = [Path(f"/proc/{pid}/environ").read_bytes()]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            area = re.match(r"([0-9a-f]+)-([0-9a-f]+) r.*?(\S*)$", line)
            if area and area[3] not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                memory.seek(int(area[1], 16))
                try:
                    found.append(memory.read(int(area[2], 16) - int(area[1], 16)))
                except OSError:
                    continue  # a device or guard page
    return b"".join(found)


class TestPool:
    def test_concurrent_runs_keep_apart(self, hostile: Jail, tmp_path: Path) -> None:
        fates = {"segfault": "CRASH", "sleep": "TIMEOUT", "memory_bomb": "RESOURCE_LIMIT", "echo": None}

        def one(number: int) -> None:
            name = list(fates)[number % 4]
            files = [("act", tmp_path / f"{number}-act"), (f"file {number}", tmp_path / f"{number}-data")]
            files[0][1].write_text(name)
            files[1][1].write_bytes(os.urandom(1000 + number))
            limits = QUICK if name == "sleep" else Limits()
            result = hostile.run(files, trust_dir=tmp_path, at=AT, limits=limits)
            assert result.killed == fates[name]
            if name == "echo":
                assert did(result) == [[n, hashlib.sha256(p.read_bytes()).hexdigest()] for n, p in files]

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(48)))
        assert children_of(zygote_pid(hostile)) == []

    def test_no_descriptor_is_left_behind(self, hostile: Jail, tmp_path: Path) -> None:
        (tmp_path / "act").write_text("segfault")
        zygote = zygote_pid(hostile)

        def count() -> tuple[int, int]:
            return len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{zygote}/fd"))

        before = count()
        for _ in range(20):
            hostile.run([("act", tmp_path / "act")] * 50, trust_dir=tmp_path, at=AT)
        # Never more than before; fewer when what an earlier test of this process left open is collected meanwhile.
        wait_for(lambda: all(now <= then for now, then in zip(count(), before, strict=True)))

    def test_fifty_files(self, hostile: Jail, tmp_path: Path) -> None:
        files = [("x" * 250 + f"文{n}", tmp_path / str(n)) for n in range(50)]
        for number, (_, path) in enumerate(files):
            path.write_text("echo" if number == 0 else str(number))
        answer = did(hostile.run(files, trust_dir=tmp_path, at=AT))
        assert answer == [[n, hashlib.sha256(p.read_bytes()).hexdigest()] for n, p in files]

    def test_a_dead_zygote_is_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "act").write_text("echo")
        with Jail(entry=HOSTILE) as jail:
            for _ in range(3):
                pid = zygote_pid(jail)
                os.kill(pid, signal.SIGKILL)
                wait_for(partial(gone, pid))
                assert did(jail.run([("act", tmp_path / "act")], trust_dir=tmp_path, at=AT))
                assert zygote_pid(jail) != pid

    def test_a_zygote_dying_in_mid_run_is_our_failure_not_the_files(self, tmp_path: Path) -> None:
        (tmp_path / "act").write_text("sleep")
        with Jail(entry=HOSTILE) as jail:
            pid = zygote_pid(jail)
            with ThreadPoolExecutor(1) as pool:
                running = pool.submit(jail.run, [("act", tmp_path / "act")], trust_dir=tmp_path, at=AT)
                wait_for(lambda: children_of(pid))
                child = children_of(pid)[0]
                os.kill(pid, signal.SIGKILL)
                with pytest.raises(JailError, match="died during the run"):
                    running.result(10)
            wait_for(lambda: not alive(child))

    def test_a_child_killed_from_outside_is_our_failure_too(self, hostile: Jail, tmp_path: Path) -> None:
        (tmp_path / "act").write_text("sleep")
        pid = zygote_pid(hostile)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(hostile.run, [("act", tmp_path / "act")], trust_dir=tmp_path, at=AT)
            wait_for(lambda: children_of(pid))
            time.sleep(0.2)
            os.kill(children_of(pid)[0], signal.SIGKILL)
            with pytest.raises(JailError, match="killed from outside"):
                running.result(10)

    def test_everything_dies_with_the_worker(self, tmp_path: Path) -> None:
        (tmp_path / "act").write_text("sleep")
        script = f"""
from pathlib import Path; from datetime import datetime, UTC; from evidence.runs.jail import Jail
jail = Jail(entry={HOSTILE!r}); jail.layers(); print(jail._zygote.process.pid, flush=True)
jail.run([("act", Path({str(tmp_path / "act")!r}))], trust_dir=Path("/"), at=datetime.now(UTC))
"""
        worker = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None
        zygote = int(worker.stdout.readline())
        wait_for(lambda: children_of(zygote))
        child = children_of(zygote)[0]
        worker.kill()
        worker.communicate()
        wait_for(lambda: not alive(zygote) and not alive(child))

    def test_a_forked_worker_gets_a_zygote_of_its_own(self, hostile: Jail, tmp_path: Path) -> None:
        (tmp_path / "act").write_text("echo")
        parents = zygote_pid(hostile)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                answer = hostile.run([("act", tmp_path / "act")], trust_dir=tmp_path, at=AT)
                os.write(write, f"{answer.killed} {zygote_pid(hostile)}".encode())
                hostile.close()
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        killed, own = os.read(read, 100).decode().split()
        os.close(read)
        os.close(write)
        assert killed == "None" and int(own) != parents
        assert zygote_pid(hostile) == parents and alive(parents)


class TestRequests:
    def test_refused_before_anything_runs(self, hostile: Jail, tmp_path: Path) -> None:
        file = tmp_path / "f"
        file.write_text("echo")
        link = tmp_path / "link"
        link.symlink_to(file)

        def run(files: list[tuple[str, Path]], at: datetime = AT) -> JailResult:
            return hostile.run(files, trust_dir=tmp_path, at=at)

        for files in ([], [("f", file)] * 51, [("x" * 256, file)]):
            with pytest.raises(ValueError, match="1 to 50 files"):
                run(files)
        with pytest.raises(ValueError, match="time zone"):
            run([("f", file)], datetime(2026, 3, 1))  # noqa: DTZ001
        with pytest.raises(FileNotFoundError):
            run([("f", tmp_path / "absent")])
        with pytest.raises(OSError, match="symbolic"):
            run([("f", link)])


class TestFailsClosed:
    """A lock that does not close keeps the door shut. The zygote is started through a script that breaks one."""

    @pytest.fixture
    def broken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def breaking(how: str) -> None:
            script = tmp_path / "zygote.py"
            script.write_text(
                "import sys; sys.path.insert(0, sys.argv[1])\n"
                "from evidence.runs import confinement, seccomp, zygote\n"
                "def refuse(*a, **k): raise OSError('refused for the test')\n"
                f"{how}\n"
                "zygote.main(*sys.argv[1:])\n"
            )
            monkeypatch.setattr(jail_module, "_ZYGOTE", script)

        return breaking

    @pytest.mark.parametrize(
        "lock",
        ["seccomp.install", "confinement.drop_privileges", "confinement.limit_resources", "confinement.die_with",
         "confinement.read_only"],
    )  # fmt: skip
    def test_each_lock(self, broken: Callable[[str], None], tmp_path: Path, lock: str) -> None:
        broken(f"{lock} = refuse")
        (tmp_path / "act").write_text("echo")
        with Jail(entry=HOSTILE) as jail, pytest.raises(JailError, match="could not be confined.*for the test"):
            jail.run([("act", tmp_path / "act")], trust_dir=tmp_path, at=AT)

    def test_no_landlock_needs_consent(self, broken: Callable[[str], None], tmp_path: Path) -> None:
        broken("confinement.landlock_abi = lambda: 0")
        (tmp_path / "act").write_text("echo")
        with Jail(entry=HOSTILE) as jail, pytest.raises(JailError, match="Landlock is not available"):
            jail.run([("act", tmp_path / "act")], trust_dir=tmp_path, at=AT)
        with Jail(entry=HOSTILE, weak=True) as jail:
            assert did(jail.run([("act", tmp_path / "act")], trust_dir=tmp_path, at=AT))
            assert jail.layers()["landlock"].startswith("ABSENT")
        reading = {"read a secret", "list directories"}  # what a weak jail does not prevent
        assert {name for name, held, _ in self_test(weak=True) if not held} == reading

    def test_an_engine_that_cannot_be_imported(self) -> None:
        with Jail(entry="no.such.module:examine") as jail, pytest.raises(JailError, match="could not start"):
            jail.layers()


def test_the_probes_entry_is_not_the_engines() -> None:
    """Evidence reaches only the engine: a Jail made without arguments runs nothing else."""
    assert Jail()._entry == "evidence.runs.examination:examine" != PROBES


def test_ctypes_segfault_is_a_segfault_here_too() -> None:
    """The control of the crash tests: outside the jail the same line kills a process."""
    done = subprocess.run([sys.executable, "-c", "import ctypes; ctypes.string_at(0)"], check=False)
    assert done.returncode == -signal.SIGSEGV and ctypes.sizeof(ctypes.c_void_p) == 8
