"""The door of forensic packages 取证包: any zip that is no document, book or program. What is asked of one stands in `hashlist`,
which is imported when there is one."""

import re
from collections.abc import Sequence

from ..exhibit import Source
from ..registry import Context
from ..verdict import Examination
from .container import names_at_a_glance

LIST_NAME = re.compile(
    r"哈希|散列|摘要|校验|指纹|hash|checksum|digest|manifest|sha-?256|sha-?1|md5|sm3", re.IGNORECASE
)
LIST_KIND = re.compile(r"\.(?:txt|csv|tsv|json|xlsx|md5|sha1|sha256|sha512|sm3)$", re.IGNORECASE)
_APPLICATION = {"[Content_Types].xml", "mimetype", "AndroidManifest.xml", "META-INF/MANIFEST.MF"}
"""Members that make a zip a document or a program rather than a package of files."""


def sniff(source: Source) -> int:
    """Any zip that is no office document, book or program; surer when a member is named like a hash list."""
    if not source.head(4).startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return 0
    names = names_at_a_glance(source)
    if any(LIST_NAME.search(n) and LIST_KIND.search(n) for n in names):
        return 45
    return 0 if _APPLICATION & set(names) else 25


def examine(sources: Sequence[Source], context: Context) -> Examination:
    from . import hashlist

    return hashlist.examine(sources, context)
