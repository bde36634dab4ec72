"""The system call filter, judged by running its instructions: on every architecture, for every call and argument.

The numbers come from the kernel's headers where they are installed, the meaning of the instructions from
Documentation/userspace-api/seccomp_filter.rst and <linux/filter.h>; neither from the module under test.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from evidence.runs import seccomp

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
    "loongarch64": Path("/usr/include/asm-generic/unistd.h"),
}
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "loongarch64": 0xC0000102}
DANGEROUS = (
    "socket socketpair connect bind listen accept accept4 sendto sendmsg execve execveat fork vfork ptrace "
    "process_vm_readv process_vm_writev mount umount2 unshare setns keyctl add_key request_key bpf userfaultfd "
    "perf_event_open io_uring_setup kexec_load init_module finit_module chroot pivot_root setuid setgid setresuid "
    "capset kill tkill rt_sigqueueinfo pidfd_open pidfd_getfd pidfd_send_signal unlink unlinkat rename renameat2 link "
    "linkat symlink symlinkat mkdir mkdirat mknod mknodat creat truncate ftruncate fallocate chmod fchmod fchmodat "
    "chown fchown utimensat setxattr memfd_create memfd_secret setrlimit prctl seccomp personality open_by_handle_at "
    "name_to_handle_at shmget shmat msgget semget mq_open inotify_init1 fanotify_init splice sendfile reboot swapon "
    "sethostname acct quotactl clock_settime settimeofday adjtimex landlock_create_ruleset copy_file_range"
).split()
PID = 4242


def judge(architecture: str, nr: int, arguments: tuple[int, ...] = (), *, audit: int | None = None) -> str:
    """Run the filter as the kernel would: 'allow', 'kill' or the errno."""
    wide = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    audit = AUDIT[architecture] if audit is None else audit
    data = struct.pack("<IIQ6Q", nr, audit, 0, *(a & (1 << 64) - 1 for a in wide))
    program = seccomp.program(seccomp.ARCHITECTURES[architecture], pid=PID)
    accumulator = at = 0
    while True:
        code, true, false, k = program[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("<I", data, k)[0]
        elif code == 0x15:
            at += true if accumulator == k else false
        elif code == 0x45:
            at += true if accumulator & k else false
        elif code == 0x06:
            action, value = k & 0xFFFF0000, k & 0xFFFF
            return {0x7FFF0000: "allow", 0x80000000: "kill", 0x00050000: f"errno {value}"}[action]
        else:
            raise AssertionError(f"instruction {code:#x}")


@pytest.fixture(params=list(HEADERS))
def numbers(request: pytest.FixtureRequest) -> tuple[str, dict[str, int]]:
    header = HEADERS[request.param]
    if not header.exists():
        pytest.skip(f"NOT RUN: the kernel's headers are not installed ({header})")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    return request.param, {name: int(number) for name, number in found}


def test_numbers_are_the_kernels(numbers: tuple[str, dict[str, int]]) -> None:
    architecture, kernel = numbers
    kernel.setdefault("newfstatat", kernel.get("fstatat", -1))  # its name in the generic table
    for call, columns in seccomp.CALLS.items():
        ours = columns[seccomp.ARCHITECTURES[architecture].column]
        assert ours is None or ours == kernel[call], call


def test_what_is_dangerous_is_denied_whatever_its_arguments(numbers: tuple[str, dict[str, int]]) -> None:
    architecture, kernel = numbers
    present = [name for name in DANGEROUS if name in kernel]
    assert len(present) > 70
    for name in present:
        for value in (0, 1, 2, (1 << 64) - 1, PID, 0x10000):
            assert judge(architecture, kernel[name], (value,) * 6) == "errno 1", name


def test_only_listed_calls_pass(numbers: tuple[str, dict[str, int]]) -> None:
    architecture, _ = numbers
    column = seccomp.ARCHITECTURES[architecture].column
    listed = {columns[column] for columns in seccomp.CALLS.values()}
    passing = {nr for nr in range(2048) if judge(architecture, nr, (PID,) * 6) == "allow"}
    assert passing < listed
    for nr in passing:
        assert judge(architecture, nr | 0x40000000) == "errno 1"  # x32 on x86-64; nothing elsewhere


def test_another_convention_kills(numbers: tuple[str, dict[str, int]]) -> None:
    architecture, kernel = numbers
    for audit in (0x40000003, 0x40000028, 0, *(a for n, a in AUDIT.items() if n != architecture)):  # i386, ARM
        assert judge(architecture, kernel["getpid"], audit=audit) == "kill"


def test_conditions(numbers: tuple[str, dict[str, int]]) -> None:
    architecture, kernel = numbers

    def nr(call: str, *arguments: int) -> str:
        return judge(architecture, kernel[call], arguments)

    high = 1 << 32
    for flags, verdict in ((0, "allow"), (0o2000000, "allow"), (1, "errno 1"), (2, "errno 1"), (0o101, "errno 1")):
        assert nr("openat", 0, 0, flags) == verdict
    for flags in (0o100, 0o1000, 0o2000, 0o20000000):  # create, truncate, append, temporary
        assert nr("openat", 0, 0, flags) == "errno 1"
    thread = 0x3D0F00  # what pthread_create asks for
    assert nr("clone", thread) == "allow"
    assert nr("clone", 0x1200011) == nr("clone", 17) == nr("clone", 0x4111) == "errno 1"  # fork, SIGCHLD, vfork
    for namespace in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert nr("clone", thread | namespace) == "errno 1"
    assert nr("clone3") == nr("openat2") == "errno 38"
    assert nr("tgkill", PID, PID, 6) == "allow"
    assert nr("tgkill", PID + 1, PID, 9) == nr("tgkill", 1, 1, 9) == "errno 1"
    assert [nr("fcntl", 0, c) for c in (1, 2, 3, 1030)] == ["allow"] * 4
    assert [nr("fcntl", 0, c) for c in (4, 6, 8, 10, 1024, 1031, 1033)] == ["errno 1"] * 7  # SETFL, SETLK, SETOWN…
    assert nr("ioctl", 0, 0x5401) == "allow"
    assert [nr("ioctl", 0, c) for c in (0x5412, 0x541C, 0x8933, 0x5402)] == ["errno 1"] * 4  # TIOCSTI, TIOCLINUX…
    assert nr("prlimit64", 0, 7, 0, 99) == "allow"
    assert nr("prlimit64", 0, 7, 99) == nr("prlimit64", 0, 7, 99 * high) == "errno 1"


def test_what_a_parser_needs(numbers: tuple[str, dict[str, int]]) -> None:
    architecture, kernel = numbers
    needed = "read pread64 preadv preadv2 write close mmap munmap brk futex getrandom exit_group fstat lseek"
    assert {judge(architecture, kernel[call], (3,)) for call in needed.split()} == {"allow"}
