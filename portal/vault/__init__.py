"""The evidence store: bytes addressed by their SHA-256 on a local disk, written once and never again.

Layout below the root::

    sha256/ab/cd/abcd…      one object per digest, mode 0440, never overwritten, never removed here
    incoming/               files being written; a crash leaves some behind, `Vault.sweep` removes them
    staging/<id>.part       resumable uploads in progress (`Vault.staging`)

Write protocol (after Sunlight's internal/durable): a new file opened O_EXCL 0440 → write and hash in one
pass → fsync(file) → link() to its digest's path → fsync(directory, and every parent this process has not
yet made durable) → unlink(new file). Only then does the caller learn the digest, and only then may it
write its row. A crash, a full disk or an I/O error at any of these calls leaves no object, or a whole one
nobody was told about.

No Django here: the worker, the command line and the backup tool all open the same store. A package rather
than one file because objects and uploads in progress are two nouns over the same few durable disk operations.
"""

from portal.vault.disk import (
    Busy,
    Damaged,
    DigestMismatch,
    Missing,
    OffsetConflict,
    Readable,
    Sealed,
    Stored,
    StoreFull,
    TooLarge,
    VaultError,
)
from portal.vault.objects import Vault
from portal.vault.staging import Staging

__all__ = [
    "Busy",
    "Damaged",
    "DigestMismatch",
    "Missing",
    "OffsetConflict",
    "Readable",
    "Sealed",
    "Staging",
    "StoreFull",
    "Stored",
    "TooLarge",
    "Vault",
    "VaultError",
]
