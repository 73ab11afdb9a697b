"""DynamoDB as an engine of documents: one table of a service holds its rows, guards, locks and counters."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.base import Query, Table, matching
from shoal.drivers.base.documents.engine import Document, Hold, Numbered, Refused, Write
from shoal.drivers.base.documents.folding import Intent, fold
from shoal.drivers.base.documents.tables import OUTBOX
from shoal.drivers.base.pauses import Pauses
from shoal.drivers.dynamodb import places, values
from shoal.drivers.dynamodb.acts import Act, Plan, needs_old, verdicts
from shoal.drivers.dynamodb.asking import CANCELED, CONDITION, LONGEST, OPENING, PINGING, Desk, Item
from shoal.drivers.dynamodb.locks import Locks
from shoal.errors import Contended, TimedOut, Unavailable, Unstorable

PATIENCE = 10.0
"""Seconds for a commit that collides with others."""

_PAGE = 100
"""Documents that are read, and removed, at a time."""


class Raw(NamedTuple):
    """DynamoDB's own interface, and where a service's rows are in it."""

    client: AwsClient
    """Asks for any operation: ``await raw.client.ask("query", TableName=raw.table, ...)``."""
    table: str


class DynamoEngine:
    """A `documents.engine.Engine`."""

    step = 45
    """A message that is sent goes from one place to another, which is two actions of a hundred."""

    def __init__(self, client: AwsClient, table: str) -> None:
        self._client = client
        self._desk = Desk(client, table)
        self._locks = Locks(self._desk)
        self.take, self.renew, self.release = self._locks.take, self._locks.renew, self._locks.release
        self.holders, self.beginning = self._locks.holders, self._locks.beginning

    def raw(self, table: Table) -> Raw:
        """Return the client, and the table that holds those of all types of a service."""
        del table
        return Raw(self._client, self._desk.table)

    async def open(self) -> None:
        """Connect."""
        await self._sign(OPENING)

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._sign(PINGING)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._desk.close()

    async def _sign(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._desk.read([places.counter("ping")])
        except TimeoutError:
            raise Unavailable(f"DynamoDB did not answer within {seconds:g} s", hint="look whether it runs") from None

    async def declare(self, table: Table, indexes: Sequence[Sequence[str]] = ()) -> None:
        """Do nothing: all tables lie in one, which the operator makes, and a query reads its table."""

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read by key."""
        where = [places.place(table, key, part) for key in keys for part in places.sections(table)]
        return _documents(table, await self._desk.read(where)) if where else []

    async def search(self, table: Table, query: Query) -> Sequence[Document]:
        """Read what is meant twice, until both times give the same: then some moment in between had just that."""
        if query.limit == 0:
            return []
        pauses = Pauses(LONGEST, first=0.002)
        try:
            async with asyncio.timeout(LONGEST):
                before = await self._collect(table, query)
                while not _settled(table, before):
                    after = await self._collect(table, query)
                    if _versions(before) == _versions(after):
                        break
                    before = after
                    await pauses.rest()
        except TimeoutError:
            raise TimedOut(
                f"reading {table.name} took more than {LONGEST:g} s", hint="ask by key, or for less"
            ) from None
        by_row = {id(one.row): one for one in before}
        return [by_row[id(row)] for row in matching.arrange(table, query, [one.row for one in before])]

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count what matches, without having it sent where all rows of a section do."""
        if where and not (table.name == OUTBOX.name and dict(where) == {"waits": True}):
            return len(await self._collect(table, Query(where=where)))
        sections = places.meant(table, Query(where=where))
        parts = [part for one in sections for part in places.partitions(table, one)]
        return sum(await asyncio.gather(*map(self._desk.count, parts)))

    async def _collect(self, table: Table, query: Query) -> list[Document]:
        """Read everything that a query may mean, once."""
        keys = _keys(table, query)
        if keys is not None:
            found = await self.read(table, keys)
        else:
            above, most = _above(table, query), _most(table, query)
            where = [part for one in places.meant(table, query) for part in places.partitions(table, one)]
            parts = await asyncio.gather(*(self._desk.query(one, most, above=above) for one in where))
            found = _documents(table, [item for part in parts for item in part])
        return [one for one in found if matching.matches(one.row, query)]

    async def commit(self, writes: Sequence[Write], hold: Hold | None = None, last: Numbered | None = None) -> None:
        """Do everything in one transaction, again and again while others get in the way."""
        intents = fold(writes, places.name)
        pauses = Pauses(PATIENCE, first=0.002, longest=0.1)
        while not await self._try(intents, hold, last):
            if not await pauses.rest():
                raise Contended("others changed the same documents for too long", hint="try again later")
        if hold is not None:
            self._locks.ended(hold.owner, hold.freed)

    async def _try(self, intents: Sequence[Intent], hold: Hold | None, last: Numbered | None) -> bool:
        """Commit, or say that others were in the way."""
        olds = await self._olds([intent for intent in intents if needs_old(intent)])
        first = await self.number(last.counter, last.count) if last else 0
        plan = Plan(version=uuid.uuid4().hex, number=first, now=time.time())
        for intent in intents:
            old = olds.get((intent.table.name, places.name(intent.key)))
            if intent.version and needs_old(intent) and (old is None or old.version != intent.version):
                raise Refused(intent.table.name, "version")
            plan.write(intent, old)
        plan.guards()
        for write in last.make(first) if last else ():
            plan.entry(write)
        if hold is not None:
            plan.hold(hold)
        plan.check()
        return not plan.acts or await self._do(plan.acts)

    async def _olds(self, intents: Sequence[Intent]) -> dict[tuple[str, str], Document]:
        """Read what was there before."""
        by_table: dict[str, tuple[Table, list[object]]] = {}
        for intent in intents:
            by_table.setdefault(intent.table.name, (intent.table, []))[1].append(intent.key)
        found = {}
        for table, keys in by_table.values():
            for one in await self.read(table, keys):
                found[table.name, places.name(one.key)] = one
        return found

    async def _do(self, acts: Sequence[Act]) -> bool:
        """Do everything or nothing; a transaction whose answer got lost is asked for again under the same token."""
        table = self._desk.table
        try:
            if len(acts) == 1 and acts[0].kind != "ConditionCheck":
                operation = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[acts[0].kind]
                await self._desk.ask(operation, **acts[0].words(table))
            else:
                items = [{act.kind: act.words(table)} for act in acts]
                token = str(uuid.uuid4())
                await self._desk.insist("transact_write_items", TransactItems=items, ClientRequestToken=token)
        except AwsRefusal as refusal:
            _judge(acts, refusal)
            return False
        return True

    async def remove(self, table: Table, query: Query) -> int:
        """Remove what matches, each document with its unique values if it is still the same, some at a time."""
        gone = 0
        for where in [part for one in places.meant(table, query) for part in places.partitions(table, one)]:
            async for items in self._desk.pages(where, _PAGE):
                some = [one for one in _documents(table, items) if matching.matches(one.row, query)]
                gone += sum(await asyncio.gather(*(self._take_out(table, one) for one in some)))
                if not some and table.name == OUTBOX.name:  # what lies behind is younger still
                    break
        return gone

    async def drop(self, table: Table) -> None:
        """Remove all rows; others' lie in the same table."""
        await self.remove(table, Query())

    async def _take_out(self, table: Table, one: Document) -> bool:
        plan = Plan(version=uuid.uuid4().hex, number=0, now=time.time())
        plan.write(Intent(table=table, key=one.key, row=None, whole=True), one)
        plan.guards()
        return await self._do(plan.acts)

    async def number(self, counter: str, count: int) -> int:
        """Draw numbers from a counter; those of an answer that got lost are nobody's."""
        pauses = Pauses(PATIENCE, longest=0.1)
        while True:
            try:
                found = await self._desk.ask(
                    "update_item", TableName=self._desk.table, Key=places.counter(counter).key,
                    UpdateExpression="ADD n :n", ExpressionAttributeValues={":n": {"N": str(count)}},
                    ReturnValues="UPDATED_NEW",
                )  # fmt: skip
            except AwsRefusal as refusal:  # it takes part in no transaction, so this passes
                if not await pauses.rest():
                    raise Contended(f"the counter {counter} gave no number: {refusal}", hint="try again") from refusal
            else:
                return int(found["Attributes"]["n"]["N"]) - count + 1

    async def forget(self, seconds: float) -> None:
        """Do nothing: DynamoDB removes what nobody renewed for a day, by the attribute ``x``."""


def _judge(acts: Sequence[Act], refusal: AwsRefusal) -> None:
    """Raise what a refused commit means, or return if it can be tried again."""
    reasons = refusal.response.get("CancellationReasons", ())
    if refusal.code == CONDITION:
        reasons = [{"Code": "ConditionalCheckFailed", "Item": refusal.response.get("Item")}]
    if refusal.code == CANCELED:
        for reason in reasons:
            if reason.get("Code") in {"ValidationError", "ItemCollectionSizeLimitExceeded"}:
                raise Unstorable(f"DynamoDB holds no such document: {reason.get('Message')}", hint="make it smaller")
    for act in verdicts(acts, reasons) if reasons else ():
        if act.failing == "lock":
            raise Contended("a lock was lost before the commit", hint="try the whole transaction again")
        if act.failing != "again":
            raise Refused(act.table, act.failing, act.column)


def _documents(table: Table, items: Sequence[Item]) -> list[Document]:
    """Read rows; of one that moved while it was read, either place may be seen, and what was removed has no columns."""
    found = {}
    for item in items:
        if values.COLUMNS in item:
            one = values.document(table, item)
            found[places.name(one.key)] = one
    return [*found.values()]


def _versions(found: Sequence[Document]) -> list[tuple[str, str]]:
    return sorted((places.name(one.key), one.version) for one in found)


def _settled(table: Table, found: Sequence[Document]) -> bool:
    """Say whether one look is enough: that nothing waits in the outbox is asked again and again anyway."""
    return not found and table.name == "shoal.outbox"


def _keys(table: Table, query: Query) -> list[object] | None:
    """Say which documents alone can be meant, if a query names them."""
    wanted = query.where.get(table.key, ...)
    if wanted is ...:
        return None
    keys = [*wanted] if isinstance(wanted, (tuple, list)) else [wanted]
    return [key for key in keys if key is not None]


def _above(table: Table, query: Query) -> str:
    """Say from where on a partition is read: only whole numbers lie in their order."""
    bound = query.above.get(table.key)
    return places.name(bound) if isinstance(bound, int) and not isinstance(bound, bool) else ""


def _most(table: Table, query: Query) -> int | None:
    """Say how many rows of each partition are enough: where all of them are meant, in the order in which they lie."""
    named = {*query.where, *query.above, *query.at_most} - ({table.key} if _above(table, query) else set())
    if query.limit is None or query.order or table.key not in table.columns:
        return None
    ordered = table.name == "shoal.outbox" and (not named or (named == {"waits"} and query.where["waits"] is True))
    return query.offset + query.limit if ordered else None
