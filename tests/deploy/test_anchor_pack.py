"""The writer of a trust store's manifest: reproducible, and silent about no file."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.verification.trust import SHIPPED, TrustStore

HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "pack"))


def write(pack: Path, *options: str) -> int:
    command = [sys.executable, str(HOUSE / "deploy" / "anchor-pack"), str(pack), *options]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_shipped_manifest_is_what_the_writer_writes(pack: Path) -> None:
    before = (pack / "manifest.json").read_bytes()
    assert write(pack) == 0
    assert (pack / "manifest.json").read_bytes() == before


def test_each_shipped_root_says_where_it_is_from() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_bytes())
    for member in manifest["members"]:
        assert member["source"]
        assert member["fetched_at"]
        if member["path"].endswith(".pem"):
            from cryptography import x509
            from cryptography.hazmat.primitives import hashes

            root = x509.load_pem_x509_certificate((SHIPPED / member["path"]).read_bytes())
            assert member["source"].endswith(f"SHA-256 fingerprint {root.fingerprint(hashes.SHA256()).hex()}")


def test_new_and_changed_members_need_a_source(pack: Path) -> None:
    (pack / "policy.json").write_text('{"accept_d": ["x"]}')
    assert write(pack) == 64
    assert write(pack, "--source", "policy.json=decision of 2026-11-22") == 64  # and a date
    assert write(pack, "--source", "policy.json=decision of 2026-11-22", "--fetched-at", "2026-11-22") == 0
    assert TrustStore.load(pack).accept_d == {"x"}
    (pack / "tsa" / "certs" / "new.pem").write_bytes((pack / "web" / "certs" / "isrg-root-x1.pem").read_bytes())
    assert write(pack) == 64
    (pack / "manifest.json").unlink()
    assert write(pack) == 64


def test_a_store_that_does_not_load_is_not_called_written(pack: Path) -> None:
    bad = "tsa/certs/bad.pem"
    (pack / bad).write_text("no certificate")
    assert write(pack, "--source", f"{bad}=x", "--fetched-at", "2026-11-22") != 0
