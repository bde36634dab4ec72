"""What is installed is what was locked: exact versions, digests, and no host that could be swapped."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


def test_every_list_of_requirements_has_its_lock() -> None:
    assert LOCKS == sorted(path.with_suffix(".txt").name for path in ROOT.glob("requirements*.in"))


@pytest.mark.parametrize("lock", LOCKS)
def test_python_locks_pin_versions_and_digests_and_name_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.M).strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==[^ ]+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


@pytest.mark.parametrize("name", ["requirements.in", "requirements-demo.in", "requirements-test.in", "requirements-node.in"])
def test_every_requirement_asked_for_is_in_its_lock(name: str) -> None:
    asked = re.findall(r"^([a-z0-9][a-z0-9.-]*)", (ROOT / name).read_text(encoding="utf-8"), flags=re.M)
    locked = (ROOT / name).with_suffix(".txt").read_text(encoding="utf-8")
    for package in asked:
        assert f"\n{re.sub('[._-]+', '-', package)}==" in locked, package  # names as PEP 503 normalises them


def test_the_tests_run_against_the_versions_the_portal_runs_on() -> None:
    def versions(lock: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9._-]+)==([^ ]+)", (ROOT / lock).read_text(encoding="utf-8"), flags=re.M))

    portal, tests = versions("requirements.txt"), versions("requirements-test.txt")
    assert {k: v for k, v in tests.items() if k in portal} == {k: portal[k] for k in tests if k in portal}


def test_the_engines_own_requirements_are_within_the_lock() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["verify"]
    asked = (ROOT / "requirements.in").read_text(encoding="utf-8")
    for requirement in extra:
        bare, _, marker = requirement.partition(";")
        name, bound = bare.split(">=")
        line = re.search(rf"^{re.escape(name)}(\[[a-z0-9,-]+\])?>={re.escape(bound)}\b(.*)", asked, flags=re.M)
        assert line, requirement
        assert marker.strip().replace("'", '"') in line[2], requirement


def test_the_front_end_lock_has_contents_and_no_addresses() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert packages
    for path, entry in packages.items():
        assert "resolved" not in entry, path
        assert entry["integrity"].startswith("sha512-"), path
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]), path
