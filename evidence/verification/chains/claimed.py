"""What a proof package says beside the node's answers of FISCO BCOS: data, compared with them and with the court's profile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import digests
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, failed, indeterminate, passed
from .ladder import LEDGER_KIND
from .location import Place
from .sealers import Suite, suite_of


@dataclass(frozen=True, slots=True)
class Claimed:
    """None where nothing was said, as for bare answers."""

    chain_id: str | None = None
    group_id: str | None = None
    genesis_hash: bytes | None = None
    tx_hashes: tuple[bytes, ...] | None = None
    receipt_hashes: tuple[bytes, ...] | None = None
    hash: str | None = None
    """A name of `digests.LENGTH`."""
    signature: str | None = None
    pre_images: tuple[tuple[bytes, bytes], ...] = ()
    """(digest of a file, bytes that hold it and whose own digest the contract stores)."""
    engine: str | None = None
    """Version of the node."""
    raw_tx: bytes | None = None
    """A signed Ethereum transaction, as it was submitted."""


def recognised(
    claimed: Claimed,
    *,
    subject: str,
    chain_id: str | None,
    group_id: str | None,
    suite: Suite | None,
    genesis: bytes | None,
    profile: ChainProfile | None,
    notes: tuple[str, ...],
) -> Finding:
    """Step 0: the family is read; does the court know this chain, and is it the chain that the exhibit says?

    chain_id, group_id   as the transaction says; None when it does not
    suite                None while it is not known
    genesis              hash of the first block, where that is the block at hand
    """
    said = f"{chain_id or '–'} / {group_id or '–'}"
    for name, found, in_package in (
        ("chain_id", chain_id, claimed.chain_id),
        ("group_id", group_id, claimed.group_id),
        ("hash", suite.hash if suite else None, claimed.hash),
        ("signature", suite.signature if suite else None, claimed.signature),
    ):
        if found is not None and in_package is not None and found != in_package:
            expected, actual = f"{name} {found}", f"{name} {in_package}"
            return failed(LEDGER_KIND, Reason.CERT_FIELDS_CONFLICT, subject, expected=expected, actual=actual)
    if profile is None:
        return indeterminate(LEDGER_KIND, Reason.ANCHOR_UNTRUSTED, subject, actual=said, notes=notes)
    if suite_of(profile) is None:
        algorithms = f"{profile.hash} {profile.signature}"
        return indeterminate(LEDGER_KIND, Reason.UNSUPPORTED_FORMAT, subject, actual=algorithms)
    first = genesis or claimed.genesis_hash
    if profile.genesis_hash and first and profile.genesis_hash != first:
        expected, actual = profile.genesis_hash.hex(), first.hex()
        return failed(LEDGER_KIND, Reason.ANCHOR_MISMATCH, subject, expected=expected, actual=actual)
    return passed(LEDGER_KIND, subject, expected=profile.id, actual=said, notes=notes)


def opened(place: Place, pre_images: Sequence[tuple[bytes, bytes]]) -> Place:
    """A stored value that is the digest of a supplied pre-image stands for the file digest which the pre-image holds."""
    for digest, pre_image in pre_images:
        if digest not in pre_image and digest.hex().encode() not in pre_image.lower():
            continue
        for algorithm in (*digests.STRONG, "KECCAK-256"):
            stored = digests.digest(algorithm, pre_image)
            if place.value == stored:
                return replace(place, value=digest)
            if place.value.lower().removeprefix(b"0x") == stored.hex().encode():
                return replace(place, value=digest.hex().encode())
    return place
