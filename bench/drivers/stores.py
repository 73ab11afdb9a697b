"""Stores, each by our driver and by the client below it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from pymongo import AsyncMongoClient, ReplaceOne

from bench.drivers.amazon import amazon, client
from bench.drivers.work import BATCH, KEYS, ROWS, TABLE, stored
from bench.durable.database import database
from bench.side import Ways
from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Migration, Store
from shoal.local.engines import mongo, start
from shoal.local.ports import free_port
from shoal.local.secrets import OPERATOR
from shoal.local.urls import aws_url, mongo_url

_CREATE = Migration(
    number=1, name="001.sql", checksum="0" * 64,
    sql="create table things (id text primary key, owner text, amount integer, note text)",
)  # fmt: skip
_PUT = """
insert into things (id, owner, amount, note) values ($1, $2, $3, $4)
on conflict (id) do update set owner = excluded.owner, amount = excluded.amount, note = excluded.note
"""
_PUT_ALL = """
insert into things (id, owner, amount, note) select * from unnest($1::text[], $2::text[], $3::int[], $4::text[])
on conflict (id) do update set owner = excluded.owner, amount = excluded.amount, note = excluded.note
"""
_PASSWORD = "bench"  # noqa: S105 - of a server that ends with the run


async def _opened(url: str) -> Store:
    store = open_store(url)
    await store.open()
    await store.migrate([_CREATE])
    await store.verify([TABLE])
    return store


@asynccontextmanager
async def postgres() -> AsyncIterator[Mapping[str, Ways]]:
    """PostgreSQL, and asyncpg with a pool as ours."""
    async with database() as server:
        store = await _opened(server.url)
        pool = await asyncpg.create_pool(server.url, min_size=1, max_size=4)
        yield {"Shoal on PostgreSQL": stored(store), "asyncpg": _asyncpg(pool)}
        await pool.close()
        await store.close()


@asynccontextmanager
async def json_documents() -> AsyncIterator[Mapping[str, Ways]]:
    """Documents in PostgreSQL, and asyncpg with a table of JSON."""
    async with database() as server:
        store = await _opened(server.url.replace("postgres:", "documents:", 1))
        pool = await asyncpg.create_pool(server.url, min_size=1, max_size=4)
        await pool.execute("create table raw (key text primary key, body jsonb not null)")
        yield {"Shoal on documents in PostgreSQL": stored(store), "asyncpg, JSON": _asyncpg_json(pool)}
        await pool.close()
        await store.close()


def _asyncpg_json(pool: Any) -> Ways:
    bodies = [json.dumps(row) for row in ROWS]
    put = "insert into raw (key, body) {} on conflict (key) do update set body = excluded.body"
    one, all_ = put.format("values ($1, $2)"), put.format("select * from unnest($1::text[], $2::jsonb[])")

    async def alone() -> int:
        async with pool.acquire() as connection:
            await connection.execute(one, KEYS[0], bodies[0])
        async with pool.acquire() as connection:
            found = await connection.fetchval("select body from raw where key = $1", KEYS[0])
        return 1 + int(json.loads(found) == ROWS[0])

    async def together() -> int:
        async with pool.acquire() as connection:
            await connection.execute(all_, KEYS, bodies)
        async with pool.acquire() as connection:
            found = await connection.fetch("select body from raw where key = any($1)", list(KEYS))
        return BATCH + len([json.loads(one["body"]) for one in found])

    return alone, together


def _asyncpg(pool: Any) -> Ways:
    columns = [list(column) for column in zip(*(row.values() for row in ROWS), strict=True)]

    async def alone() -> int:
        async with pool.acquire() as connection:
            await connection.execute(_PUT, *ROWS[0].values())
        async with pool.acquire() as connection:
            return 1 + int(dict(await connection.fetchrow("select * from things where id = $1", KEYS[0])) == ROWS[0])

    async def together() -> int:
        async with pool.acquire() as connection:
            await connection.execute(_PUT_ALL, *columns)
        async with pool.acquire() as connection:
            return BATCH + len(await connection.fetch("select * from things where id = any($1)", list(KEYS)))

    return alone, together


@asynccontextmanager
async def documents() -> AsyncIterator[Mapping[str, Ways]]:
    """MongoDB's protocol, and pymongo with the same concerns: majority, journalled, many in one transaction."""
    with TemporaryDirectory(prefix="sh-", dir="/tmp") as folder:
        options = mongo.MongoOptions(directory=Path(folder), port=free_port(), password=_PASSWORD)
        running = await start(mongo.recipe(options), on_line=lambda _line: None)
        try:
            made = Account(database="bench", role="bench", password=_PASSWORD)
            await store_admin(mongo_url(options.port, OPERATOR, _PASSWORD, "admin")).declare([made])
            url = mongo_url(options.port, made.role, made.password, made.database)
            store = await _opened(url)
            client: Any = AsyncMongoClient(url, w="majority", journal=True)
            yield {"Shoal on MongoDB": stored(store), "pymongo": _pymongo(client)}
            await client.close()
            await store.close()
        finally:
            await running.process.stop()


def _pymongo(client: Any) -> Ways:
    things = client["bench"]["raw"]
    wanted = [{"_id": row["id"], **{name: value for name, value in row.items() if name != "id"}} for row in ROWS]

    async def alone() -> int:
        await things.replace_one({"_id": KEYS[0]}, wanted[0], upsert=True)
        return 1 + int(await things.find_one({"_id": KEYS[0]}) == wanted[0])

    async def together() -> int:
        async with client.start_session() as session, await session.start_transaction():
            changes = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in wanted]
            await things.bulk_write(changes, session=session)
        return BATCH + len([one async for one in things.find({"_id": {"$in": KEYS}})])

    return alone, together


@asynccontextmanager
async def dynamodb() -> AsyncIterator[Mapping[str, Ways]]:
    """Amazon's interface, and aiobotocore: a hundred rows are one transaction, and are read a hundred at a time."""
    async with amazon() as port:
        made = Account(database="bench", role="bench", password=_PASSWORD)
        await store_admin(aws_url("dynamodb", port, OPERATOR, _PASSWORD, "")).declare([made])
        store = await _opened(aws_url("dynamodb", port, made.role, made.password, made.database))
        async with client("dynamodb", port) as raw:
            yield {"Shoal on DynamoDB": stored(store), "aiobotocore, DynamoDB": _aiobotocore(raw, made.database)}
        await store.close()


def _aiobotocore(raw: Any, table: str) -> Ways:
    keys = [{"p": {"S": "raw"}, "s": {"S": key}} for key in KEYS]
    items = [
        {**key, "owner": {"S": row["owner"]}, "amount": {"N": str(row["amount"])}, "note": {"S": row["note"]}}
        for key, row in zip(keys, ROWS, strict=True)
    ]

    async def alone() -> int:
        await raw.put_item(TableName=table, Item=items[0])
        found = await raw.get_item(TableName=table, Key=keys[0], ConsistentRead=True)
        return 1 + int(found["Item"]["note"]["S"] == ROWS[0]["note"])

    async def together() -> int:
        await raw.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": item}} for item in items])
        found = await raw.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        return BATCH + len(found["Responses"][table])

    return alone, together
