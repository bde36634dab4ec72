"""The house rules, as tests: what every room, format, page and document must keep to.

Each test names the fault it is there for and how to see it fail. The rules on formats and words are those of CONTRIBUTING.md.
"""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from evidence.verification import catalogue
from evidence.verification.registry import FORMATS, Format, Role

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "evidence" / "verification"
IGNORED = {".git", ".venv", "node_modules", "var", "build", "__pycache__"}
"""Directories without house-written files, for a copy of the house that is not a git checkout."""


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the repository, by its path from the root; in a copy without git, every file that is not made."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = listed.stdout.decode().rstrip("\0").split("\0")
    else:
        names = [
            path.relative_to(ROOT).as_posix()
            for path in ROOT.rglob("*")
            if path.is_file() and not IGNORED & set(path.relative_to(ROOT).parts) and path.suffix not in {".pyc", ".mo"}
        ]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def test_the_list_of_files_is_the_house() -> None:
    """Every rule below looks at this list: were it empty, they would all hold."""
    assert {"manage.py", "tests/test_house.py", "evidence/verification/__init__.py"} <= set(tracked())
    assert len(tracked()) > 200


# ── formats: one module, one line in the registry, its tests, its page, its sentences ─────────────────────────────────


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_a_format_has_its_module(fmt: Format) -> None:
    """To see it fail: rename `sniff` in a format's module, or misspell the module in the registry."""
    module = fmt.load()
    for door in ("sniff", "examine"):
        assert callable(getattr(module, door, None)), f"{module.__name__} has no {door}()"


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_a_format_has_its_page(fmt: Format) -> None:
    """And the README leads to it. To see it fail: remove docs/formats/<name>.md."""
    page = ROOT / "docs" / "formats" / f"{fmt.name}.md"
    assert page.is_file(), f"docs/formats/{fmt.name}.md is missing"
    assert len(page.read_text(encoding="utf-8")) > 500, f"{page} says nothing"
    assert f"](docs/formats/{fmt.name}.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_a_format_has_its_tests(fmt: Format) -> None:
    """A file named after the format or its module that defines tests. To see it fail: rename that file."""
    stems = {fmt.name.replace("-", "_"), fmt.module.rpartition(".")[2]}
    files = [
        path
        for path in (ROOT / "tests" / "evidence" / "verification").rglob("test_*.py")
        if any(path.stem.startswith(f"test_{stem}") for stem in stems)
    ]
    assert files, f"no tests/evidence/verification/test_{fmt.name.replace('-', '_')}*.py"
    assert any(re.search(r"^def test_", path.read_text(encoding="utf-8"), re.M) for path in files)


CHECK_ID = re.compile(r"[A-Z][A-Z0-9_]*(\.[A-Z][A-Z0-9_]*)+")


def _module_file(dotted: str) -> Path | None:
    base = ROOT.joinpath(*dotted.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def _read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> Iterator[Path]:
    """Modules of the engine that this one imports."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(_read(path)):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            dotted = ".".join([*above, *([node.module] if node.module else [])])
            for name in (dotted, *(f"{dotted}.{alias.name}" for alias in node.names)):
                if name.startswith("evidence.verification.") and (file := _module_file(name)):
                    yield file


def _ids_said(path: Path) -> set[str]:
    """Check and statement ids written as strings in a module."""
    return {
        node.value
        for node in ast.walk(_read(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CHECK_ID.fullmatch(node.value)
    }


def _notes_said(path: Path) -> set[str]:
    """Note codes given in `notes=`; what follows a colon is the note's own detail."""
    return {
        part.value.partition(":")[0]
        for call in ast.walk(_read(path))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "notes"
        for part in ast.walk(keyword.value)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.match(r"[A-Z][A-Z0-9_]{3,}(:|$)", part.value)
    }


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_a_format_has_its_sentences(fmt: Format) -> None:
    """Every check and note a format can give is in the message catalogue. To see it fail: rename a check in a module."""
    file = _module_file(f"evidence.verification.{fmt.module}")
    assert file is not None, f"{fmt.module} is missing"
    seen, waiting = set[Path](), [file]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(_imports(path))
    ids = set().union(*(_ids_said(path) for path in seen))
    assert fmt.role is Role.SUPPORT or any(i in catalogue.keys("checks") for i in ids), "the format asks no question"
    assert ids <= catalogue.keys("checks") | catalogue.keys("statements")
    assert set().union(*(_notes_said(path) for path in seen)) <= catalogue.keys("notes")


# ── names and sizes ───────────────────────────────────────────────────────────────────────────────────────────────────

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "services", "service", "common", "manager", "managers", "base"}


def test_every_module_is_named_after_what_it_hides() -> None:
    """To see it fail: add cases/utils.py. (Page templates are not modules: base.html may stay.)"""
    bad = [
        name
        for name in tracked()
        if name.endswith(".py") and FORBIDDEN_NAMES & {Path(name).stem, *Path(name).parent.parts}
    ]
    assert bad == []


LINES_MAX = 500
CODE = {".py", ".html", ".js", ".scss", ".css", ".sh"}


def test_no_file_of_code_is_longer_than_500_lines() -> None:
    """A longer one is two nouns. To see it fail: lower LINES_MAX. Migrations are written by Django; there is no other exception."""
    long = {
        name: lines
        for name in tracked()
        if (Path(name).suffix in CODE or name.startswith("deploy/")) and "/migrations/" not in name
        and (lines := (ROOT / name).read_text(encoding="utf-8").count("\n")) > LINES_MAX
    }
    assert long == {}


def _asserts(source: str) -> list[int]:
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]


def test_no_check_can_be_switched_off_by_python_O() -> None:
    """No `assert` where a verdict, an act or a stored object depends on it. To see it fail: add one to portal/vault."""
    assert _asserts("def f(x):\n    assert x\n") == [2]
    rooms = ("evidence/verification/", "portal/ledger/", "portal/vault/")
    found = {
        name: lines
        for name in tracked()
        if name.startswith(rooms) and name.endswith(".py") and (lines := _asserts((ROOT / name).read_text(encoding="utf-8")))
    }
    assert found == {}


# ── words the machine never says ──────────────────────────────────────────────────────────────────────────────────────

PROPERTY = re.compile(r"真实性|\bauthenticity\b", re.I)
"""The legal name of the property: a label in forms, in quoted law and in limits, never in a finding, verdict or summary."""
NEVER_SAID = re.compile(r"真实|属实|伪造|采信|\b(authentic|genuine|genuinely|forged|forgery|fake|faked|admitted)\b", re.I)
NO_LABELS = ("checks", "reasons", "notes")
NO_LABELS_IN = ("VERDICT.", "WORD.", "GRADE.", "STATE.", "OUTCOME.", "TRUST.", "TIME.")


def _said(text: str, *, labels: bool) -> list[str]:
    return [m.group() for m in NEVER_SAID.finditer(PROPERTY.sub("", text) if labels else text)]


def test_the_search_for_words_finds_them() -> None:
    assert _said("该网页内容真实。", labels=True) == ["真实"]
    assert _said("This page is Genuine, not forged.", labels=True) == ["Genuine", "forged"]
    assert _said("对真实性的意见", labels=True) == [] and _said("真实性已确认", labels=False) == ["真实"]
    assert _said("{% if user.is_authenticated %}", labels=True) == []


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)
    elif isinstance(value, str):
        yield value


def test_findings_verdicts_and_summaries_never_say_them() -> None:
    """To see it fail: write 真实 into any sentence of evidence/verification/messages."""
    for section, entries in catalogue._all().items():
        for key, texts in entries.items():
            labels = section not in NO_LABELS and not key.startswith(NO_LABELS_IN)
            for text in _strings(texts):
                assert _said(text, labels=labels) == [], (section, key)


def _sentences_in_code(source: str) -> Iterator[str]:
    """What is handed to gettext."""
    for node in ast.walk(ast.parse(source)):
        name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", ""))
        if isinstance(node, ast.Call) and (name == "_" or "gettext" in name):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def test_pages_reports_and_translations_never_say_them() -> None:
    """To see it fail: write "authentic" into a template, a report template, a `_()` sentence or a catalogue of locale/."""
    for name in tracked():
        text = (ROOT / name).read_text(encoding="utf-8") if Path(name).suffix in {".html", ".txt", ".js", ".po", ".py"} else ""
        if name.startswith(("templates/", "locale/", "portal/frontend/js/")):
            assert _said(text, labels=True) == [], name
        elif name.startswith(("portal/", "cases/", "evidence/")) and name.endswith(".py"):
            assert _said("\n".join(_sentences_in_code(text)), labels=True) == [], name


# ── what the repository must not carry ────────────────────────────────────────────────────────────────────────────────

HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "npm" + "mirror.com", "registry.yarn" + "pkg.com"]
CARRIED = re.compile(
    r"(?<![\w.-])/" + r"work/|/tmp/" + r"team\b|\.\./" + r"shared(?!/vectors)|" + "|".join(re.escape(host) for host in HOSTS)
)
NOT_TEXT = {".png", ".jpg", ".pdf", ".wacz", ".gz", ".ttf", ".woff2", ".der", ".p12", ".zip"}


def test_the_search_for_places_finds_them() -> None:
    assert CARRIED.search("cp /" + "work/main/x") and CARRIED.search("https://" + HOSTS[0] + "/simple")
    assert not CARRIED.search("https://example.org/framework/x") and not CARRIED.search("${MINGJIAN_VECTORS:-../shared/vectors}")


def test_no_file_names_the_place_it_was_written_in_or_a_package_index() -> None:
    """To see it fail: `npm install` without .npmrc, which writes the registry's address into package-lock.json."""
    found = {
        name: match.group()
        for name in tracked()
        if Path(name).suffix not in NOT_TEXT
        and (match := CARRIED.search((ROOT / name).read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}


# ── documents are true ────────────────────────────────────────────────────────────────────────────────────────────────

DOCUMENTS = ("README.md", "README.zh.md", "SECURITY.md", "THREAT_MODEL.md", "CHANGELOG.md", "ERRATA.md", "CONTRIBUTING.md")


def _documents() -> dict[str, str]:
    names = [*DOCUMENTS, *(n for n in tracked() if n.startswith("docs/") and n.endswith(".md"))]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}


def _names_read(source: str) -> set[str]:
    """PORTAL_… names that `env.text("X")`, `env.flag`, `env.number` and `env.words` read."""
    return {
        f"PORTAL_{node.args[0].value}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    """To see it fail: read another name with env.text() in portal/settings, or document one that nobody reads."""
    files = [n for n in tracked() if n.startswith("portal/settings/") and n.endswith(".py")]
    read = set().union(*(_names_read((ROOT / n).read_text(encoding="utf-8")) for n in files))
    assert "PORTAL_DATABASE_URL" in read
    table = set(re.findall(r"^\| `(PORTAL_[A-Z_]+)`", _documents()["docs/install.md"], re.M))
    assert table == read


def _commands(text: str) -> list[str]:
    """Lines of the fenced blocks of a page that start one of our programs."""
    blocks = re.findall(r"^```(?:sh|bash|console|text)?\n(.*?)^```", text, re.M | re.S)
    lines = [re.sub(r"^\$ ", "", line).split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.search(r"(^|\s)(\./)?(deploy/|manage\.py|\S*python3? -m )", line)]


def test_the_commands_in_the_documents_exist() -> None:
    """Programs, management commands and options. To see it fail: write `./deploy/demo2` into README.md."""
    assert {"./deploy/demo", "./deploy/test"} <= set(_commands(_documents()["README.md"]))
    for name, text in _documents().items():
        for line in _commands(text):
            for program in re.findall(r"(?:^|\s)(?:\./)?(deploy/[\w./-]+)", line):
                assert (ROOT / program).is_file(), (name, line)
            for command in re.findall(r"manage\.py (\w+)", line):
                assert command in get_commands(), (name, line)
            for module in re.findall(r"python3? -m ([\w.]+)", line):
                if module.split(".")[0] in {"evidence", "portal", "cases"}:
                    assert _module_file(module), (name, line)


def test_the_offline_verifier_has_the_options_the_documents_show() -> None:
    """To see it fail: rename an option of `python -m evidence.verification`."""
    shown = set()
    for text in _documents().values():
        for line in _commands(text):
            if "evidence.verification " in line:
                shown |= set(re.findall(r"(?<!\w)--[a-z]+", line))
    assert "--trust" in shown
    help_ = subprocess.run(
        [sys.executable, "-m", "evidence.verification", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert shown <= set(re.findall(r"--[a-z]+", help_))


ROOMS = ("portal/", "cases/", "evidence/", "templates/", "tests/", "deploy/", "docs/", "locale/")


def test_the_files_and_tests_the_documents_name_exist() -> None:
    """Paths and `tests/….py::test_…` in backticks, and links. To see it fail: rename a test that THREAT_MODEL.md names."""
    missing = []
    for name, text in _documents().items():
        home = (ROOT / name).parent
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target and not target.startswith("mailto:") and not (home / target).exists():
                missing.append((name, target))
        for path, _, test in re.findall(r"`((?:\./)?[\w][\w./-]*?)(::(\w+))?`", text):
            if not path.removeprefix("./").startswith(ROOMS) or "build/" in path:
                continue
            file = ROOT / path
            if not file.exists() or (test and not re.search(rf"(def|class) {test}\b", file.read_text(encoding="utf-8"))):
                missing.append((name, f"{path}::{test}" if test else path))
    assert missing == []


# ── pages are behind sign-in ──────────────────────────────────────────────────────────────────────────────────────────

PUBLIC = {
    "account_login": "where everybody signs in",
    "account_logout": "ends a session, if there is one",
    "account_signup": "a party opens an account; rights come from the court",
    "account_inactive": "says that an account is closed",
    "demo_sign_in": "the demonstration's door; 404 elsewhere (tested in tests/portal)",
    "set_language": "Chinese or English, kept in a cookie",
    "livez": "the process is alive",
    "readyz": "the portal can work",
    "reports:check_file": "what a file that is shown to the court is; a form to be sent",
    "reports:check_proof": "the ledger's proof for whoever has a signed report's digest; 404 otherwise",
    "reports:check": "number and code, or digest, of a report: in force, superseded or revoked, and nothing else",
}
SAMPLES = {
    "UUIDConverter": "00000000-0000-4000-8000-000000000000",
    "IntConverter": "1",
    "StringConverter": "x",
    "SlugConverter": "x",
    "PathConverter": "x",
}


def _endpoints(resolver: URLResolver, path: str = "/", space: str = "") -> Iterator[tuple[str, str]]:
    """(path with sample values, full name) of every view."""
    for entry in resolver.url_patterns:
        pattern = entry.pattern
        if not isinstance(pattern, RoutePattern):
            raise TypeError(f"{pattern}: written as a regular expression; use path() so that it can be walked")
        samples = {n: SAMPLES[type(c).__name__] for n, c in pattern.converters.items()}
        here = path + re.sub(r"<(?:\w+:)?(\w+)>", lambda m, s=samples: s[m.group(1)], str(pattern))
        if isinstance(entry, URLResolver):
            yield from _endpoints(entry, here, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            yield here, f"{space}{entry.name}"


ENDPOINTS = sorted(_endpoints(get_resolver()))


def test_the_walk_of_pages_finds_them_and_the_public_list_is_not_stale() -> None:
    """To see it fail: name a page in PUBLIC that does not exist."""
    assert "home" in {name for _, name in ENDPOINTS}
    assert set(PUBLIC) <= {name for _, name in ENDPOINTS}


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "name"), [e for e in ENDPOINTS if e[1] not in PUBLIC], ids=lambda v: v)
def test_a_stranger_is_sent_to_sign_in(path: str, name: str) -> None:
    """Redirect to sign-in, 401 for the upload protocol, or the same 404 as for what does not exist.

    To see it fail: take @login_required off any view.
    """
    client = Client(raise_request_exception=False)
    for method in ("get", "head", "post", "put", "patch", "delete", "options"):
        response = getattr(client, method)(path)
        if response.status_code == 302:
            assert response.headers["Location"].startswith(resolve_url("account_login")), (method, response.headers["Location"])
        else:
            assert response.status_code in {401, 404}, (method, response.status_code)


def test_every_room_can_be_imported() -> None:
    """A module nobody imports is still held to working. To see it fail: misspell an import anywhere."""
    for name in tracked():
        if name.startswith(("portal/", "cases/", "evidence/")) and name.endswith(".py") and "/migrations/" not in name:
            dotted = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            if not dotted.endswith(("__main__", "zygote", "fonts")):
                importlib.import_module(dotted)
