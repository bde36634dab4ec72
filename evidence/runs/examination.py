"""The one thing that runs inside the jail: the engine, over files handed in as open descriptors.

Imported by the zygote before any evidence arrives. What the engine imports only when a format needs it is imported
here, once, by name and by letting the engine run on its own known answers and read its own anchor pack. A family whose
known answers fail is not examined: its runs say so, and so does the start-up check.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import evidence.verification
from evidence.runs import telling
from evidence.verification import Exhibit, Source, TrustStore, progress, selftest, verify

# What the formats import inside functions (a late import costs a child up to 20 ms); anything forgotten is only slow.
_HEAVY = (
    "_strptime",
    "asn1crypto.cms",
    "asn1crypto.ocsp",
    "asn1crypto.tsp",
    "Crypto.Hash.RIPEMD160",
    "Crypto.Hash.keccak",
    "cryptography.hazmat.backends.openssl.backend",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "encodings.cp1252",
    "encodings.gb18030",
    "encodings.idna",
    "encodings.unicode_escape",
    "encodings.utf_8_sig",
    "lzma",
    "pypdfium2_raw",
    "zipfile",
)


def examine(files: Sequence[tuple[str, int]], trust_dir: str, at: str) -> bytes:
    """Canonical verdict JSON of `files` (label, descriptor) under the pack in `trust_dir`, as of ISO `at`."""
    trust = TrustStore.load(Path(trust_dir))
    sources = [Source(name, fd) for name, fd in files]
    numbers = {id(source): number for number, source in enumerate(sources)}
    teller = telling.Teller()

    def heard(step: progress.Step, source: object, offset: int) -> None:
        if (number := numbers.get(id(source))) is not None:  # not what a file was taken apart into
            teller.tell(step, number, offset)

    with progress.heard(heard):
        return verify(Exhibit.of(sources), trust, datetime.fromisoformat(at)).to_json()


def _prepare() -> None:
    for module in pkgutil.walk_packages(evidence.verification.__path__, "evidence.verification."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    for name in _HEAVY:
        importlib.import_module(name)
    selftest.run()
    TrustStore.load(Path(evidence.verification.__path__[0], "anchors"))


_prepare()
