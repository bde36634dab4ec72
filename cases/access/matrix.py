"""The permission table role × action × predicate (`permission_matrix.json`, normative): default deny."""

import json
from functools import cache
from pathlib import Path

from .predicates import PREDICATES


class Table:
    """`cell(role, action)` -> "Y", "P:<predicate>" or None (deny)."""

    def __init__(self, data: dict[str, object]) -> None:
        if data["default"] != "deny":
            raise ValueError("the permission table must deny by default")
        self.roles: dict[str, str] = data["roles"]  # type: ignore[assignment]
        self.actions: dict[str, dict[str, dict[str, str]]] = data["actions"]  # type: ignore[assignment]

    def cell(self, role: str, action: str) -> str | None:
        return self.actions[action]["cells"].get(role)

    def roles_for(self, action: str) -> dict[str, str]:
        """Role -> cell, for the roles that may at all; cells whose predicate is not written are left out."""
        return {
            role: cell
            for role, cell in self.actions[action]["cells"].items()
            if cell == "Y" or cell.removeprefix("P:") in PREDICATES
        }


@cache
def table() -> Table:
    return Table(json.loads(Path(__file__).with_name("permission_matrix.json").read_bytes()))
