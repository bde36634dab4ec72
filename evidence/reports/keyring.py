"""The keys that sign a report: the court's e-seal and the personal keys of its staff, each a file or a key in a token.

In the signing directory, for the e-seal under the name `seal`, for a person under `people/<user name>`:

    NAME.p12 + NAME.passphrase      PKCS#12, with its chain
    NAME.pkcs11.json                a key that never leaves its token (PKCS#11): {"module": "/path/to/library.so",
                                    "token": label, "certificate": label, "key": label, "pin_file": file beside this one,
                                    "chain": file of PEM certificates beside this one (optional)}

    seal-sm2.key + seal-sm2.pem     the court's second e-seal, on SM2 (GM/T 0003): private key (PEM, no passphrase), and its
                                    certificate with those above it (PEM, its own first)

A person without a file signs nothing. Whose certificate a personal key must have is told by the public folder `people-certs/`
(<user name>.pem, and <user name>.<anything>.pem for former ones); those of the e-seal are in `seals/`.

Each key is opened once for a process and kept: a session with a token costs more to open than to sign with.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from evidence.verification.keys.x509 import Purpose

from . import anchors, lasting
from .anchors import certificates
from .checking import CLERK, JUDGE, SEAL, SM2_SEAL

USER_NAME = re.compile(r"[\w@+-][\w@.+-]*")
"""No folder, no hidden file: a user name becomes a file name here."""
CONFIGURED = {"module", "token", "certificate", "key", "pin_file"}
SUFFIXES = (".p12", ".passphrase", ".pkcs11.json")


class SigningError(RuntimeError):
    """The report was not signed: key, time-stamp or certificate. It stays unsigned; nothing is issued."""


class WrongPin(SigningError):
    """The token refused its PIN, which counts against its limit. `mark` names the key and the files that say its PIN, as they are."""

    def __init__(self, said: str, mark: str) -> None:
        super().__init__(said)
        self.mark = mark


@dataclass(frozen=True, slots=True)
class Hand:
    """One key that will sign: in which field, in whose name."""

    field: str
    name: str
    signer: Any


def hands(keys: Path, *, clerk: str | None, judge: str | None) -> list[Hand]:
    """In the order of signing. The e-seal must be there, its SM2 twin may; of the two persons (user names) whoever has a key on file."""
    found = [Hand(SEAL, "", opened(keys, "seal", "the e-seal key"))]
    if has_sm2_seal(keys):
        found.append(Hand(SM2_SEAL, "", _sm2(keys)))
    for field, person in ((CLERK, clerk), (JUDGE, judge)):
        if person is not None and has_key(keys, person):
            signer = opened(keys, f"people/{person}", f"the key of {person}")
            _must_be_theirs(keys, person, signer)
            found.append(Hand(field, _common_name(signer.signing_cert), signer))
    return found


def marks(keys: Path, *, clerk: str | None, judge: str | None) -> list[str]:
    """Of the keys in tokens that `hands` would open: see `WrongPin`."""
    names = ["seal", *(f"people/{person}" for person in (clerk, judge) if person is not None and has_key(keys, person))]
    return [_mark(keys / f"{name}.pkcs11.json") for name in names if (keys / f"{name}.pkcs11.json").exists()]


def _mark(file: Path) -> str:
    try:
        pin = file.parent / json.loads(file.read_text(encoding="utf-8"))["pin_file"]
    except (OSError, ValueError, KeyError, TypeError):
        return file.name  # says nothing of a PIN, and so none is tried
    return f"{file.parent.name}/{file.name} {version(file)} {version(pin)}"


def has_sm2_seal(keys: Path) -> bool:
    """True when the court holds an SM2 seal: `seal-sm2.key` and `seal-sm2.pem` are in the signing directory.

    For whoever renders a report: then, and only then, the document has one more empty signature field, `checking.SM2_SEAL`
    ("CourtSealSM2"), made like the others (a tiny field beside CourtSeal is enough). `signing.seal` fills it, second after
    CourtSeal; it refuses a document that has the field without the key, or the key without the field.
    """
    return (keys / "seal-sm2.key").exists() and (keys / "seal-sm2.pem").exists()


def has_key(keys: Path, person: str) -> bool:
    if not USER_NAME.fullmatch(person):
        return False
    return any((keys / "people" / f"{person}{suffix}").exists() for suffix in (".p12", ".pkcs11.json"))


def opened(keys: Path, name: str, what: str) -> Any:
    """pyHanko's signer for a key; SigningError in words for the operator. `what` begins the sentence."""
    try:
        return _opened(keys, name, tuple(version(keys / f"{name}{suffix}") for suffix in SUFFIXES), what)
    except OSError as fault:
        raise SigningError(f"{what} cannot be opened: {fault}") from fault


def close() -> None:
    """Forget every open key, so that the next signature opens it anew (a token that was pulled out and put back)."""
    _opened.cache_clear()


def shown_not_revoked(signer: Any, keys: Path, what: str, *, at: datetime | None = None) -> bool:
    """True when the certificate is good at `at` (now when left out); False when only the revocation data is missing or out of date.

    SigningError when it is expired, not yet valid, revoked (by any list on file, however old) or leads to no anchor.
    """
    certificate, now = signer.signing_cert, at or datetime.now(UTC)
    if certificate.not_valid_after < now:
        raise SigningError(f"{what}: the certificate expired on {certificate.not_valid_after:%Y-%m-%d}")
    if certificate.not_valid_before > now:
        raise SigningError(f"{what}: the certificate is not valid before {certificate.not_valid_before:%Y-%m-%d}")
    court, leaf = anchors.read(keys), certificate.dump()
    if since := lasting.revoked(leaf, court.lists, at=now):
        raise SigningError(f"{what}: the certificate is revoked since {since:%Y-%m-%d %H:%M} UTC")
    others = [c.dump() for c in signer.cert_registry]
    for complete in (False, True):
        found = lasting.judged(leaf, others, lasting.Bench(court, lasting.Store(), now, needs_lists=complete), purpose=Purpose.SEAL, at=now)
        if found.fault and not complete:
            raise SigningError(f"{what}: the certificate leads to no anchor in roots/: {found.fault}")
    return not found.fault


def _sm2(keys: Path) -> Any:
    from . import sm2_seal

    try:
        return sm2_seal.opened(keys / "seal-sm2.key", keys / "seal-sm2.pem")
    except (OSError, ValueError) as fault:
        raise SigningError(f"the SM2 e-seal key cannot be opened: {fault}") from fault


def _must_be_theirs(keys: Path, person: str, signer: Any) -> None:
    """The one file of that name: user names may hold dots, and a key whose certificate is a former one signs nothing new."""
    file = keys / "people-certs" / f"{person}.pem"
    theirs = {certificate.dump() for certificate in certificates(file)} if file.exists() else set()
    if signer.signing_cert.dump() not in theirs:
        raise SigningError(f"the key of {person} does not belong to a certificate in people-certs/{person}.pem")


def _common_name(certificate: Any) -> str:
    found = certificate.subject.native.get("common_name", "")
    return str(found if isinstance(found, str) else found[0])


def version(file: Path) -> tuple[int, int] | None:
    """Changes when the file does."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=32)
def _opened(keys: Path, name: str, versions: tuple[tuple[int, int] | None, ...], what: str) -> Any:
    if (keys / f"{name}.pkcs11.json").exists():
        return _in_token(keys / f"{name}.pkcs11.json", keys, what)
    if not (keys / f"{name}.p12").exists():
        raise SigningError(f"there is no file for {what}: {keys / name}.p12")
    return pkcs12(keys, name, what)


def pkcs12(keys: Path, name: str, what: str) -> Any:
    from pyhanko.sign import signers

    read: Any = signers.SimpleSigner.load_pkcs12
    found = read(keys / f"{name}.p12", passphrase=(keys / f"{name}.passphrase").read_bytes())
    if found is None:  # the library answers a wrong passphrase with None
        raise SigningError(f"{what} cannot be opened (wrong passphrase, or not a PKCS#12 file)")
    return found


def _in_token(file: Path, keys: Path, what: str) -> Any:
    from pyhanko.config.pkcs11 import PKCS11SignatureConfig, TokenCriteria
    from pyhanko.sign.pkcs11 import PKCS11SigningContext

    try:
        asked = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(asked, dict) or not set(asked) >= CONFIGURED or not set(asked) <= CONFIGURED | {"chain"}:
            raise ValueError(f"needs {', '.join(sorted(CONFIGURED))}, may have chain")
        if not all(isinstance(value, str) and value for value in asked.values()):
            raise ValueError("every value is a text")
    except ValueError as fault:
        raise SigningError(f"{what}: {file.name} is not as docs/install.md says: {fault}") from fault
    chain = certificates(file.parent / asked["chain"]) if "chain" in asked else []
    session = PKCS11SigningContext(
        PKCS11SignatureConfig(
            module_path=asked["module"],
            token_criteria=TokenCriteria(label=asked["token"]),
            cert_label=asked["certificate"],
            key_label=asked["key"],
            user_pin=(file.parent / asked["pin_file"]).read_text(encoding="utf-8").strip(),
            # With the roots a revocation list that a root signed can be checked from the file alone, years later.
            other_certs=[*chain, *certificates(*sorted((keys / "roots").glob("*.pem")))],
            # The token signs a digest: SoftHSM 2.6 and many cards have no mechanism that hashes as well.
            raw_mechanism=True,
        )
    )
    try:
        signer: Any = session.__enter__()  # stays open with the process
        if signer.signing_cert is None:
            raise SigningError(f"{what}: the token has no certificate “{asked['certificate']}”")
        signer._load_objects()  # the key as well: a label that is wrong shows here, not in the middle of a report
    except SigningError:
        raise
    except Exception as fault:  # each library of a token has faults of its own; none of them is a key
        said = f"{what} cannot be opened in its token: {_plainly(fault)}"
        raise (WrongPin(said, _mark(file)) if "wrong PIN" in said else SigningError(said)) from fault
    return signer


def _plainly(fault: BaseException) -> str:
    """PinIncorrect, NoSuchToken …: the library's own errors often have a name and no text."""
    said = " · ".join(f"{type(f).__name__} {f}".strip() for f in (fault, fault.__cause__) if f is not None)
    return f"wrong PIN ({said})" if "Pin" in said else said
