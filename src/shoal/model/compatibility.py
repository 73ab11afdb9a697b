"""Whether what one side sends still fits what the other side reads: one rule family per function.

There is one relation, "every document of this schema is accepted by that one", asked in two directions. What we send
(events, answers) must fit what its readers knew: new within old. What we receive (requests) must fit what we read now:
old within new.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from shoal.model.data import Data
from shoal.model.schemas import Branch, Named, among, branches, covers, quoted, same, spell, type_of
from shoal.model.service import Schema

Direction = Literal["sent", "received"]
"""Who writes the document: we (events, answers) or others (requests)."""

Kind = Literal[
    "field-removed",
    "field-required",
    "field-optional",
    "field-unknown",
    "type",
    "value",
    "bound",
    "rule",
]


class Clash(Data, frozen=True, kw_only=True):
    """One way in which two versions of a schema do not fit each other."""

    path: str
    """Where, as a JSON path: ``$.lines[].sku``."""
    kind: Kind
    old: str
    new: str


class _Side(Data, frozen=True, kw_only=True):
    """The pair that is compared: documents of `inner` must be accepted by `outer`."""

    direction: Direction
    inner: dict[str, Schema]
    outer: dict[str, Schema]
    seen: frozenset[tuple[str, str]] = frozenset()
    """Pairs with a reference on the way here, so that a schema that contains itself comes to an end."""

    @property
    def sent(self) -> bool:
        return self.direction == "sent"

    def clash(self, path: str, kind: Kind, inner: str, outer: str) -> Clash:
        old, new = (outer, inner) if self.sent else (inner, outer)
        return Clash(path=path, kind=kind, old=old, new=new)

    def within(self, inner: Any, outer: Any) -> "_Side | None":
        """Step into a pair with a reference; None when we are inside of it already."""
        if not _reference(inner) and not _reference(outer):
            return self
        pair = (_reference(inner) or quoted(inner), _reference(outer) or quoted(outer))
        if pair in self.seen:
            return None
        return _Side(direction=self.direction, inner=self.inner, outer=self.outer, seen=self.seen | {pair})


Family = Callable[[str, Branch, Branch, _Side], Iterator[Clash]]


def compare(
    old: Any, new: Any, direction: Direction, *, known: Named | None = None, now: Named | None = None, at: str = "$"
) -> tuple[Clash, ...]:
    """List everything that breaks when `new` takes the place of `old`.

    Args:
        old: The schema that the other side knows.
        new: The schema that takes its place.
        direction: Who writes the documents.
        known: Named schemas that `old` refers to.
        now: Named schemas that `new` refers to.
        at: Path to begin with.
    """
    before, after = dict(known or {}), dict(now or {})
    if direction == "sent":
        return tuple(_contained(at, new, old, _Side(direction=direction, inner=after, outer=before)))
    return tuple(_contained(at, old, new, _Side(direction=direction, inner=before, outer=after)))


def _contained(path: str, inner: Any, outer: Any, side: _Side) -> Iterator[Clash]:
    """Say why documents of `inner` are not all accepted by `outer`."""
    deeper = side.within(inner, outer)
    if deeper is None or outer in (True, {}):
        return
    accepted = branches(outer, side.outer)
    for branch in branches(inner, side.inner):
        if not branch.type:
            yield from _values(path, branch, accepted, side)
            continue
        tried = [
            list(_branch(path, branch, other, deeper))
            for other in accepted
            if other.type and covers(other.type, branch.type)
        ]
        if not tried:
            yield side.clash(path, "type", spell(inner, side.inner), spell(outer, side.outer))
            return
        yield from min(tried, key=len)


def _branch(path: str, inner: Branch, outer: Branch, side: _Side) -> Iterator[Clash]:
    for family in FAMILIES[inner.type]:
        yield from family(path, inner, outer, side)


def _values(path: str, inner: Branch, accepted: tuple[Branch, ...], side: _Side) -> Iterator[Clash]:
    """Look up given values: each must be among the other's, or obey its rules."""
    odd = [value for value in inner.given if not any(_admits(branch, value) for branch in accepted)]
    if odd:
        outer = {"anyOf": [{**b.rules, **({"type": b.type} if b.type else {})} for b in accepted]}
        words = spell(outer, side.outer)
        yield side.clash(path, "value", " | ".join(quoted(value) for value in inner.given), words)


def _admits(branch: Branch, value: Any) -> bool:
    """Tell whether a branch accepts one value; of a value within values only the type is looked at."""
    if not branch.type:
        return among(value, branch.given)
    if not covers(branch.type, type_of(value)):
        return False
    rules = branch.rules
    if isinstance(value, str):
        exact = not any(rule in rules for rule in ("pattern", "format", "contentEncoding"))
        return exact and rules.get("minLength", 0) <= len(value) <= rules.get("maxLength", len(value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _above(rules) <= (value, 0) and (value, 0) <= _below(rules) and "multipleOf" not in rules
    return True


def _lengths(path: str, inner: Branch, outer: Branch, side: _Side) -> Iterator[Clash]:
    """Compare lengths of texts, lists and objects."""
    for lowest, highest in (("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")):
        if inner.rules.get(lowest, 0) < outer.rules.get(lowest, 0):
            yield _bound(path, lowest, inner, outer, side)
        most = outer.rules.get(highest)
        if most is not None and inner.rules.get(highest, most + 1) > most:
            yield _bound(path, highest, inner, outer, side)


def _numbers(path: str, inner: Branch, outer: Branch, side: _Side) -> Iterator[Clash]:
    """Compare ranges of numbers, open or closed, and what they are multiples of."""
    if _above(inner.rules) < _above(outer.rules) or _below(inner.rules) > _below(outer.rules):
        yield side.clash(path, "bound", _range(inner.rules), _range(outer.rules))
    step, wanted = inner.rules.get("multipleOf"), outer.rules.get("multipleOf")
    if wanted is not None and (step is None or step % wanted):
        yield _bound(path, "multipleOf", inner, outer, side)


def _demands(path: str, inner: Branch, outer: Branch, side: _Side) -> Iterator[Clash]:
    """Compare rules that are kept only by the same rule: patterns, formats, and whatever is not understood here."""
    for rule, wanted in outer.rules.items():
        if rule not in _UNDERSTOOD and not (rule in inner.rules and same(inner.rules[rule], wanted)):
            given = f"{rule} {quoted(inner.rules[rule])}" if rule in inner.rules else f"no {rule}"
            yield side.clash(path, "rule", given, f"{rule} {quoted(wanted)}")


def _lists(path: str, inner: Branch, outer: Branch, side: _Side) -> Iterator[Clash]:
    """Compare items of lists, place by place where places differ."""
    if outer.rules.get("uniqueItems") and not inner.rules.get("uniqueItems"):
        yield side.clash(path, "rule", "items may repeat", "items are unique")
    places = max(len(inner.rules.get("prefixItems", ())), len(outer.rules.get("prefixItems", ())))
    longest = inner.rules.get("maxItems", places + 1)
    for place in range(min(places, longest)):
        yield from _contained(f"{path}[{place}]", _item(inner, place), _item(outer, place), side)
    if longest > places:
        yield from _contained(f"{path}[]", inner.rules.get("items", True), outer.rules.get("items", True), side)


def _fields(path: str, inner: Branch, outer: Branch, side: _Side) -> Iterator[Clash]:
    """Compare the named fields of objects: one of the two may lack some."""
    here, there = inner.rules.get("properties", {}), outer.rules.get("properties", {})
    always = set(inner.rules.get("required", ()))
    for name in sorted(set(outer.rules.get("required", ())) - always):
        yield _missing(f"{path}.{name}", side, absent=name not in here)
    for name in sorted(set(there) - set(here) - set(outer.rules.get("required", ()))):
        if side.sent:
            yield side.clash(f"{path}.{name}", "field-removed", "absent", "optional")
        elif "properties" not in inner.rules or isinstance(inner.rules.get("additionalProperties"), dict):
            yield from _field(f"{path}.{name}", inner.rules.get("additionalProperties", True), there[name], side)
    for name, schema in here.items():
        yield from _field(
            f"{path}.{name}", schema, there.get(name, outer.rules.get("additionalProperties", True)), side
        )


def _others(path: str, inner: Branch, outer: Branch, side: _Side) -> Iterator[Clash]:
    """Compare fields without a name of their own, as maps have them.

    What we send has no fields but those that it names, so only a map counts there.
    """
    free, wanted = inner.rules.get("additionalProperties", True), outer.rules.get("additionalProperties", True)
    closed = side.sent and "properties" in inner.rules and free is True
    if wanted is True or free is False or closed:
        return
    if wanted is False:
        yield side.clash(path, "field-unknown", "unknown fields are accepted", "unknown fields are refused")
    else:
        yield from _contained(f"{path}.*", free, wanted, side)


def _field(path: str, inner: Any, outer: Any, side: _Side) -> Iterator[Clash]:
    if outer is False:
        kind: Kind = "field-unknown" if side.sent else "field-removed"
        yield side.clash(path, kind, "present", "refused")
    else:
        yield from _contained(path, inner, outer, side)


def _missing(path: str, side: _Side, *, absent: bool) -> Clash:
    """Name a field that the other side needs and may not get."""
    if not side.sent:
        return side.clash(path, "field-required", "absent" if absent else "optional", "required")
    return side.clash(
        path, "field-removed" if absent else "field-optional", "absent" if absent else "optional", "required"
    )


def _item(branch: Branch, place: int) -> Any:
    first = branch.rules.get("prefixItems", ())
    return first[place] if place < len(first) else branch.rules.get("items", True)


def _bound(path: str, rule: str, inner: Branch, outer: Branch, side: _Side) -> Clash:
    """Name a bound that one side keeps and the other does not."""
    texts = [f"{rule} {b.rules[rule]}" if rule in b.rules else f"no {rule}" for b in (inner, outer)]
    return side.clash(path, "bound", *texts)


def _above(rules: Schema) -> tuple[float, int]:
    """Order lower bounds: the larger one is narrower, and an open one is narrower than the closed one beside it."""
    closed, opened = rules.get("minimum", float("-inf")), rules.get("exclusiveMinimum", float("-inf"))
    return max((closed, 0), (opened, 1))


def _below(rules: Schema) -> tuple[float, int]:
    """Order upper bounds: the smaller one is narrower, and an open one is narrower than the closed one beside it."""
    closed, opened = rules.get("maximum", float("inf")), rules.get("exclusiveMaximum", float("inf"))
    return min((closed, 0), (opened, -1))


def _range(rules: Schema) -> str:
    lowest, above = _above(rules)
    highest, below = _below(rules)
    bounds = [f"{'>' if above else '>='} {lowest}"] * (lowest > float("-inf"))
    bounds += [f"{'<' if below else '<='} {highest}"] * (highest < float("inf"))
    return " and ".join(bounds) or "any number"


def _reference(schema: Any) -> str:
    found = schema.get("$ref", "") if isinstance(schema, dict) else ""
    return found if isinstance(found, str) else ""


FAMILIES: dict[str, tuple[Family, ...]] = {
    "boolean": (_demands,),
    "integer": (_numbers, _demands),
    "number": (_numbers, _demands),
    "string": (_lengths, _demands),
    "array": (_lists, _lengths, _demands),
    "object": (_fields, _others, _lengths, _demands),
}
"""By the type of the values."""

_UNDERSTOOD = frozenset(
    {"enum", "properties", "required", "additionalProperties", "items", "prefixItems", "uniqueItems", "multipleOf"}
    | {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
    | {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
)
