"""OFD files (GB/T 33190): recognised, so that it is said that the seals in them are not read (GB/T 38540 seals are no CMS).

The file is content like any other: a proof of its bytes handed in beside it counts.
"""

from collections.abc import Sequence

from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..snapshots.container import names_at_a_glance
from ..verdict import Examination, indeterminate

ENUMERATED = "SIG.ENUMERATED"
ENTRY = "OFD.xml"
"""The entry document of the package (GB/T 33190 §7.3)."""


def sniff(source: Source) -> int:
    """A zip archive with the entry document."""
    return 85 if source.head(4) == b"PK\3\4" and ENTRY in names_at_a_glance(source) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    found = [
        indeterminate(ENUMERATED, Reason.UNSUPPORTED_FORMAT, s.name, actual="OFD (GB/T 33190)", notes=("OFD_NOT_READ",)) for s in sources
    ]
    return Examination(findings=tuple(found))
