"""JSON renderings of protobuf messages -> wire bytes, so that every input shape ends in the one strict reader.

Three renderings are read: Go `encoding/json` of generated structs (snake_case names, numbers, base64, enum numbers), protobuf
JSON (lowerCamelCase, 64-bit integers as text, enum names), and `toObject()` of protobuf's JavaScript (repeated fields end in
List, maps in Map and are lists of pairs). Zero values are left out and present-but-empty messages
kept, as the node itself writes them; a member that the table does not list means a newer engine.
Source: protobuf.dev, "ProtoJSON Format"; the Go rendering from real ChainMaker node answers.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from .protobuf import RANGE, Fault, Field, Kind, MessageType, ProtobufError, encode
from .text import CodecError, base64_bytes

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,19}", re.ASCII)


def to_wire(value: Any, of: MessageType, *, path: str | None = None) -> bytes:
    """A JSON object (as `strict_json` reads it) -> protobuf bytes. Raises ProtobufError and nothing else."""
    path = path or of.name
    if not isinstance(value, dict):
        raise ProtobufError("not a JSON object", field=path)
    found: dict[str, Any] = {}
    names = _names(of)
    for name, member in value.items():
        field = names.get(name)
        where = f"{path}.{name[:64]}"
        if field is None:
            raise ProtobufError("unknown member", field=where, fault=Fault.UNKNOWN)
        if field.name in found:
            raise ProtobufError("the same field under two names", field=where)
        if field.is_map and isinstance(member, list) and name == _plural(field):
            member = _pairs(member, where)
        if member is not None:
            found[field.name] = _value(member, field, where)
    return encode(of, found)


def camel(name: str) -> str:
    """`block_height` -> `blockHeight`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


@cache
def _names(of: MessageType) -> Mapping[str, Field]:
    """A field's own names come before what JavaScript would call another."""
    plurals = {_plural(f): f for f in of.fields}
    return plurals | {spelling: f for f in of.fields for spelling in (f.name, camel(f.name))}


def _plural(field: Field) -> str:
    return camel(field.name) + ("Map" if field.is_map else "List" if field.repeated else "")


def _value(member: Any, field: Field, where: str) -> Any:
    if field.is_map:
        return _entries(member, field, where)
    if field.repeated:
        if not isinstance(member, list):
            raise ProtobufError("not a JSON array", field=where)
        return [_single(item, field, f"{where}[{i}]") for i, item in enumerate(member)]
    return _single(member, field, where)


def _entries(member: Any, field: Field, where: str) -> dict[str, bytes | str]:
    if not isinstance(member, dict) or field.message is None:
        raise ProtobufError("not a JSON object", field=where)
    value = field.message.by_number[2]
    return {key: _single(item, value, f"{where}.{key[:64]}") for key, item in member.items()}


def _pairs(member: list[Any], where: str) -> dict[str, Any]:
    """`[[key, value], …]` -> what the same map is as an object."""
    found: dict[str, Any] = {}
    for pair in member:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str) or pair[0] in found:
            raise ProtobufError("not a list of pairs with different keys", field=where)
        found[pair[0]] = pair[1]
    return found


def _single(item: Any, field: Field, where: str) -> Any:
    if field.message is not None:
        return to_wire(item, field.message, path=where)
    if field.kind in RANGE:
        return _number(item, field, where)
    if item is None and field.kind is Kind.BYTES:
        return b""
    if not isinstance(item, str):
        raise ProtobufError("not a JSON string", field=where)
    if field.kind is Kind.STRING:
        return item
    try:
        return base64_bytes(item)
    except CodecError as fault:
        raise ProtobufError(str(fault), field=where) from fault


def _number(item: Any, field: Field, where: str) -> int:
    if isinstance(item, str) and field.names is not None:
        if item not in field.names:
            raise ProtobufError("unknown name", field=where, fault=Fault.UNKNOWN)
        return field.names[item]
    if field.kind is Kind.BOOL:
        if not isinstance(item, bool):
            raise ProtobufError("neither true nor false", field=where)
        return int(item)
    if isinstance(item, str) and _INTEGER.fullmatch(item):
        item = int(item)
    if not isinstance(item, int) or isinstance(item, bool):
        raise ProtobufError("not an integer", field=where)
    low, high = RANGE[field.kind]
    if not low <= item <= high:
        raise ProtobufError("number out of range", field=where)
    return item
