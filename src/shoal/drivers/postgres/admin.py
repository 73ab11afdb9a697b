"""Roles and databases, made by a superuser: each service opens its own and no other."""

import asyncio
import base64
import hashlib
import hmac
import os
import unicodedata
from collections.abc import Sequence

from shoal.drivers.base import Account
from shoal.drivers.postgres import client
from shoal.drivers.postgres.address import parse
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.sql import literal, quote

_ITERATIONS = 4096
_SALT_BYTES = 16
_AT_ONCE = 4
_ROLE = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"

_EXISTING = """
select 'role' as kind, rolname as name, coalesce(rolpassword, '') as detail from pg_authid
union all
select 'database', datname, pg_get_userbyid(datdba) from pg_database
"""


class PostgresAdmin:
    """A `base.StoreAdmin`; its URL must be a superuser's."""

    def __init__(self, url: str) -> None:
        self._url = parse(url).direct

    async def declare(self, accounts: Sequence[Account]) -> None:
        """Create what is missing and correct what differs."""
        link = await client.connect(self._url)
        try:
            rows = await link.fetch(_EXISTING)
            passwords = {str(row["name"]): str(row["detail"]) for row in rows if row["kind"] == "role"}
            owners = {str(row["name"]): str(row["detail"]) for row in rows if row["kind"] == "database"}
            await _close_shared(link)
            for account in accounts:
                await _declare_role(link, account, passwords.get(account.role))
            fresh = [account for account in accounts if account.database not in owners]
            for account in accounts:
                if account.database in owners:
                    await _adopt(link, account, owners[account.database])
        finally:
            link.abort()
        await self._create(fresh)

    async def _create(self, accounts: Sequence[Account]) -> None:
        """Create databases, a few at a time, since each waits for the disk."""
        queue = [*accounts]

        async def work() -> None:
            link = await client.connect(self._url, {"statement_timeout": "60s"})
            try:
                while queue:
                    await _create(link, queue.pop())
            finally:
                link.abort()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(queue))):
                group.create_task(work())


def verifier(password: str, salt: bytes) -> str:
    """Derive what the server stores of a password, so that it never sees it (RFC 5802, section 3)."""
    plain = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", plain, salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"


async def _close_shared(link: Link) -> None:
    """Keep the services out of the databases that belong to none of them."""
    for database in ("postgres", "template1"):
        await link.execute(f"revoke connect on database {quote(database)} from public")


async def _declare_role(link: Link, account: Account, stored: str | None) -> None:
    if stored is not None and _matches(account.password, stored):
        return
    verb = "create" if stored is None else "alter"
    secret = verifier(account.password, os.urandom(_SALT_BYTES))
    await link.execute(f"{verb} role {quote(account.role)} {_ROLE} password {literal(secret)}")


def _matches(password: str, stored: str) -> bool:
    try:
        salt = base64.b64decode(stored.split("$")[1].split(":")[1])
    except (IndexError, ValueError):
        return False
    return hmac.compare_digest(verifier(password, salt), stored)


async def _create(link: Link, account: Account) -> None:
    name = quote(account.database)
    await link.execute(f"create database {name} owner {quote(account.role)} template template0 strategy file_copy")
    await _close(link, account)


async def _adopt(link: Link, account: Account, owner: str) -> None:
    if owner != account.role:
        await link.execute(f"alter database {quote(account.database)} owner to {quote(account.role)}")
    await _close(link, account)


async def _close(link: Link, account: Account) -> None:
    await link.execute(f"revoke connect, temporary on database {quote(account.database)} from public")
