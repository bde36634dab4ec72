"""The engine on a command line, for anyone who wants to check a result without asking the court or the platform.

    python -m evidence.verification [--trust DIR|none [--trust-key FILE]] [--at ISO-8601] [--json] [--lang zh|en] FILE…
    python -m evidence.verification [--digest HEX] [--trust DIR] [--trust-key FILE] [--json] [--lang zh|en] BUNDLE.zip [FILE…]

FILE… are the files of one exhibit, or one folder that holds them. Exit status: 0 CONSISTENT, 1 INCONSISTENT,
2 INDETERMINATE, 64 usage (also: files or trust store that cannot be read), 70 internal error.

A re-verification bundle (`bundle`) in the first place repeats every result in it; FILE… are then files that it holds only as digests.
Exit status: 0 all repeated, 1 some came out otherwise, 2 some could not be repeated, 3 all repeated but under a trust store that came
with the bundle and that neither --digest, --trust-key nor --trust vouches for. With --as-exhibit it is a file like any other.

Opens no socket. The clock is read here and nowhere else, when --at is left out; the moment used is printed, and giving it
back with --at gives the same bytes. The environment is looked at for the language of the text alone.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from . import Exhibit, ExhibitError, Source, TrustError, TrustStore, Verdict, bundle, pack_signature, verify
from .exhibit import FILES_MAX
from .trust import SHIPPED
from .verdict import Overall

USAGE, INTERNAL = 64, 70
"""EX_USAGE and EX_SOFTWARE of sysexits.h."""
STATUS = {Overall.CONSISTENT: 0, Overall.INCONSISTENT: 1, Overall.INDETERMINATE: 2}
UNCHECKED = 3
"""Of a bundle: everything was repeated, but whoever made the bundle chose what is trusted."""


class _Refused(Exception):
    """The command cannot be carried out as given."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Refused(message)


def main(arguments: Sequence[str]) -> int:
    try:
        options = _parser().parse_args(arguments)
        if not options.as_exhibit and bundle.is_bundle(options.files[0]):
            return _repeat(options)
        if options.digest is not None:
            raise _Refused("--digest goes with a re-verification bundle")
        verdict = _verify(options)
        _write(verdict.to_json() + b"\n" if options.json else _text(verdict, options.lang).encode())
    except _Refused as fault:
        _warn(str(fault))
        return USAGE
    except Exception as fault:  # a fault of the program is said as such and never looks like a result
        _warn(f"internal error: {type(fault).__name__}: {fault}")
        return INTERNAL
    return STATUS[verdict.overall]


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m evidence.verification",
        description="Verify one exhibit against a trust store, offline.",
        epilog="exit status: 0 CONSISTENT, 1 INCONSISTENT, 2 INDETERMINATE, 64 usage, 70 internal error; of a bundle: 0 repeated, "
        "1 otherwise, 2 files missing, 3 repeated under a trust store that nobody checked",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of one exhibit, or one folder")
    parser.add_argument(
        "--trust", metavar="DIR|none", help="trust store to use; default: the one shipped with the product"
    )
    parser.add_argument(
        "--trust-key", type=Path, metavar="FILE", help="the trust store must be signed by a key in this file (the court's pack.vkey)"
    )
    parser.add_argument("--digest", metavar="HEX", help="SHA-256 of the bundle (of its bundle.json) as printed in the report; refuse another bundle")
    parser.add_argument("--as-exhibit", action="store_true", help="verify a re-verification bundle as a file, do not repeat what is in it")
    parser.add_argument("--at", metavar="ISO-8601", help="moment to verify for, with time zone; default: now")
    parser.add_argument("--json", action="store_true", help="print one canonical JSON object")
    parser.add_argument("--lang", choices=("zh", "en"), help="language of the text; default: that of the system")
    return parser


def _verify(options: argparse.Namespace) -> Verdict:
    at = _moment(options.at)
    trust = _trust(options.trust, options.trust_key)
    try:
        exhibit = Exhibit.of([Source.from_path(path, name=name) for path, name in _named(options.files)])
    except OSError as fault:
        raise _Refused(f"{fault.filename}: {fault.strerror}") from fault
    except ExhibitError as fault:
        raise _Refused(str(fault)) from fault
    try:
        return verify(exhibit, trust, at)
    finally:
        exhibit.close()


def _repeat(options: argparse.Namespace) -> int:
    """Every result of a bundle again."""
    if options.at is not None:
        raise _Refused("--at: the moments stand in the bundle")
    own = None if options.trust is None else _trust(options.trust, options.trust_key)
    given, *files = options.files
    try:
        by = () if options.trust_key is None or own else pack_signature.keys(_line(options.trust_key))
        beside = {_sha256(path): path for path, _name in _named(files, most=bundle.BESIDE_MAX)} if files else {}
        with bundle.opened(given) as opened:
            named = options.digest is not None
            if named and options.digest.lower() != opened.sha256:
                raise bundle.BundleError(f"its digest is {opened.sha256}, not the one given with --digest")
            checked = "OWN_TRUST" if own else "SIGNED" if by else "NAMED" if named else "UNSIGNED"
            stores = {digest: own or opened.trust(digest, by=by) for digest in sorted({i.pack for i in opened.items})}
            repeated = [opened.repeat(i, stores[i.pack], beside=beside) for i in opened.items]
            if options.json:
                _write(b"".join(r.verdict + b"\n" for r in repeated if r.verdict))
            else:
                from .bundle_printout import render

                language = options.lang or _system_language()
                _write(render(opened, repeated, stores, named=named, checked=checked, language=language).encode())
    except OSError as fault:
        raise _Refused(f"{fault.filename}: {fault.strerror}") from fault
    except (bundle.BundleError, ExhibitError, TrustError) as fault:
        raise _Refused(f"{given}: {fault}") from fault
    if checked == "UNSIGNED":
        _warn("nobody checked whose trust store came with the bundle; give --digest from the report, or --trust-key")
    outcomes = {r.outcome for r in repeated}
    if bundle.Repeat.OTHER in outcomes:
        return 1
    if bundle.Repeat.WITHHELD in outcomes:
        return 2
    return UNCHECKED if checked == "UNSIGNED" else 0


def _sha256(path: Path) -> str:
    source = Source.from_path(path)
    try:
        return source.sha256
    finally:
        source.close()


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise _Refused(f"--at {text}: a time zone is needed, for example {text}Z")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise _Refused(f"--at {text}: not ISO 8601, or outside the calendar") from fault


def _trust(choice: str | None, key: Path | None) -> TrustStore:
    if key is not None and choice in (None, "none"):
        raise _Refused("--trust-key goes with --trust DIR")
    if choice == "none":
        return TrustStore.empty()
    try:
        directory = SHIPPED if choice is None else Path(choice)
        if key is not None:
            pack_signature.check_directory(directory, by=pack_signature.keys(_line(key)))
        return TrustStore.load(directory)
    except TrustError as fault:
        raise _Refused(f"trust store: {fault}") from fault


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise _Refused(f"{file}: no verifying key can be read from it") from fault


def _named(given: Sequence[Path], *, most: int = FILES_MAX) -> list[tuple[Path, str]]:
    """(path, label) of every file; a folder stands for the files below it, at most `most`, labelled by their place in it."""
    if len(given) == 1 and given[0].is_dir():
        folder = given[0]
        found: list[tuple[Path, str]] = []
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                raise _Refused(f"{path}: a link; copy the file itself into the folder")
            if path.is_file():
                found.append((path, path.relative_to(folder).as_posix()))
            if len(found) > most:
                raise _Refused(f"{folder}: more than {most} files")
        if not found:
            raise _Refused(f"{folder}: no files")
        return found
    for path in given:
        if not path.is_file():
            raise _Refused(f"{path}: {'a folder beside other files' if path.is_dir() else 'no such file'}")
    return [(path, path.name) for path in given]


def _text(verdict: Verdict, language: str | None) -> str:
    from .printout import render

    return render(verdict, language or _system_language())


def _system_language() -> str:
    """By the first of LC_ALL, LC_MESSAGES and LANG that is set (POSIX), whether or not that locale is installed."""
    chosen = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def _warn(text: str) -> None:
    """To a terminal: names in the message may be anybody's."""
    from .printout import escaped

    print(f"evidence.verification: {escaped(text)}", file=sys.stderr)


def _write(data: bytes) -> None:
    """UTF-8 whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
