"""Users and databases of MongoDB, made by its operator: each service opens its own and no other."""

from collections.abc import Sequence

from shoal.drivers.base import Account
from shoal.drivers.mongo.client import command
from shoal.errors import EngineError

OPERATOR = "operator"


class MongoAdmin:
    """A `base.StoreAdmin`; its URL must be the operator's."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def declare(self, accounts: Sequence[Account]) -> None:
        """Create users who own a database each; those that there are get the password and rights they should have."""
        for account in accounts:
            await _declare(self._url, account.database, account.role, account.password, "dbOwner")


async def crown(url: str, password: str) -> None:
    """Make the operator, on a server that asks nobody for a password yet.

    Raises:
        EngineError: Somebody else made users there.
    """
    await _declare(url, "admin", OPERATOR, password, "root")
    found = await command(url, "admin", {"find": "system.users"})  # of all databases; usersInfo shows those of one
    names = [str(user["_id"]) for user in found["cursor"]["firstBatch"]]
    if names != [f"admin.{OPERATOR}"]:
        raise EngineError(f"a new server of MongoDB's protocol has users: {', '.join(names)}", hint="start it again")


async def _declare(url: str, database: str, user: str, password: str, role: str) -> None:
    known = await command(url, database, {"usersInfo": user})
    verb = "updateUser" if known.get("users") else "createUser"
    await command(url, database, {verb: user, "pwd": password, "roles": [{"role": role, "db": database}]})
