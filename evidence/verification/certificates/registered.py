"""CERT.HOST and CERT.REGISTRY: are the platform and the hosts of its addresses in the court's register? Nothing is ever opened.

A host counts when it equals a registered one letter by letter. One that only looks like it (Cyrillic а, capital I for l,
rn for m, a hyphen for a dot) is named together with the one it resembles.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import Platform
from ..verdict import Bearing, Finding, indeterminate, passed
from .addresses import host_of
from .claim import Claim
from .shown import shown

HOST, REGISTRY = "CERT.HOST", "CERT.REGISTRY"

STALE_AFTER = timedelta(days=180)
"""An entry of the register counts as current for half a year after it was last checked."""
HOSTS_SHOWN = 12

_ALIKE = str.maketrans(
    {
        # Cyrillic and Greek letters that are drawn as Latin ones, and figures that are read as letters (Unicode UTS #39).
        "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ѕ": "s", "ј": "j", "ԁ": "d",
        "һ": "h", "ԛ": "q", "ԝ": "w", "ɡ": "g", "ɩ": "i", "ӏ": "l", "к": "k", "т": "t", "п": "n", "ν": "v", "ο": "o",
        "α": "a", "ρ": "p", "τ": "t", "υ": "u", "ι": "i", "κ": "k", "0": "o", "1": "l", "5": "s", "-": ".", "_": ".",
        "。": ".", "．": ".", "｡": ".", "·": ".",
    }
)  # fmt: skip


def findings(claim: Claim, addresses: Sequence[str], source: Source, context: Context) -> Iterator[Finding]:
    if addresses:
        yield _hosts(claim, addresses, source, context.trust.platforms)
    if claim.platform is not None:
        yield _platform(claim.platform, source, context)


def _hosts(
    claim: Claim, addresses: Sequence[str], source: Source, platforms: Sequence[Platform]
) -> Finding:
    registered = {h.lower(): p.id for p in platforms for h in p.hosts}
    strange = next((a for a in addresses if host_of(a) not in registered), None)
    if strange is not None:
        host = host_of(strange) or ""
        below = any(host.endswith(f".{h}") for h in registered)
        alike = None if below else like(strange, registered)
        notes = (f"LOOKALIKE_HOST:{shown(alike)}",) if alike else ()
        reason = Reason.CERT_HOST_MISMATCH if registered else Reason.PLATFORM_NOT_IN_POLICY
        return indeterminate(
            HOST, reason, source.name, actual=shown(strange), notes=notes, bearing=Bearing.ADVISORY
        )
    others = dict.fromkeys(p for h in claim.hosts if (p := registered.get(h)) and p != claim.platform)
    notes = (f"HOST_OF_OTHER_PLATFORM:{shown(', '.join(others))}",) if claim.platform and others else ()
    hosts = ", ".join(claim.hosts[:HOSTS_SHOWN])
    return passed(HOST, source.name, actual=hosts, notes=notes, bearing=Bearing.ADVISORY)


def _platform(platform_id: str, source: Source, context: Context) -> Finding:
    """An entry that nobody has looked at for half a year is said to be old; it is not dropped."""
    entry = context.trust.platform(platform_id)
    if entry is None:
        reason = Reason.PLATFORM_NOT_IN_POLICY
        return indeterminate(REGISTRY, reason, source.name, actual=platform_id, bearing=Bearing.ADVISORY)
    checked = _day(entry.checked_on)
    notes: tuple[str, ...] = ()
    if checked is None:
        notes = ("REGISTRY_UNDATED",)
    elif context.at.date() - checked > STALE_AFTER:
        notes = (f"REGISTRY_STALE:{checked.isoformat()}",)
    actual = " · ".join(t for t in (entry.operator, entry.registration) if t)
    return passed(
        REGISTRY, source.name, expected=platform_id, actual=actual, notes=notes, bearing=Bearing.ADVISORY
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def like(address: str, hosts: Sequence[str] | dict[str, str]) -> str | None:
    """The registered host that an address is made to look like: the same letters to the eye, or as a part of a longer name."""
    drawn = skeleton(_authority(address))
    for host in sorted(hosts):
        same = skeleton(host)
        if drawn == same or drawn.startswith(f"{same}.") or drawn.endswith(f".{same}") or f"{same}@" in drawn:
            return host
    return None


def _authority(address: str) -> str:
    """Whatever stands where the host is, however it is written: for looking at, never for opening."""
    rest = address[:512].partition("://")[2] or address[:512].partition(":")[2]
    for end in "/?#\\":
        rest = rest.partition(end)[0] if "@" not in rest.partition(end)[2] else rest
    return rest


def skeleton(host: str) -> str:
    """What a host looks like: labels in punycode decoded, letters that are drawn alike made one."""
    labels = []
    for label in host.split("."):
        if label.lower().startswith("xn--"):
            try:
                label = label[4:].encode("ascii").decode("punycode")
            except (UnicodeError, ValueError):
                labels.append(label)
                continue
        labels.append(label)
    # Capital I is read as l before letters lose their case.
    text = ".".join(labels).replace("I", "l")
    folded = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(c for c in folded if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return text.translate(_ALIKE).replace("rn", "m").replace("vv", "w").replace("i", "l")
