"""A bundle made by somebody who wants the command to say that a court's result was repeated, or to harm whoever runs it."""

import json
import resource
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.verification import catalogue, pack_signature
from tests.anchor_packs import write_pack

from .test_bundle import HOUSE, PAGE, ROOT, Case, sha256
from .test_bundle import verdict as verdict  # a fixture
from .test_command_line import run

REPEATED, OTHERWISE, WITHHELD, UNCHECKED, USAGE = 0, 1, 2, 3, 64
ESCAPE = "\x1b]0;owned\x07\x1b[2J"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("trust") / "pack", tsa_roots=[ROOT.pem])


@pytest.fixture
def made(pack: Path, verdict: bytes) -> Case:
    return Case(pack, verdict)


def canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# ── whose trust store, and which report ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("output", [("--lang", "zh"), ("--lang", "en"), ("--json",)])
def test_a_trust_store_that_nobody_checked_is_said_and_has_a_status_of_its_own(made: Case, tmp_path: Path, output: tuple[str, ...]) -> None:
    """Everything is repeated, under a store that came with the bundle: no script may take that for a success. On both outputs."""
    done = run(*output, made.archive(tmp_path / "bundle.zip"))
    assert done.returncode == UNCHECKED and b"--trust-key" in done.stderr and b"--digest" in done.stderr
    if "--json" not in output:
        language = output[1]
        text = done.stdout.decode()
        assert catalogue.statement("BUNDLE.UNSIGNED", language) in text
        assert text.index(catalogue.statement("BUNDLE.UNSIGNED", language)) < text.index(catalogue.statement("LABEL.BUNDLE_EXHIBITS", language))


def test_the_report_names_the_bundle_by_its_digest(made: Case, tmp_path: Path) -> None:
    """What the report prints settles all that is verified here, the trust store too."""
    bundle = made.archive(tmp_path / "bundle.zip")
    done = run("--json", "--digest", sha256(made.contents()).upper(), bundle)
    assert (done.returncode, done.stdout, done.stderr) == (REPEATED, made.verdict + b"\n", b"")
    for wrong in ("0" * 64, "0" * 63, "", "sm3:" + "0" * 64, sha256(bundle.read_bytes())):
        done = run("--json", "--digest", wrong, bundle)
        assert (done.returncode, done.stdout) == (USAGE, b""), wrong


def test_a_bundle_of_ones_own_under_the_store_that_the_court_published(made: Case, tmp_path: Path) -> None:
    """Real store, real signature, own files, own verdict, somebody else's report number: the number is said to be the bundle's word."""
    court = Ed25519PrivateKey.generate()
    digest = sha256((made.pack / "manifest.json").read_bytes())
    key = pack_signature.PackKey("court.example", court.public_key().public_bytes_raw())
    (tmp_path / "court.vkey").write_text(key.line())
    made.signature = pack_signature.note(digest, signatures=[(key, court.sign(pack_signature.text(digest).encode()))])
    bundle = made.archive(tmp_path / "bundle.zip")
    for language in ("zh", "en"):
        text = run("--lang", language, "--trust-key", tmp_path / "court.vkey", bundle).stdout.decode()
        assert catalogue.statement("BUNDLE.REPORT_UNCHECKED", language) in text
        named = run("--lang", language, "--digest", sha256(made.contents()), bundle).stdout.decode()
        assert catalogue.statement("BUNDLE.REPORT_UNCHECKED", language) not in named
        assert catalogue.statement("BUNDLE.NAMED", language) in named


def test_an_annex_that_anybody_wrote_is_not_called_the_report_s(made: Case, tmp_path: Path) -> None:
    """Results of one's own, with the digest of the court's contents in the right place: the digest from the report does not cover it."""
    annex = canonical({"reverify": {"bundle_digest": {"alg": "SHA-256", "hex": sha256(made.contents())}}, "results": [{"overall": "INCONSISTENT"}]})
    made.others = {"annex.json": annex}
    bundle = made.archive(tmp_path / "bundle.zip")
    for language in ("zh", "en"):
        lines = run("--lang", language, "--digest", sha256(made.contents()), bundle).stdout.decode().splitlines()
        (at,) = [n for n, line in enumerate(lines) if sha256(annex) in line]
        assert catalogue.statement("BUNDLE.ANNEX_UNCHECKED", language) in lines[at + 1]


def test_options_of_a_bundle_are_refused_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(PAGE)
    assert run("--digest", "0" * 64, tmp_path / "x").returncode == USAGE


def test_a_bundle_without_exhibits_repeats_nothing(made: Case, tmp_path: Path) -> None:
    made.edit = lambda said: said.update(exhibits=[])
    assert run(made.archive(tmp_path / "bundle.zip")).returncode == USAGE


def test_a_folder_of_many_files_may_lie_beside_a_bundle(made: Case, tmp_path: Path) -> None:
    """More than one exhibit may hold: a report has many exhibits."""
    made.withhold = [sha256(PAGE)]
    beside = tmp_path / "beside"
    beside.mkdir()
    for n in range(60):
        (beside / f"{n:02d}").write_bytes(PAGE if n == 59 else b"%d" % n)
    done = run("--json", made.archive(tmp_path / "bundle.zip"), beside)
    assert (done.returncode, done.stdout) == (UNCHECKED, made.verdict + b"\n")


# ── a verdict that only looks like the one found now ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.pop("not_proven"),
        lambda said: said["time"].pop("not_before"),
        lambda said: said.update(more=None),
        lambda said: said["sources"][0].update(size=float(said["sources"][0]["size"])),
        lambda said: said["walk"][0].update(complete=1),
        lambda said: said.update(engine=None, overall=None),
    ],
)
def test_another_engine_excuses_nothing_but_its_name_and_its_self_test(made: Case, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """`None` for what is missing, 1 for true, 15.0 for 15: alike to a program that compares loosely, other bytes all the same."""
    said = json.loads(made.verdict)
    said["engine"] = "mingjian/0.0.9"
    change(said)
    made.verdict = canonical(said)
    assert run(made.archive(tmp_path / "bundle.zip")).returncode in (OTHERWISE, USAGE)


def test_a_verdict_written_otherwise_is_another(made: Case, tmp_path: Path) -> None:
    said = json.loads(made.verdict) | {"engine": "mingjian/0.0.9"}
    made.verdict = json.dumps(said, ensure_ascii=False, sort_keys=True, indent=1).encode()
    assert run(made.archive(tmp_path / "bundle.zip")).returncode == OTHERWISE


@pytest.mark.parametrize(
    "verdict_bytes",
    [
        b'{"overall":"CONSISTENT","grade":"A","grade":"A"}', b'{"overall":"CONSISTENT","grade":NaN}', b'{"overall":"CONSISTENT","grade":"A","x":' + b"9" * 79 + b"}",
        b"[" * 100_000, b'{"overall":"CONSISTENT","grade":"A","x":' + b'[' * 70 + b"]" * 70 + b"}", b'\xef\xbb\xbf{"overall":"CONSISTENT","grade":"A"}',
        '{"overall":"CONSISTENT","grade":"A"}'.encode("utf-16"), b'{"overall":"CONSISTENT","grade":"A"}x', b'{"overall":"CONSISTENT","grade":"\\ud800"}',
        b'{"overall":"\\u6838\\u9a8c\\u4e00\\u81f4","grade":"A"}', b'{"overall":["CONSISTENT"],"grade":"A"}', b'{"overall":"CONSISTENT","grade":{}}', b"{}", b"",
    ],
)  # fmt: skip
def test_what_is_no_verdict_ends_the_command(made: Case, tmp_path: Path, verdict_bytes: bytes) -> None:
    made.verdict, engine = verdict_bytes, "x"
    made.contents = lambda: canonical(_contents(made, engine))  # type: ignore[method-assign]
    done = run(made.archive(tmp_path / "bundle.zip"))
    assert (done.returncode, done.stdout) == (USAGE, b"")


def _contents(made: Case, engine: str) -> dict[str, Any]:
    kept, made.verdict = made.verdict, b'{"engine":"x"}'
    said: dict[str, Any] = json.loads(Case.contents(made))
    made.verdict = kept
    said["engine"], said["exhibits"][0]["verdict"] = engine, sha256(kept)
    return said


@pytest.mark.parametrize(
    "digest",
    [
        {"alg": "SM3", "hex": None}, {"alg": "sha-256", "hex": None}, {"alg": "SHA-256", "hex": None, "more": 1},
        {"alg": ["SHA-256"], "hex": None}, [None], {"hex": None}, None,
    ],
)  # fmt: skip
def test_an_annex_that_states_the_digest_under_another_name(made: Case, tmp_path: Path, digest: Any) -> None:
    own = sha256(made.contents())
    stated = {k: own if v is None else v for k, v in digest.items()} if isinstance(digest, dict) else [own] if digest else None
    made.others = {"annex.json": canonical({"reverify": {"bundle_digest": stated}})}
    assert run(made.archive(tmp_path / "bundle.zip")).returncode == USAGE


@pytest.mark.parametrize(
    "contents",
    [
        lambda plain: plain.replace(b'"format"', b'"report": "HY2026-999999", "format"', 1),
        lambda plain: plain.replace(b'"number": 2', b'"number": NaN'),
        lambda plain: plain.replace(b'"number": 2', b'"number": ' + b"9" * 100_000),
        lambda plain: plain.replace(b'"number": 2', b'"number": 2.0'),
        lambda plain: plain[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        lambda plain: b"\xef\xbb\xbf" + plain,
        lambda plain: plain.decode().encode("utf-16"),
        lambda plain: plain + plain,
        lambda plain: plain.replace(b'"5a0c"', b'"\\ud83d"'),
        lambda plain: plain.replace(b"2026-11-22T12:00:00Z", b"0001-01-01T00:00:00+23:59"),
    ],
)
def test_contents_that_two_readers_could_read_differently(made: Case, tmp_path: Path, contents: Callable[[bytes], bytes]) -> None:
    plain = made.contents()
    changed = contents(plain)
    assert changed != plain
    made.contents = lambda: changed  # type: ignore[method-assign]
    done = run(made.archive(tmp_path / "bundle.zip"))
    assert (done.returncode, done.stdout) == (USAGE, b"")


# ── the reader's terminal and the reader's machine ────────────────────────────────────────────────────────────────────


def _source(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["exhibits"][0]["sources"][0].__setitem__(name, value)


@pytest.mark.parametrize(
    "edit",
    [
        lambda said: said.update(report=ESCAPE, engine=ESCAPE) or said["exhibits"][0].update(label=ESCAPE, run=ESCAPE),
        lambda said: said["exhibits"][0]["sources"][0].update(name=ESCAPE, sm3="0" * 64),
        lambda said: said["exhibits"][0]["sources"][0].update(name=ESCAPE, sha256="0" * 64),
        lambda said: said["exhibits"][0].update(label=ESCAPE, sources=[]),
        lambda said: said["exhibits"][0].update(at=ESCAPE),
        lambda said: said["packs"][0].update(signature=ESCAPE),
    ],
)
@pytest.mark.parametrize("options", [("--lang", "en"), ("--json",), ("--trust-key",)])
def test_no_text_of_a_bundle_steers_a_terminal(made: Case, tmp_path: Path, edit: Callable[[dict[str, Any]], object], options: tuple[str, ...]) -> None:
    key = pack_signature.PackKey("court.example", Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    (tmp_path / "court.vkey").write_text(key.line())
    made.edit = edit
    done = run(*options, *([tmp_path / "court.vkey"] if "--trust-key" in options else []), made.archive(tmp_path / "bundle.zip"))
    shown = done.stderr.decode() + ("" if "--json" in options else done.stdout.decode())
    assert "Traceback" not in shown and not any(c < " " and c != "\n" for c in shown) and "\x9b" not in shown


def test_no_text_of_a_trust_store_steers_a_terminal(made: Case, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    manifest = json.loads((made.pack / "manifest.json").read_bytes())
    for place in ("path", "version"):
        said = json.loads(json.dumps(manifest))
        if place == "path":
            said["members"][0]["path"] = ESCAPE
        else:
            said["version"] = ESCAPE
        (hostile / "manifest.json").write_bytes(canonical(said))
        for member in manifest["members"]:
            (hostile / member["path"]).parent.mkdir(parents=True, exist_ok=True)
            (hostile / member["path"]).write_bytes((made.pack / member["path"]).read_bytes())
            (hostile / ESCAPE).write_bytes((made.pack / manifest["members"][0]["path"]).read_bytes()) if place == "path" else None
        made_hostile = Case(hostile, made.verdict)
        done = run("--lang", "en", made_hostile.archive(tmp_path / f"{place}.zip"))
        shown = (done.stderr + done.stdout).decode()
        assert "Traceback" not in shown and not any(c < " " and c != "\n" for c in shown), place


def test_one_large_verdict_named_a_thousand_times_does_not_fill_the_memory(made: Case, tmp_path: Path) -> None:
    """To see it fail: keep the court's bytes of every exhibit."""
    made.verdict = canonical(json.loads(made.verdict) | {"x": "a" * (8 << 20)})
    made.withhold = [sha256(PAGE)]
    made.edit = lambda said: said.update(exhibits=said["exhibits"] * 100)
    bundle = made.archive(tmp_path / "bundle.zip")
    room = 600 << 20

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (room, room))

    done = subprocess.run(
        [sys.executable, "-m", "evidence.verification", "--lang", "en", bundle],
        capture_output=True, cwd=HOUSE, env={"PYTHONPATH": str(HOUSE)}, preexec_fn=bound, check=False,
    )  # fmt: skip
    assert done.returncode == WITHHELD, done.stderr[-500:]


def test_many_trust_stores_of_the_same_large_member_are_refused(made: Case, tmp_path: Path) -> None:
    """Many manifests that name the same large blob: what they hold is bounded together, not one by one."""
    large = ROOT.pem + b"\n" * (20 << 20)
    first = json.loads((made.pack / "manifest.json").read_bytes())
    first["members"].append({**first["members"][0], "path": "tsa/certs/large.pem", "sha256": sha256(large)})
    manifests = [canonical(first | {"version": f"2026.{n}"}) for n in range(20)]

    def edit(said: dict[str, Any]) -> None:
        said["packs"] = [{"manifest": sha256(m), "signature": None} for m in manifests]
        said["exhibits"] = [said["exhibits"][0] | {"pack": sha256(m)} for m in manifests]

    made.edit = edit
    made.blobs = {sha256(m): m for m in (*manifests, large)}
    done = run(made.archive(tmp_path / "bundle.zip"))
    assert (done.returncode, done.stdout) == (USAGE, b"") and b"more than" in done.stderr, done.stderr


def test_a_hundred_thousand_members(made: Case, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as out:
        out.writestr("bundle.json", made.contents())
        for n in range(100_000):
            out.writestr(f"blobs/{n:064x}", b"")
    began = time.monotonic()
    done = run(tmp_path / "many.zip")
    assert (done.returncode, done.stdout) == (USAGE, b"") and time.monotonic() - began < 20


# ── archives that two programs unpack differently ─────────────────────────────────────────────────────────────────────


def _local(data: bytes, name: bytes) -> int:
    """Where the local header of a member begins."""
    return data.index(name) - 30


def _central(data: bytes, name: bytes) -> int:
    return data.rindex(name) - 46


def _patched(data: bytes, at: int, form: str, *values: int) -> bytes:
    return data[:at] + struct.pack(form, *values) + data[at + struct.calcsize(form) :]


def _other_local_name(data: bytes, blob: bytes) -> bytes:
    return data.replace(blob, b"blobs/" + b"0" * 64, 1)


def _other_central_name(data: bytes, blob: bytes) -> bytes:
    at = data.rindex(blob)
    return data[:at] + b"blobs/" + b"0" * 64 + data[at + len(blob) :]


def _two_names_for_one_place(data: bytes, blob: bytes) -> bytes:
    """The member of the page points to where `bundle.json` lies."""
    return _patched(data, _central(data, blob) + 42, "<L", 0)


def _longer_in_the_directory(data: bytes, blob: bytes) -> bytes:
    at = _central(data, blob)
    size = struct.unpack_from("<L", data, at + 24)[0] + 64
    return _patched(data, at + 20, "<2L", size, size)


def _longer_in_both(data: bytes, blob: bytes) -> bytes:
    at = _local(data, blob)
    size = struct.unpack_from("<L", data, at + 22)[0] + 64
    return _longer_in_the_directory(_patched(data, at + 18, "<2L", size, size), blob)


def _zip64_that_is_not_there(data: bytes, blob: bytes) -> bytes:
    return _patched(data, _central(data, blob) + 20, "<2L", 0xFFFFFFFF, 0xFFFFFFFF)


def _encrypted(data: bytes, blob: bytes) -> bytes:
    return _patched(_patched(data, _local(data, blob) + 6, "<H", 1), _central(data, blob) + 8, "<H", 1)


def _a_link(data: bytes, blob: bytes) -> bytes:
    return _patched(data, _central(data, blob) + 38, "<L", 0o120777 << 16)


def _a_second_end(data: bytes, blob: bytes) -> bytes:
    end = data[-22:]
    return data[:-2] + struct.pack("<H", 22) + end


def _said_to_be_deflated(data: bytes, blob: bytes) -> bytes:
    return _patched(_patched(data, _local(data, blob) + 8, "<H", 8), _central(data, blob) + 10, "<H", 8)


def _on_another_disk(data: bytes, blob: bytes) -> bytes:
    return _patched(data, _central(data, blob) + 34, "<H", 1)


ZIPS = (
    _other_local_name, _other_central_name, _two_names_for_one_place, _longer_in_the_directory, _longer_in_both, _zip64_that_is_not_there,
    _encrypted, _a_link, _a_second_end, _said_to_be_deflated, _on_another_disk,
)  # fmt: skip


@pytest.mark.parametrize("trick", ZIPS, ids=lambda t: t.__name__)
def test_an_archive_that_lies(made: Case, tmp_path: Path, trick: Callable[[bytes, bytes], bytes]) -> None:
    whole = made.archive(tmp_path / "bundle.zip").read_bytes()
    (tmp_path / "lies.zip").write_bytes(trick(whole, f"blobs/{sha256(PAGE)}".encode()))
    done = run(tmp_path / "lies.zip")
    assert (done.returncode, done.stdout) == (USAGE, b"") and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd", "../bundle.json", "blobs/../bundle.json", "blobs\\x", "C:bundle.json", "Bundle.json", "bundle.json ", "bundle.json.", "annex.json/",
        "\uff42undle.json", "bundle\u200b.json", "bundle.json\u202e", "blobs/" + "\uff10" * 64, "README.TXT", "con", "x" * 1100, "a\x1bb",
    ],
)  # fmt: skip
def test_names_that_are_a_path_or_a_twin(made: Case, tmp_path: Path, name: str) -> None:
    made.others = {name: b"x"}
    before = sorted(tmp_path.rglob("*"))
    done = run(made.archive(tmp_path / "bundle.zip"), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (USAGE, b"") and b"\x1b" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "bundle.zip"])


def test_a_bomb_is_not_opened(made: Case, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w") as out:
        out.writestr("bundle.json", made.contents())
        out.writestr("annex.json", b" " * (200 << 20), zipfile.ZIP_DEFLATED)
    began = time.monotonic()
    assert run(tmp_path / "bomb.zip").returncode == USAGE and time.monotonic() - began < 5


def test_what_only_begins_like_a_bundle_is_refused_with_the_way_out(made: Case, tmp_path: Path) -> None:
    """A party's archive whose first member has such a name is no bundle; what it is can be asked for."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.writestr("bundle.json.bak", b"{}")
    done = run(tmp_path / "a.zip")
    assert done.returncode == USAGE and b"--as-exhibit" in done.stderr
    assert run("--as-exhibit", tmp_path / "a.zip").returncode == 2, "INDETERMINATE"


# ── anything anywhere ─────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = (
    None, True, -1, 0, 2**255, "", "\x00", ESCAPE, "../../x", "0" * 64, "f" * 64, [], {}, [[]], [None], {"": None}, "2026-11-22T12:00:00Z",
    "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00Z", "核" * 255, "\u202e", [{}] * 3,
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, v in inner for p in _places(v, (*path, key)))] if path else [p for key, v in inner for p in _places(v, (key,))]


def _with(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(document))
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


@pytest.mark.parametrize("which", ["contents", "verdict", "manifest"])
def test_no_value_anywhere_is_a_fault_of_the_program(made: Case, tmp_path: Path, which: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Member after member of each document, each with a third of the hostile values: never a traceback, an internal error or status 0."""
    from evidence.verification.__main__ import main

    manifest = json.loads((made.pack / "manifest.json").read_bytes())
    document = {"contents": json.loads(made.contents()), "verdict": json.loads(made.verdict), "manifest": manifest}[which]
    places = _places(document)
    chosen = places if which != "verdict" else [p for n, p in enumerate(places) if n % 9 == 0 or len(p) == 1]
    seen = set()
    for n, path in enumerate(chosen):
        for value in HOSTILE[n % 3 :: 3]:
            data = json.dumps(_with(document, path, value), ensure_ascii=True).encode()
            one = Case(made.pack, made.verdict)
            if which == "contents":
                one.contents = lambda data=data: data  # type: ignore[method-assign]
            elif which == "verdict":
                one.blobs = {sha256(data): data}
                one.edit = lambda said, data=data: said["exhibits"][0].update(verdict=sha256(data))
            else:
                one.blobs = {sha256(data): data}
                one.edit = lambda said, data=data: (said["packs"][0].update(manifest=sha256(data)), said["exhibits"][0].update(pack=sha256(data)))
            status = main(["--lang", "en", str(one.archive(tmp_path / "b.zip"))])
            out, err = capfdbinary.readouterr()
            seen.add(status)
            assert status in (OTHERWISE, WITHHELD, UNCHECKED, USAGE) and b"\x1b" not in out + err, (path, value, err)
    assert USAGE in seen
