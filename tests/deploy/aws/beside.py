"""What an emulator of AWS has no data behind, by name, and what takes its place on this machine.

RDS, DocumentDB and ElastiCache answer there without a database behind them, OpenSearch and Redshift do not answer as
they should; the payment provider is somebody else's. Services are told of these as they would be of AWS's: by their
secrets, and by a setting; only the warehouse, whose address is no secret, is told them instead.
"""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from shoal.deploy.aws.addresses import plain_servers
from shoal.deploy.aws.scope import Scope
from shoal.deploy.cloud.naming import owner
from shoal.drivers import store_admin
from shoal.drivers.base import Account
from shoal.drivers.valkey import COMMANDS, prefix_of
from shoal.local.engines import Recipe, mongo, postgres, start, valkey
from shoal.local.engines.sandbox import SandboxOptions
from shoal.local.engines.sandbox import recipe as sandbox
from shoal.local.ports import free_port
from shoal.local.secrets import OPERATOR
from shoal.local.urls import mongo_url, postgres_url
from tests.deploy.aws.tasks import HOME

PASSWORD = "a password"
STANDS_FOR: Mapping[str, str] = {
    "postgres": "RDS", "mongo": "DocumentDB", "valkey": "ElastiCache", "opensearch": "OpenSearch (PostgreSQL's search)",
    "redshift": "Redshift (DuckDB)",
}  # fmt: skip
"""Server → the service of the cloud that is played by an engine of this machine."""


class Beside:
    """Engines of this machine for all that the emulator keeps nothing of.

    Args:
        scope: The system.
        place: A folder with a short name.
    """

    def __init__(self, scope: Scope, place: Path) -> None:
        self._scope, self._place = scope, place
        self._port = free_port()
        self.provider = f"http://127.0.0.1:{free_port()}"
        self.told = {
            service.name: {"SHOAL_WAREHOUSE_URL": f"duckdb://{quote(str(place))}/{service.name}/facts.duckdb"}
            for service in scope.users("redshift")
        }
        """Variables of services that are other ones here, by service."""

    @asynccontextmanager
    async def run(self) -> AsyncIterator[dict[str, str]]:
        """Run them until the block ends; yields addresses by the name of the secret that says them."""
        async with AsyncExitStack() as stack:
            for recipe in self._recipes():
                running = await start(recipe, on_line=lambda _: None)
                stack.push_async_callback(running.process.stop)
            yield {name: text async for name, text in self._addresses()}

    def _recipes(self) -> list[Recipe]:
        place, users = self._place, []
        for service in self._scope.users("valkey"):
            assert service.cache is not None
            keys = (f"{prefix_of(service.cache.part)}*",)
            users.append(valkey.ValkeyUser(name=service.cache.user, password=PASSWORD, keys=keys, commands=COMMANDS))
        return [
            postgres.recipe(
                postgres.PostgresOptions(data=place / "pg" / "data", sockets=place / "run", password=PASSWORD)
            ),
            mongo.recipe(mongo.MongoOptions(directory=place / "mongo", port=self._port, password=PASSWORD)),
            valkey.recipe(
                valkey.ValkeyOptions(directory=place / "valkey", socket=place / "v", users=(_watcher(), *users))
            ),
            sandbox(
                SandboxOptions(
                    name="payment-provider", module="shop.sandboxes.payment_provider", health="/health",
                    port=int(self.provider.rpartition(":")[2]), directory=place / "provider", root=HOME,
                    path=":".join(sys.path),
                )
            ),
        ]  # fmt: skip

    async def _addresses(self) -> AsyncIterator[tuple[str, str]]:
        for service in self._scope.plan.services:
            for role, server in self._scope.uses(service).items():
                if server in STANDS_FOR and server not in plain_servers():
                    own = owner(service.name) if role == "store" else f"{owner(service.name)}_{role}"
                    yield f"{service.name}/{role}-url", await self._address(server, own)

    async def _address(self, server: str, own: str) -> str:
        run = str(self._place / "run")
        account = Account(database=own, role=own, password=PASSWORD)
        if server in ("postgres", "opensearch"):
            await store_admin(postgres_url(run, postgres.SUPERUSER, PASSWORD, "postgres")).declare([account])
            return postgres_url(run, own, PASSWORD, own)
        if server == "mongo":
            await store_admin(mongo_url(self._port, OPERATOR, PASSWORD, "admin")).declare([account])
            return mongo_url(self._port, own, PASSWORD, own)
        (cache,) = [service.cache for service in self._scope.users("valkey")]
        assert cache is not None
        return f"valkey://{quote(cache.user)}:{quote(PASSWORD)}@/{quote(cache.part)}?socket={self._place / 'v'}"


def _watcher() -> valkey.ValkeyUser:
    return valkey.ValkeyUser(name=OPERATOR, password=PASSWORD, commands=("+info",))
