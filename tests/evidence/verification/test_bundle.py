"""A re-verification bundle as a black box: archives made here, field by field, and the command that repeats what is in them."""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.verification import pack_signature
from tests.anchor_packs import write_pack

from .authority import TIME_STAMPING, TokenPlan, issue, response
from .test_command_line import AT, HOUSE, run

PAGE = "网页快照\n".encode()
ROOT = issue("TSA root", ca=True)
TSA = issue("TSA 1", by=ROOT, eku=[TIME_STAMPING])
FILES = {"../../etc/网页.html": PAGE, "page.tsr": response(TokenPlan(PAGE, TSA, embed=(TSA.der,)))}
"""A party's label may look like a path; it is one nowhere."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sm3(data: bytes) -> str:
    return hashlib.new("sm3", data).hexdigest()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("trust") / "pack", tsa_roots=[ROOT.pem])


@dataclass
class Case:
    """What goes into a bundle; `archive` writes it."""

    pack: Path
    verdict: bytes
    files: Mapping[str, bytes] = field(default_factory=lambda: FILES)
    signature: str | None = None
    edit: Callable[[dict[str, Any]], object] = lambda said: None
    withhold: Sequence[str] = ()
    others: Mapping[str, bytes] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    method: int = zipfile.ZIP_STORED

    def contents(self) -> bytes:
        manifest = (self.pack / "manifest.json").read_bytes()
        said: dict[str, Any] = {
            "format": "mingjian.bundle/1",
            "report": "HY2026-000001",
            "engine": json.loads(self.verdict)["engine"],
            "packs": [{"manifest": sha256(manifest), "signature": self.signature}],
            "exhibits": [
                {
                    "label": "原告证据1",
                    "run": "5a0c",
                    "number": 2,
                    "at": AT,
                    "pack": sha256(manifest),
                    "verdict": sha256(self.verdict),
                    "sources": [
                        {"name": n, "size": len(d), "sha256": sha256(d), "sm3": sm3(d)} for n, d in self.files.items()
                    ],
                }
            ],
        }
        self.edit(said)
        return json.dumps(said, ensure_ascii=False).encode()

    def archive(self, path: Path) -> Path:
        manifest = (self.pack / "manifest.json").read_bytes()
        every = [manifest, self.verdict, *self.files.values()]
        every += [(self.pack / m["path"]).read_bytes() for m in json.loads(manifest)["members"]]
        held = {sha256(d): d for d in every if sha256(d) not in self.withhold} | dict(self.blobs)
        with zipfile.ZipFile(path, "w", self.method) as out:
            out.writestr("bundle.json", self.contents())
            for name, data in (*self.others.items(), *((f"blobs/{n}", d) for n, d in held.items())):
                out.writestr(name, data)
        return path


@pytest.fixture(scope="module")
def verdict(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """As the court found it: by the engine over descriptors with the labels of the record."""
    from datetime import datetime

    from evidence.verification import Exhibit, Source, TrustStore, verify

    exhibit = Exhibit.of([Source.from_bytes(name, data) for name, data in FILES.items()])
    found = verify(exhibit, TrustStore.load(pack), datetime.fromisoformat(AT))
    assert found.overall == "CONSISTENT"
    return found.to_json()


@pytest.fixture
def made(pack: Path, verdict: bytes) -> Case:
    return Case(pack, verdict)


# ── what it is for ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_court_s_result_is_repeated_byte_for_byte(made: Case, tmp_path: Path) -> None:
    done = run("--json", "--digest", sha256(made.contents()), made.archive(tmp_path / "bundle.zip"))
    assert (done.returncode, done.stdout, done.stderr) == (0, made.verdict + b"\n", b"")


def test_nothing_is_written_and_nothing_is_asked_of_the_network(made: Case, tmp_path: Path) -> None:
    """In a network namespace of its own, with an empty environment, in a folder that cannot be written to."""
    bundle, empty = made.archive(tmp_path / "bundle.zip"), tmp_path / "empty"
    empty.mkdir(mode=0o555)
    done = subprocess.run(
        ["unshare", "--net", "--map-root-user", "env", "-i", sys.executable, "-c",
         f"import sys; sys.path.insert(0, {str(HOUSE)!r}); import runpy; sys.argv=['v', '--json', '--digest', {sha256(made.contents())!r}, {str(bundle)!r}];"
         "runpy.run_module('evidence.verification', run_name='__main__')"],
        capture_output=True, cwd=empty, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, made.verdict + b"\n"), done.stderr
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(("language", "words"), [("zh", "逐字节相同"), ("en", "byte for byte")])
def test_a_person_reads_what_was_repeated_and_under_whose_trust(made: Case, tmp_path: Path, language: str, words: str) -> None:
    done = run("--lang", language, made.archive(tmp_path / "bundle.zip"))
    text = done.stdout.decode()
    assert words in text and sha256(made.contents()) in text and "HY2026-000001" in text
    assert sha256((made.pack / "manifest.json").read_bytes()) in text
    assert "--trust-key" in text, "an unchecked trust store is said to be unchecked"


def test_another_result_is_said_to_be_another(made: Case, tmp_path: Path) -> None:
    made.verdict = made.verdict.replace(b'"CONSISTENT"', b'"INCONSISTENT"', 1)
    done = run("--lang", "en", made.archive(tmp_path / "bundle.zip"))
    assert done.returncode == 1 and b"differs from the result in the bundle" in done.stdout


def test_another_engine_with_the_same_findings_is_told_apart(made: Case, tmp_path: Path) -> None:
    said = json.loads(made.verdict)
    said["engine"] = "mingjian/0.0.9"
    made.verdict = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    done = run("--lang", "en", "--digest", sha256(made.contents()), made.archive(tmp_path / "bundle.zip"))
    assert done.returncode == 0 and b"another version of the engine" in done.stdout
    said["grade"] = "B"
    made.verdict = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert run(made.archive(tmp_path / "second.zip")).returncode == 1


def test_files_that_were_held_back_can_be_named_beside_the_bundle(made: Case, tmp_path: Path) -> None:
    made.withhold = [sha256(PAGE)]
    bundle = made.archive(tmp_path / "bundle.zip")
    done = run("--lang", "zh", bundle)
    assert done.returncode == 2 and sha256(PAGE) in done.stdout.decode() and run("--json", bundle).stdout == b""
    (tmp_path / "whatever.bin").write_bytes(PAGE)
    done = run("--json", "--digest", sha256(made.contents()), bundle, tmp_path / "whatever.bin")
    assert (done.returncode, done.stdout) == (0, made.verdict + b"\n"), "matched by digest, whatever its name"
    (tmp_path / "other.bin").write_bytes(PAGE + b"!")
    assert run(bundle, tmp_path / "other.bin").returncode == 2


# ── a bundle brings its own trust: it must never pass for the court's ───────────────────────────────────────────────────


def test_the_trust_store_is_checked_against_the_court_s_key(made: Case, tmp_path: Path) -> None:
    court, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    digest = sha256((made.pack / "manifest.json").read_bytes())
    keys = {}
    for name, key in (("court", court), ("other", other)):
        keys[name] = pack_signature.PackKey("court.example", key.public_key().public_bytes_raw())
        (tmp_path / f"{name}.vkey").write_text(keys[name].line())
    made.signature = pack_signature.note(digest, signatures=[(keys["court"], court.sign(pack_signature.text(digest).encode()))])
    bundle = made.archive(tmp_path / "bundle.zip")
    good = run("--lang", "en", "--trust-key", tmp_path / "court.vkey", bundle)
    assert good.returncode == 0 and b"was checked with the key given" in good.stdout
    bad = run("--trust-key", tmp_path / "other.vkey", bundle)
    assert (bad.returncode, bad.stdout) == (64, b"") and b"not signed" in bad.stderr
    made.signature = None
    unsigned = run("--trust-key", tmp_path / "court.vkey", made.archive(tmp_path / "unsigned.zip"))
    assert (unsigned.returncode, unsigned.stdout) == (64, b"")


def test_with_a_store_of_one_s_own_the_bundle_s_is_not_used(made: Case, tmp_path: Path) -> None:
    mine = write_pack(tmp_path / "mine")
    done = run("--lang", "en", "--trust", mine, made.archive(tmp_path / "bundle.zip"))
    assert done.returncode == 1 and b"INDETERMINATE" in done.stdout and b"was not used" in done.stdout


def test_as_an_exhibit_a_bundle_is_a_file_like_any_other(made: Case, tmp_path: Path) -> None:
    """A party who hands in a bundle with its own trust store proves nothing by it."""
    bundle = made.archive(tmp_path / "bundle.zip")
    done = run("--as-exhibit", "--trust", made.pack, "--at", AT, "--json", bundle)
    assert json.loads(done.stdout)["overall"] == "INDETERMINATE"
    beside = tmp_path / "with another file"
    beside.mkdir()
    (beside / "bundle.zip").write_bytes(bundle.read_bytes())
    assert json.loads(run("--trust", made.pack, "--at", AT, "--json", beside).stdout)["overall"] == "INDETERMINATE"


# ── changed bundles ───────────────────────────────────────────────────────────────────────────────────────────────────


def refused(made: Case, tmp_path: Path, *options: str) -> str:
    done = run(*options, made.archive(tmp_path / "bundle.zip"))
    assert (done.returncode, done.stdout) == (64, b""), done.stdout
    return done.stderr.decode()


@pytest.mark.parametrize("which", ["verdict", "page", "manifest", "member"])
def test_a_blob_that_is_not_what_its_name_says(made: Case, tmp_path: Path, which: str) -> None:
    manifest = (made.pack / "manifest.json").read_bytes()
    digest = {
        "verdict": sha256(made.verdict),
        "page": sha256(PAGE),
        "manifest": sha256(manifest),
        "member": json.loads(manifest)["members"][0]["sha256"],
    }[which]
    made.blobs = {digest: b"something else"}
    assert digest[:8] in refused(made, tmp_path) or which == "page"


@pytest.mark.parametrize("which", ["verdict", "manifest", "member"])
def test_what_is_never_held_back_must_be_there(made: Case, tmp_path: Path, which: str) -> None:
    manifest = (made.pack / "manifest.json").read_bytes()
    made.withhold = [
        {"verdict": sha256(made.verdict), "manifest": sha256(manifest), "member": json.loads(manifest)["members"][0]["sha256"]}[which]
    ]
    refused(made, tmp_path)


def _of_first(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["exhibits"][0].__setitem__(name, value)


def _of_source(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["exhibits"][0]["sources"][0].__setitem__(name, value)


@pytest.mark.parametrize(
    "edit",
    [
        lambda said: said.update(format="mingjian.bundle/2"),
        lambda said: said.update(format=None),
        lambda said: said.pop("packs"),
        lambda said: said.update(packs=[]),
        lambda said: said.update(packs=said["packs"] * 101),
        lambda said: said.update(exhibits={}),
        lambda said: said.update(exhibits=said["exhibits"] * 1001),
        lambda said: said.update(report=7),
        lambda said: said["packs"][0].update(signature=5),
        _of_first("at", "2026-11-22T12:00:00"),
        _of_first("at", "yesterday"),
        _of_first("at", None),
        _of_first("pack", "0" * 64),
        _of_first("pack", "../anchors"),
        _of_first("verdict", "0" * 63),
        _of_first("number", True),
        _of_first("number", -1),
        _of_first("sources", []),
        _of_first("sources", [1]),
        _of_first("label", "x" * 256),
        _of_source("sha256", "A" * 64),
        _of_source("size", 10**9),
        _of_source("size", -1),
        _of_source("sm3", "0" * 64),
        _of_source("name", None),
    ],
)
def test_contents_that_do_not_fit_their_form(made: Case, tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    made.edit = edit
    refused(made, tmp_path)


def test_the_annex_belongs_to_this_bundle(made: Case, tmp_path: Path) -> None:
    annex = json.dumps({"reverify": {"bundle_digest": sha256(made.contents())}}).encode()
    made.others = {"annex.json": annex}
    done = run("--lang", "en", "--digest", sha256(made.contents()), made.archive(tmp_path / "good.zip"))
    assert done.returncode == 0 and sha256(annex) in done.stdout.decode()
    for wrong in (b'{"reverify": {"bundle_digest": "%s"}}' % (b"0" * 64), b"{}", b"[]", b'{"reverify": 1}', b"{"):
        made.others = {"annex.json": wrong}
        refused(made, tmp_path)


@pytest.mark.parametrize("name", ["blobs/../x", "notes.txt", "blobs/" + "A" * 64, "blobs/", "bundle.JSON"])
def test_members_that_belong_to_no_bundle(made: Case, tmp_path: Path, name: str) -> None:
    made.others = {name: b"x"}
    refused(made, tmp_path)


def test_an_archive_that_is_compressed_or_not_sound(made: Case, tmp_path: Path) -> None:
    made.method = zipfile.ZIP_DEFLATED
    assert "compressed" in refused(made, tmp_path)
    made.method = zipfile.ZIP_STORED
    whole = made.archive(tmp_path / "whole.zip").read_bytes()
    for name, data in {"cut": whole[:-30], "longer": whole + b"x", "twice": whole + whole}.items():
        (tmp_path / name).write_bytes(data)
        assert run(tmp_path / name).returncode == 64, name
    (tmp_path / "prefix").write_bytes(b"PK\3\4" + whole)
    assert run(tmp_path / "prefix").returncode in (1, 2), "it does not begin like a bundle: a file like any other"
    with zipfile.ZipFile(tmp_path / "twin.zip", "w") as out:
        out.writestr("bundle.json", made.contents())
        with pytest.warns(UserWarning, match="Duplicate"):
            out.writestr("bundle.json", made.contents())
    assert run(tmp_path / "twin.zip").returncode == 64


def test_moments_stand_in_the_bundle(made: Case, tmp_path: Path) -> None:
    assert "--at" in refused(made, tmp_path, "--at", AT)


def test_every_byte_of_a_small_bundle(made: Case, tmp_path: Path) -> None:
    """Whatever byte is changed, the command never says that a changed result was repeated: it prints the court's bytes or none."""
    from evidence.verification import bundle as reader
    from evidence.verification.trust import TrustError

    whole = bytearray(made.archive(tmp_path / "bundle.zip").read_bytes())
    place = tmp_path / "changed.zip"
    for at in range(0, len(whole), 7):
        whole[at] ^= 0x11
        place.write_bytes(whole)
        whole[at] ^= 0x11
        try:
            with reader.opened(place) as opened:
                repeated = [opened.repeat(i, opened.trust(i.pack)) for i in opened.items]
        except (reader.BundleError, TrustError):
            continue
        for one in repeated:
            if one.outcome in (reader.Repeat.SAME, reader.Repeat.SAME_FINDINGS):
                assert one.item.verdict == sha256(made.verdict), at
