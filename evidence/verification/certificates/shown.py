"""How a text of the party's is printed in a finding."""

TEXT_MAX = 256
"""Characters of a member that is kept: ids are under 130."""


def shown(text: str) -> str:
    """A text of the party's, short and without anything that could act where it is printed."""
    safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:TEXT_MAX])
    return safe if len(text) <= TEXT_MAX else safe + "…"
