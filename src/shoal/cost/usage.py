"""How much a system is used: what people say, and what is assumed where they say nothing. Pure data."""

import tomllib
from decimal import Decimal

import msgspec

from shoal.errors import DeclarationError


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount that nobody knows yet: at least, probably, at most."""

    low: Decimal
    expected: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        """Refuse a range that is none."""
        finite = self.low.is_finite() and self.expected.is_finite() and self.high.is_finite()
        if not finite or not Decimal(0) <= self.low <= self.expected <= self.high:
            raise ValueError(f"low = {self.low}, expected = {self.expected}, high = {self.high} do not grow")

    def __mul__(self, factor: Decimal) -> "Range":
        """Scale it; a factor is never negative."""
        return Range(low=self.low * factor, expected=self.expected * factor, high=self.high * factor)

    def __add__(self, other: "Range") -> "Range":
        """Add two of which each may be anywhere."""
        return Range(low=self.low + other.low, expected=self.expected + other.expected, high=self.high + other.high)


def exactly(amount: Decimal | int | str) -> Range:
    """Return what is known."""
    value = Decimal(amount)
    return Range(low=value, expected=value, high=value)


ZERO = exactly(0)


def around(amount: str) -> Range:
    """Return what is assumed: half as much, or twice."""
    value = Decimal(amount)
    return Range(low=value * Decimal("0.5"), expected=value, high=value * 2)


class Work(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one service does for each request at the door, on average; events that it hears are part of it."""

    asked: Decimal | None = None
    """Requests that reach it, by the door or by another's call."""
    calls: Decimal | None = None
    """That it makes to other services."""
    reads: Decimal | None = None
    """From its store."""
    writes: Decimal | None = None
    object_reads: Decimal | None = None
    object_writes: Decimal | None = None
    engines: Decimal | None = None
    """Statements and commands to its store, cache, index and bucket together."""
    log_bytes: Decimal | None = None
    cpu: Decimal | None = None
    """Seconds of a processor."""
    memory: Decimal | None = None
    """MiB that it holds at most; not for each request."""

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        _amounts(self)


MOST = Decimal(10) ** 12
"""Of anything that people may say of a month."""


def _amounts(struct: msgspec.Struct, most: Decimal | None = None) -> None:
    """Refuse what is no amount: units are counted, not owed, and there is an end to those that people write."""
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        for one in value.values() if isinstance(value, dict) else (value,):
            amount = one.high if isinstance(one, Range) else one
            if isinstance(amount, Work):
                _amounts(amount, most)
            elif isinstance(amount, Decimal) and not _is_amount(amount, most):
                raise ValueError(f"{name} = {amount} is no amount; it is 0 to {MOST:,}")


def _is_amount(amount: Decimal, most: Decimal | None) -> bool:
    return amount.is_finite() and amount >= 0 and (most is None or amount <= most)


class Usage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A month."""

    requests: Range = around("1000000")
    """Requests at the door."""
    endpoints: dict[str, Range] = {}
    """Requests by operation, ``"POST /orders"``; those that are not named share what is left of `requests`."""
    events_per_request: Decimal = Decimal("0.2")
    """Events that a request leads to, each heard by every subscriber."""
    writes_per_request: Decimal = Decimal("1.5")
    """Units that a request writes in a store billed by request."""
    reads_per_request: Decimal = Decimal(4)
    log_bytes: Decimal = Decimal(1500)
    """Of the lines of one request in each service that it reaches."""
    answer_bytes: Decimal = Decimal(8000)
    """That leave for clients."""
    call_bytes: Decimal = Decimal(4000)
    """Of a call and its answer, or of an event on its way."""
    outside_bytes: Decimal = Decimal(1000)
    """By the gateways to outside systems."""
    own_bytes: Decimal = Decimal(3000)
    """Between services and the cloud's own interfaces (lines of logs, events, secrets), by endpoints or gateways."""
    object_writes: Decimal = Decimal("0.01")
    """Objects that a request writes into a bucket."""
    object_reads: Decimal = Decimal("0.05")
    """Objects that a request reads from a bucket, or lists."""
    image: Decimal = Decimal(1)
    """GB of images that are kept of each service."""
    users: Range = around("1000")
    """People who sign in at a user pool."""
    mails: Decimal = Decimal("0.05")
    """Mails that a request leads to, where a service sends any."""
    stored: Range = around("10")
    """GB of each store billed by what is in it."""
    objects: Range = around("20")
    """GB of each bucket."""
    busy: Range = Range(low=Decimal(0), expected=Decimal("0.25"), high=Decimal(1))
    """Where between its least and most tasks each service is; for those whose `Work.cpu` is not known."""
    services: dict[str, Work] = {}
    """What is known of single services; it goes before what is said above for all of them."""

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        _amounts(self)


def read(text: str, *, where: str) -> Usage:
    """Read usage from TOML; a number stands for a range that is known. Raises `DeclarationError`."""
    try:
        found = tomllib.loads(text, parse_float=Decimal)
        ranged = {"requests", "users", "stored", "objects", "busy"}
        for name in ranged & found.keys():
            found[name] = _ranged(found[name])
        endpoints = found.get("endpoints")
        if isinstance(endpoints, dict):
            found["endpoints"] = {name: _ranged(value) for name, value in endpoints.items()}
        usage = msgspec.convert(found, Usage, strict=False)
        _amounts(usage, MOST)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        fields = ", ".join(field.name for field in msgspec.structs.fields(Usage))
        raise DeclarationError(f"this is no usage: {error}", where=where, hint=f"it may say: {fields}") from error
    return usage


def written(usage: Usage) -> str:
    """Write usage as TOML, which `read` reads again."""
    lines, tables = list[str](), list[str]()
    for name in usage.__struct_fields__:
        value = getattr(usage, name)
        if isinstance(value, Range):
            tables += [f"\n[{name}]", *_pairs(value)]
        elif isinstance(value, Decimal):
            lines.append(f"{name} = {value:f}")
    endpoints = [f'"{name}" = {{ {", ".join(_pairs(one))} }}' for name, one in usage.endpoints.items()]
    tables += ["\n[endpoints]", *endpoints] if endpoints else []
    for name, work in usage.services.items():
        tables += [f"\n[services.{name}]", *_pairs(work)]
    return "\n".join([*lines, *tables]) + "\n"


def _pairs(struct: msgspec.Struct) -> list[str]:
    found = ((name, getattr(struct, name)) for name in struct.__struct_fields__)
    return [f"{name} = {value:f}" for name, value in found if value is not None]


def _ranged(value: object) -> object:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return {"low": value, "expected": value, "high": value}
    return value
