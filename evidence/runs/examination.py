"""The one thing that runs inside the jail: the engine, over files handed in as open descriptors.

Imported by the zygote before any evidence arrives, and therefore importing everything the engine may need.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import evidence.verification
from evidence.verification import Exhibit, TrustStore, verify

# Libraries that formats import when they first need them; loaded here they cost nothing per run.
_HEAVY = (
    "asn1crypto.cms",
    "asn1crypto.ocsp",
    "asn1crypto.tsp",
    "Crypto.Hash.keccak",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.x509",
    "encodings.idna",
    "lzma",
    "zipfile",
)


def examine(files: Sequence[tuple[str, int]], trust_dir: str, at: str) -> bytes:
    """Canonical verdict JSON of `files` (label, descriptor) under the pack in `trust_dir`, as of ISO `at`."""
    trust = TrustStore.load(Path(trust_dir))
    return verify(Exhibit.from_fds(files), trust, datetime.fromisoformat(at)).to_json()


for _module in pkgutil.walk_packages(evidence.verification.__path__, "evidence.verification."):
    if not _module.name.endswith(".__main__"):
        importlib.import_module(_module.name)
for _name in _HEAVY:
    importlib.import_module(_name)
