"""Every annex is checked against its published schema before it is printed: what does not conform is not issued."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schema"
MESSAGE_MAX = 200


class AnnexFault(ValueError):
    """The annex is not of its schema: a fault of the product. The message names the member."""


def validate(annex: Mapping[str, Any]) -> None:
    """Raises AnnexFault."""
    for fault in validator().iter_errors(annex):
        raise AnnexFault(f"annex: {'/'.join(map(str, fault.instance_path))}: {fault.message[:MESSAGE_MAX]}")


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    own, verdict = (json.loads((SCHEMAS / f"{name}.schema.json").read_bytes()) for name in ("report_annex", "verdict"))
    # No reference is ever fetched: what is not in the registry does not resolve.
    registry = jsonschema_rs.Registry([(verdict["$id"], verdict)])
    return jsonschema_rs.Draft202012Validator(own, registry=registry, validate_formats=True)
