"""Names inside an archive that mean the same on Windows, macOS and Linux. Never made of what a party wrote.

After Microsoft's "Naming Files, Paths, and Namespaces": no `< > : " / \\ | ? *` or control characters, no name of a device whatever its
ending, no dot or space at the end. NFC, because macOS would take two spellings of one name for one file.
"""

import re
import unicodedata

NAME_MAX = 80
"""Characters; a Han character needs three bytes of the 255 that a file system takes, and Windows 260 for the whole path."""
_UNSAFE = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe(text: str) -> str:
    """
    >>> safe("../HY2026-000001")
    '_HY2026-000001'
    >>> safe("nul.pdf"), safe("报告 "), safe("")
    ('_nul.pdf', '报告', '_')
    """
    plain = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    kept = _UNSAFE.sub("_", plain)[:NAME_MAX].lstrip(". ").rstrip(". ")
    return f"_{kept}" if not kept or _DEVICE.fullmatch(kept) else kept


class Names:
    """Gives each member a name of its own, also where case does not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, folder: str, name: str, ending: str) -> str:
        stem = safe(name)
        for n in range(1, len(self._taken) + 2):
            wanted = f"{folder}{stem}{'' if n == 1 else f'~{n}'}{ending}"
            if wanted.casefold() not in self._taken:
                break
        self._taken.add(wanted.casefold())
        return wanted
