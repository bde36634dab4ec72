"""The engine alone, as an outsider installs it: a wheel with nothing of the portal in it, in a place without network and environment."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.anchor_packs import write_pack

from .test_bundle import FILES, HOUSE, ROOT, Case, sha256
from .test_bundle import verdict as verdict  # a fixture
from .test_command_line import AT


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("trust") / "pack", tsa_roots=[ROOT.pem])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel made from the files of this checkout, unpacked as pip would."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, source / name)
    shutil.copytree(HOUSE / "evidence", source / "evidence", ignore=shutil.ignore_patterns("__pycache__"))
    made = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, source], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr.decode()
    (wheel,) = out.glob("mingjian-*.whl")
    zipfile.ZipFile(wheel).extractall(out / "place")
    return out / "place"


def outside(installed: Path, *arguments: str | Path, then: str = "") -> subprocess.CompletedProcess[bytes]:
    """The command over the unpacked wheel and the libraries of this machine: no network, no environment, no checkout."""
    libraries = [p for p in sys.path if p.endswith("site-packages")]
    code = (
        f"import sys; sys.path[:0] = {[str(installed)]!r}; sys.path += {libraries!r}; sys.argv = ['verify', *{[str(a) for a in arguments]!r}]\n"
        f"import runpy\ntry:\n runpy.run_module('evidence.verification', run_name='__main__')\nfinally:\n {then or 'pass'}\n"
    )
    return subprocess.run(
        ["unshare", "--net", "--map-root-user", "env", "-i", sys.executable, "-I", "-S", "-c", code],
        capture_output=True, cwd="/", check=False,
    )  # fmt: skip


def test_nothing_of_the_portal_is_in_it(installed: Path) -> None:
    files = [p.relative_to(installed).as_posix() for p in installed.rglob("*") if p.is_file() and ".dist-info" not in p.as_posix()]
    assert {f.split("/")[0] for f in files} == {"evidence"}
    assert {f.split("/")[1] for f in files} == {"verification"}
    here = {p.relative_to(HOUSE).as_posix() for p in (HOUSE / "evidence/verification").rglob("*") if p.suffix in {".json", ".pem", ".py"}}
    assert here <= set(files), "every text, root and module of the engine"


def test_a_bundle_is_repeated_where_nothing_else_is_installed(installed: Path, pack: Path, verdict: bytes, tmp_path: Path) -> None:
    made = Case(pack, verdict)
    bundle = made.archive(tmp_path / "bundle.zip")
    done = outside(installed, "--json", "--digest", sha256(made.contents()), bundle)
    assert (done.returncode, done.stdout, done.stderr) == (0, verdict + b"\n", b"")
    unchecked = outside(installed, "--json", bundle)
    assert (unchecked.returncode, unchecked.stdout) == (3, verdict + b"\n") and b"--digest" in unchecked.stderr


def test_it_uses_what_it_says_it_needs_and_no_more(installed: Path, pack: Path, tmp_path: Path) -> None:
    """Every module that was imported comes with Python, with the wheel, or with a library that the extra names (or that needs)."""
    folder = tmp_path / "exhibit"
    folder.mkdir()
    for number, data in enumerate(FILES.values()):
        (folder / str(number)).write_bytes(data)
    report = tmp_path / "modules"
    then = f"open({str(report)!r}, 'w').write('\\n'.join(m.split('.')[0] for m in sys.modules))"
    done = outside(installed, "--json", "--trust", pack, "--at", AT, folder, then=then)
    assert json.loads(done.stdout)["overall"] == "CONSISTENT", sha256(done.stdout)
    used = {m for m in report.read_text().split() if not m.startswith("_")} - set(sys.stdlib_module_names) - {"evidence", "distutils"}
    extra = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]["optional-dependencies"]["verify"]
    allowed = {_plain(re.split(r"[><=; ]", line)[0]) for line in extra}
    grown = 0
    while grown != len(allowed):
        grown = len(allowed)
        allowed |= {
            _plain(re.split(r"[><=;\[ (!~]", need)[0]) for name in allowed for need in (_needs(name)) if "extra ==" not in need
        }
    owners = metadata.packages_distributions()
    strangers = {m for m in used if not {_plain(d) for d in owners.get(m, ["?"])} & allowed}
    assert strangers == set()


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _needs(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
