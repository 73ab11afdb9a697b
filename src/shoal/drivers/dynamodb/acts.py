"""Writes as the actions of one transaction of DynamoDB, and what it means when one of them is refused. Pure.

DynamoDB takes at most 100 actions on as many items, so writes to one document become one action, and so do the release
and the taking of one unique value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from shoal.drivers.base import Row, Table, matching
from shoal.drivers.base.documents.engine import Document, Held, Hold, Refused, Write
from shoal.drivers.base.documents.folding import Intent
from shoal.drivers.base.documents.tables import OUTBOX
from shoal.drivers.dynamodb import places, values
from shoal.drivers.dynamodb.places import Place
from shoal.drivers.dynamodb.values import Value
from shoal.errors import TooLarge

MOST, LARGEST = 100, 4 * 1024 * 1024
"""Actions of a transaction, and its bytes."""

_TOMB = 24 * 3600
"""Seconds for which the number of a removed row is kept: what was written before it must not come after it."""

Failing = Held | Literal["lock", "again"]
"""What a condition that does not hold means: a contradiction, a lost lock, or that others were in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One action."""

    place: Place
    kind: Literal["Put", "Update", "Delete", "ConditionCheck"]
    condition: str = ""
    update: str = ""
    item: Mapping[str, Value] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    table: str = ""
    failing: Failing = "again"
    column: str = ""

    def words(self, table: str) -> dict[str, Any]:
        """Write it for a table."""
        words: dict[str, Any] = {"TableName": table}
        if self.kind == "Put":
            words["Item"] = {**self.place.key, **self.item}
        else:
            words["Key"] = self.place.key
        if self.update:
            words["UpdateExpression"] = self.update
        if self.condition:
            words |= {"ConditionExpression": self.condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if self.values:
            words["ExpressionAttributeValues"] = dict(self.values)
        return words


def needs_old(intent: Intent) -> bool:
    """Tell whether what was there before must be known."""
    table = intent.table
    return not intent.insert and (not intent.whole or bool(table.unique) or table.name == OUTBOX.name)


class _Holder(NamedTuple):
    """Whose a unique value is."""

    table: str
    column: str
    name: str
    """The key of the document, as text."""


class Plan:
    """All actions of one commit.

    Args:
        version: Of all rows that it writes.
        number: What they are announced under; 0 when nothing is.
        now: Seconds since 1970.
    """

    def __init__(self, *, version: str, number: int, now: float) -> None:
        self._version, self._number, self._now = version, number, now
        self._freed: dict[Place, _Holder] = {}
        self._taken: dict[Place, _Holder] = {}
        self.acts: list[Act] = []

    def write(self, intent: Intent, old: Document | None) -> None:
        """Add what becomes of a document."""
        row = intent.row
        if row is not None and not intent.whole:
            if old is None:
                return
            row = {**old.row, **row}
        table, key = intent.table, intent.key
        after = None if row is None else places.section(table, row)
        before = after if old is None else places.section(table, old.row)
        if after is None and old is None and before is None and table.name == OUTBOX.name:
            return  # nobody knows where it would be
        if after is None:
            self.acts.append(self._gone(intent, old, places.place(table, key, before or "")))
        elif old is not None and before != after:
            self.acts.append(_removed(table, places.place(table, key, before or ""), old.version))
            self.acts.append(self._kept(replace(intent, insert=True), None, row, places.place(table, key, after)))
        else:
            self.acts.append(self._kept(intent, old, row, places.place(table, key, after)))
        for column in sorted(table.unique):
            self._unique(intent, column, old.row.get(column) if old else None, row.get(column) if row else None)

    def entry(self, write: Write) -> None:
        """Add a message of the outbox."""
        assert write.row is not None, "messages are written, never removed, with a commit"  # noqa: S101
        intent = Intent(table=write.table, key=write.key, row=write.row, whole=True, insert=True)
        at = places.place(write.table, write.key, places.section(write.table, write.row))
        self.acts.append(Act(place=at, kind="Put", condition="attribute_not_exists(p)", item=self._item(intent)))

    def guards(self) -> None:
        """Add who has which unique value, once all documents are known."""
        for at in sorted({*self._freed, *self._taken}):
            freed, taken = self._freed.get(at), self._taken.get(at)
            holder = freed or taken
            assert holder is not None, "it is in one of them"  # noqa: S101
            words: dict[str, Any] = {
                "place": at, "condition": "attribute_not_exists(k) OR k = :k", "values": {":k": {"S": holder.name}},
                "table": holder.table, "column": holder.column,
            }  # fmt: skip
            if taken is None:
                self.acts.append(Act(kind="Delete", **words))
            else:
                failing: Failing = "unique" if freed is None else "again"
                self.acts.append(Act(kind="Put", item={"k": {"S": taken.name}}, failing=failing, **words))

    def hold(self, hold: Hold) -> None:
        """Demand locks, and end some of them."""
        mine = {":o": {"S": hold.owner}}
        for name in hold.freed:
            at = places.lock(name)
            self.acts.append(Act(place=at, kind="Delete", condition="o = :o", values=mine, failing="lock"))
        if hold.kept:
            at = places.lock(hold.kept)
            self.acts.append(Act(place=at, kind="ConditionCheck", condition="o = :o", values=mine, failing="lock"))

    def check(self) -> None:
        """Refuse what DynamoDB does not commit in one step."""
        if len(self.acts) > MOST:
            raise TooLarge(
                f"a transaction changes {len(self.acts)} items of DynamoDB, which commits {MOST} at most: "
                "each document, message, mark, unique value and lock is one; nothing was done",
                hint="write fewer documents in one transaction, or keep this service on postgres or mongo",
            )
        if (large := sum(values.size(act.item) + values.size(act.values) for act in self.acts)) > LARGEST:
            raise TooLarge(
                f"a transaction has {large} bytes, and DynamoDB commits {LARGEST} at most; nothing was done",
                hint="write less in one transaction, and keep what is large in an object store",
            )

    def _kept(self, intent: Intent, old: Document | None, row: Row | None, at: Place) -> Act:
        intent = replace(intent, row=row)
        item = self._item(intent)
        sets = [f"{name} = :{name}" for name in item]
        held = {f":{name}": one for name, one in item.items()}
        condition, failing, demanded = self._condition(intent, old)
        if self._numbered(intent.table):
            sets.append(f"{values.NUMBER} = :n")
            held[":n"] = {"N": str(self._number)}
        update = f"SET {', '.join(sets)} REMOVE {values.END}"
        return Act(
            place=at, kind="Update", update=update, values=held | demanded, condition=condition,
            table=intent.table.name, failing=failing,
        )  # fmt: skip

    def _gone(self, intent: Intent, old: Document | None, at: Place) -> Act:
        condition, failing, demanded = self._condition(intent, old)
        if not _announced(intent.table):
            return Act(
                place=at, kind="Delete", condition=condition, values=demanded, table=intent.table.name, failing=failing
            )
        held = {":v": {"S": self._version}, ":x": {"N": str(int(self._now + _TOMB))}}
        update = "SET v = :v, x = :x"
        if self._number:
            update, held[":n"] = f"{update}, n = :n", {"N": str(self._number)}
        return Act(
            place=at, kind="Update", update=f"{update} REMOVE c", values=held | demanded, condition=condition,
            table=intent.table.name, failing=failing,
        )  # fmt: skip

    def _condition(self, intent: Intent, old: Document | None) -> tuple[str, Failing, dict[str, Value]]:
        """Say what must hold of a row, and what it means if it does not."""
        parts: list[str] = []
        failing: Failing = "again"
        demanded: dict[str, Value] = {}
        if intent.insert:
            parts, failing = ["attribute_not_exists(c)"], "key"
        elif intent.version:
            parts, failing, demanded = ["attribute_exists(c) AND v = :was"], "version", {":was": {"S": intent.version}}
        elif old is not None:
            parts, demanded = ["v = :was"], {":was": {"S": old.version}}
        elif needs_old(intent):
            parts = ["attribute_not_exists(c)"]
        if self._numbered(intent.table):
            parts.append("(attribute_not_exists(n) OR n < :n)")
            demanded[":n"] = {"N": str(self._number)}
        return " AND ".join(parts), failing, demanded

    def _numbered(self, table: Table) -> bool:
        return bool(self._number) and _announced(table)

    def _item(self, intent: Intent) -> dict[str, Value]:
        assert intent.row is not None, "what is removed has no columns"  # noqa: S101
        columns = values.columns(intent.table, intent.row)
        return {values.KEY: values.value(intent.key), values.VERSION: {"S": self._version}, values.COLUMNS: columns}

    def _unique(self, intent: Intent, column: str, before: object, after: object) -> None:
        before, after = matching.identity(before), matching.identity(after)
        if before == after:
            return
        mine = _Holder(intent.table.name, column, places.name(intent.key))
        if before is not None:
            self._freed[places.guard(intent.table, column, before)] = mine
        at = None if after is None else places.guard(intent.table, column, after)
        if at is not None and self._taken.setdefault(at, mine) != mine:
            raise Refused(intent.table.name, "unique", column)


def verdicts(acts: Sequence[Act], reasons: Sequence[Mapping[str, Any]]) -> Iterator[Act]:
    """List the actions whose conditions did not hold, as what they mean, given the items that were there."""
    for act, reason in zip(acts, reasons, strict=True):
        if reason.get("Code") == "ConditionalCheckFailed":
            there = reason.get("Item") or {}
            late = values.COLUMNS not in there if act.failing == "key" else act.failing == "version" and (
                there.get(values.VERSION) == act.values.get(":was") and values.COLUMNS in there
            )  # fmt: skip
            yield replace(act, failing="again") if late else act


def _announced(table: Table) -> bool:
    """Say whether the rows of a table are an author's, whose order events tell of."""
    return not table.name.startswith("shoal.")


def _removed(table: Table, at: Place, version: str) -> Act:
    was = {":was": {"S": version}}
    return Act(place=at, kind="Delete", condition="v = :was", values=was, table=table.name)
