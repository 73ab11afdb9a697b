"""The seam to serialization: msgspec natively; dataclasses and Pydantic models through its hooks."""

from typing import Any, Generic, TypeVar, cast

import msgspec

from shoal.errors import DeclarationError
from shoal.service.settings import Secret

T = TypeVar("T")

REF = "#/components/schemas/{name}"
"""Where generated schemas refer to each other."""


class Malformed(ValueError):
    """A body is not what its type asks for; the text says where, as a JSON path."""


class Codec(Generic[T]):
    """Reads and writes one type as JSON and as plain values. Safe to share between tasks."""

    __slots__ = ("_decoder", "kind", "read")

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        try:
            self._decoder = msgspec.json.Decoder(kind, dec_hook=_dec_hook)
        except (TypeError, ValueError) as error:
            raise DeclarationError(
                f"{kind!r} cannot be read from JSON: {error}",
                hint="use msgspec structs, dataclasses, Pydantic models and standard types",
            ) from error
        self.read = self._decoder.decode
        """The bare decoder, for hot paths; raises `msgspec.MsgspecError`."""

    def decode(self, body: bytes) -> T:
        """Read JSON, or raise `Malformed`."""
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(str(error)) from error

    def from_plain(self, value: object) -> T:
        """Read plain Python values, or raise `Malformed`."""
        return from_plain(value, self.kind)


def from_plain(value: object, kind: type[T], *, strict: bool = True) -> T:
    """Read plain Python values as `kind`, or raise `Malformed`; not `strict` also reads texts as numbers."""
    try:
        return msgspec.convert(value, kind, strict=strict, dec_hook=_dec_hook)
    except msgspec.MsgspecError as error:
        raise Malformed(str(error)) from error


def _is_pydantic(kind: object) -> bool:
    return isinstance(kind, type) and hasattr(kind, "__pydantic_validator__")


def _dec_hook(kind: type[Any], value: Any) -> Any:
    if _is_pydantic(kind):
        try:
            return cast("Any", kind).model_validate(value)
        except ValueError as error:
            raise ValueError(_pydantic_text(error)) from error
    if kind is Secret:
        return Secret(value)
    raise NotImplementedError(f"values of {kind!r} cannot be read")


def _enc_hook(value: Any) -> Any:
    if _is_pydantic(type(value)):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Secret):
        return "***"
    raise NotImplementedError(f"values of {type(value)!r} cannot be written")


def _schema_hook(kind: type[Any]) -> dict[str, Any]:
    if _is_pydantic(kind):
        schema = cast("Any", kind).model_json_schema()
        return cast("dict[str, Any]", schema)
    if kind is Secret:
        return {"type": "string", "writeOnly": True}
    raise NotImplementedError(f"no JSON Schema for {kind!r}")


def _pydantic_text(error: Any) -> str:
    """Spell Pydantic's errors as msgspec spells its own: what is wrong, then where."""
    return "; ".join(f"{e['msg']} - at `${''.join(map(_step, e['loc']))}`" for e in error.errors())


def _step(place: str | int) -> str:
    return f"[{place}]" if isinstance(place, int) else f".{place}"


_ENCODER = msgspec.json.Encoder(enc_hook=_enc_hook, decimal_format="string")

encode = _ENCODER.encode
"""Write any supported value as JSON."""


def to_plain(value: object) -> Any:
    """Turn a value into plain JSON-like Python values."""
    return msgspec.to_builtins(value, enc_hook=_enc_hook)


def schemas(kinds: list[Any]) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Make the JSON Schemas of types: one each, and the named ones they refer to."""
    try:
        found, named = msgspec.json.schema_components(kinds, schema_hook=_schema_hook, ref_template=REF)
    except (TypeError, NotImplementedError) as error:
        raise DeclarationError(f"no JSON Schema can be made: {error}") from error
    lifted: dict[str, dict[str, Any]] = {}
    plain = {name: _lift(schema, lifted) for name, schema in named.items()}
    return [_lift(schema, lifted) for schema in found], {**_lift_all(lifted), **plain}


def _lift_all(lifted: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Lift what was found within what was lifted, too."""
    deeper: dict[str, dict[str, Any]] = {}
    flat = {name: _lift(schema, deeper) for name, schema in lifted.items()}
    return {**_lift_all(deeper), **flat} if deeper else flat


def _lift(node: Any, lifted: dict[str, dict[str, Any]]) -> Any:
    """Move Pydantic's nested ``$defs``, wherever they are, to where the references of a document can reach them."""
    if isinstance(node, list):
        return [_lift(item, lifted) for item in node]
    if not isinstance(node, dict):
        return node
    lifted.update(node.get("$defs", {}))
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        return {**node, "$ref": REF.format(name=reference.removeprefix("#/$defs/"))}
    return {key: _lift(value, lifted) for key, value in node.items() if key != "$defs"}
