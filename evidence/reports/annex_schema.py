"""Every annex is checked against its published schema before it is printed: what does not conform is not issued."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from evidence.verification.codecs import strict_json

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schema"
MESSAGE_MAX = 200


class AnnexFault(ValueError):
    """The annex is not of its schema: a fault of the product. The message names the member."""


def validate(annex: bytes) -> None:
    """Raises AnnexFault."""
    for fault in validator().iter_errors(strict_json.loads(annex)):
        raise AnnexFault(f"annex: {'/'.join(map(str, fault.path))}: {fault.message[:MESSAGE_MAX]}")


@cache
def validator() -> Any:
    import jsonschema  # type: ignore[import-untyped]
    from referencing import Registry, Resource

    own, verdict = (json.loads((SCHEMAS / f"{name}.schema.json").read_bytes()) for name in ("report_annex", "verdict"))
    registry: Any = Registry().with_resource(verdict["$id"], Resource.from_contents(verdict))
    return jsonschema.Draft202012Validator(own, registry=registry, format_checker=jsonschema.FormatChecker())
