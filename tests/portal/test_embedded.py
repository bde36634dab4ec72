"""The private PostgreSQL: durable, private, shared, and gone when its last user is.

Each test works through real processes, as the portal does; the server's directory is short-lived and its own.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal import embedded

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="must run as root: only then two accounts are at hand")
USE = "import sys, psycopg; from portal.embedded import ensure_postgres; url = ensure_postgres(sys.argv[1]); "


@pytest.fixture
def home() -> Iterator[Path]:
    # Not tmp_path: its parents are closed to the account the server runs as under root.
    folder = Path(tempfile.mkdtemp(prefix="mj-", dir=ROOT / "var"))
    folder.chmod(0o755)
    yield folder / "postgres"
    embedded.remove_postgres(folder / "postgres")
    shutil.rmtree(folder)


def python(code: str, home: Path, **kwargs: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USE + code, str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **kwargs,  # type: ignore[call-overload]
    )


def said(code: str, home: Path) -> str:
    process = python(code, home)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.strip()


def command(verb: str, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "portal.embedded", verb, str(home)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def running(home: Path) -> bool:
    return (home / "server" / "cluster" / "postmaster.pid").exists()


def postmaster(home: Path) -> int:
    return int((home / "server" / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def test_data_survive_a_restart_and_the_last_user_stops_the_server(home: Path) -> None:
    said("c = psycopg.connect(url, autocommit=True); c.execute('CREATE TABLE act AS SELECT 7 AS n')", home)
    assert not running(home)
    assert said("print(psycopg.connect(url).execute('SELECT n FROM act').fetchone()[0])", home) == "7"


def test_settings_are_durable_and_no_port_is_open(home: Path) -> None:
    names = ["fsync", "synchronous_commit", "full_page_writes", "data_checksums", "listen_addresses", "server_encoding"]
    code = f"c = psycopg.connect(url); print([c.execute('SHOW ' + n).fetchone()[0] for n in {names}])"
    assert said(code, home) == "['on', 'on', 'on', 'on', '', 'UTF8']"


def test_the_portals_role_is_no_superuser(home: Path) -> None:
    code = (
        "c = psycopg.connect(url); "
        "print(c.execute('SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user').fetchone())"
    )
    assert said(code, home) == "(False, True)"


def test_a_second_process_shares_the_server_and_keeps_it_alive(home: Path) -> None:
    first = python("print('up', flush=True); input()", home)
    assert first.stdout is not None
    assert first.stdout.readline() == "up\n"
    second = python("print('up', flush=True); input()", home)
    assert second.stdout is not None
    assert second.stdout.readline() == "up\n"
    first.communicate("\n", timeout=60)
    assert running(home)
    second.communicate("\n", timeout=60)
    assert not running(home)


def test_a_killed_process_leaves_no_claim_behind(home: Path) -> None:
    killed = python("print('up', flush=True); input()", home)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "up\n"
    killed.kill()
    killed.wait(timeout=60)
    assert running(home)
    said("pass", home)  # the next user finds the server, and being the last one stops it
    assert not running(home)


def test_a_killed_server_comes_back_with_every_committed_row(home: Path) -> None:
    url = command("start", home)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE act AS SELECT generate_series(1, 1000) AS n")
    os.kill(postmaster(home), signal.SIGKILL)
    until = time.monotonic() + 30
    while _answers(url) and time.monotonic() < until:  # no child of ours: its end is seen through its socket
        time.sleep(0.05)
    url = command("start", home)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM act").fetchone() == (1000,)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_start_outlives_its_users_until_stop(home: Path) -> None:
    url = command("start", home)
    assert command("url", home) == url
    assert said("print(url)", home) == url
    assert running(home)
    command("stop", home)
    assert not running(home)


def test_directories_are_closed_to_others(home: Path) -> None:
    command("start", home)
    server = (home / "server").resolve()
    for folder in (server, server / "cluster", server / "socket"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@AS_ROOT
def test_another_account_is_refused_even_where_it_can_reach_the_socket(home: Path) -> None:
    url = command("start", home)
    server = (home / "server").resolve()
    opened = [server, server / "socket", server / "socket" / ".s.PGSQL.5432"]
    for path in opened:
        path.chmod(0o777)
    psql = Path(os.readlink(f"/proc/{postmaster(home)}/exe")).with_name("psql")
    stranger = subprocess.run(
        [psql, url, "-c", "SELECT 1"],
        cwd="/",
        user="nobody",  # may now reach the socket
        group="nogroup",
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    for path in opened:
        path.chmod(0o700)
    assert stranger.returncode != 0
    assert "Peer authentication failed" in stranger.stderr


def test_a_path_too_long_for_a_socket_works(home: Path) -> None:
    deep = home / ("a" * 90) / ("b" * 30)
    try:
        assert said("print(psycopg.connect(url).execute('SELECT 1').fetchone()[0])", deep) == "1"
    finally:
        embedded.remove_postgres(deep)


@AS_ROOT
def test_a_directory_the_account_cannot_reach_is_served_from_elsewhere(home: Path) -> None:
    home.parent.chmod(0o700)
    said("psycopg.connect(url, autocommit=True).execute('CREATE TABLE act AS SELECT 7 AS n')", home)
    place = (home / "server").resolve()
    assert place.parent == embedded.SYSTEM_DIR
    assert said("print(psycopg.connect(url).execute('SELECT n FROM act').fetchone()[0])", home) == "7"
    embedded.remove_postgres(home)
    assert not place.exists()


@AS_ROOT
def test_a_directory_of_somebody_else_is_refused_with_the_remedy(home: Path) -> None:
    said("pass", home)
    server = (home / "server").resolve()
    before = server.stat()
    os.chown(server, 65534, 65534)
    with pytest.raises(embedded.EmbeddedPostgresError, match="chown -R mingjian-postgres"):
        embedded.ensure_postgres(home)
    os.chown(server, before.st_uid, before.st_gid)


def test_a_setup_cut_short_is_begun_again(home: Path) -> None:
    said("pass", home)
    server = (home / "server").resolve()
    (server / "cluster").rename(server / "cluster.new")
    (server / "cluster.new" / "PG_VERSION").unlink()
    assert said("print(psycopg.connect(url).execute('SELECT 1').fetchone()[0])", home) == "1"


def test_a_pid_file_naming_some_other_process_does_not_stop_a_start(home: Path) -> None:
    said("pass", home)
    file = home / "server" / "cluster" / "postmaster.pid"
    file.write_text(f"{os.getpid()}\n{home}/server/cluster\n1\n5432\n\n\n")
    assert said("print(psycopg.connect(url).execute('SELECT 1').fetchone()[0])", home) == "1"
