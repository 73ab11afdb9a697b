"""Queries in MongoDB's language. Pure."""

from collections.abc import Mapping

from shoal.drivers.base import Query, Table
from shoal.drivers.mongo.values import kept, value

Json = dict[str, object]
_NOTHING: Json = {"_id": {"$in": []}}


def condition(table: Table, query: Query) -> Json:
    """Say which documents are meant; null is neither more nor less than anything."""
    parts = [{_name(table, column): _equals(table, column, wanted)} for column, wanted in query.where.items()]
    for bounds, operator in ((query.above, "$gt"), (query.at_most, "$lte"), (query.below, "$lt")):
        for column, bound in bounds.items():
            parts.append(_NOTHING if bound is None else {_name(table, column): {operator: value(bound)}})
    return {"$and": parts} if parts else {}


def where(table: Table, wanted: Mapping[str, object]) -> Json:
    """Say which documents match."""
    return condition(table, Query(where=wanted))


def pipeline(table: Table, query: Query) -> list[Json]:
    """Say what is meant, in order: null is larger than every value, which MongoDB sorts before them."""
    stages: list[Json] = [{"$match": condition(table, query)}]
    order: Json = {}
    flags: Json = {}
    for number, column in enumerate(query.order):
        name, way = _name(table, column.removeprefix("-")), -1 if column.startswith("-") else 1
        if name != "_id" and name not in order:
            flags[f"_null{number}"] = {"$eq": [{"$ifNull": [f"${name}", None]}, None]}
            order[f"_null{number}"] = way
        order.setdefault(name, way)
    order.setdefault("_id", 1)
    if flags:
        stages.append({"$set": flags})
    stages.append({"$sort": order})
    if query.offset:
        stages.append({"$skip": query.offset})
    if query.limit:
        stages.append({"$limit": query.limit})
    return [*stages, {"$unset": [*flags]}] if flags else stages


def _equals(table: Table, column: str, wanted: object) -> object:
    if isinstance(wanted, (tuple, list)):
        return {"$in": [kept(table, column, one) for one in wanted]}
    return {"$eq": kept(table, column, wanted)}


def _name(table: Table, column: str) -> str:
    return "_id" if column == table.key else column
