"""What is written is planned, applied and destroyed by Terraform at an emulator, and in between its services run.

They run as the definitions of tasks say that were registered there: their commands, variables and secrets, on the
tables, topics, queues, buckets and keys that Terraform made, and with the rights of the roles of these tasks, which the
emulator evaluates.
"""

import asyncio
import contextlib
import dataclasses
import functools
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from shoal import files
from shoal.deploy.aws import parts
from shoal.deploy.aws.resources import Door, Operator, Workload
from shoal.deploy.aws.scope import Scope
from shoal.deploy.aws.settings import Environment
from shoal.drivers.aws.client import AwsRefusal
from shoal.local.engines import aws, start
from shoal.local.ports import free_port
from shoal.model.system import System
from shoal.service.describe import describe
from tests.deploy.aws import smoke, stall
from tests.deploy.aws.applied import ACCOUNT, REGION, Cloud
from tests.deploy.aws.beside import Beside
from tests.deploy.aws.emulator import EMULATED, guarded, needed
from tests.deploy.aws.front import Proxy, client, served
from tests.deploy.aws.samples import artifacts, of_kind, scope_of
from tests.deploy.aws.tasks import Service, ended
from tests.deploy.aws.terraform import Terraform, adapted, provider
from tests.deploy.samples import shop
from tests.live.shopping import until

needed()

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
DEV = Environment(name="dev", region=REGION, protected=False, gateways=1, endpoints=False, least=1, most=2)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    folder.chmod(0o755)  # noqa: ASYNC240 - one small folder; the user of a database may be another one
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoint(place: Path) -> AsyncIterator[str]:
    options = aws.AwsOptions(directory=place / "aws", port=free_port())
    recipe = dataclasses.replace(aws.recipe(options), prepare=functools.partial(guarded, options))
    running = await start(recipe, on_line=lambda _: None)
    yield f"http://127.0.0.1:{options.port}"
    await running.process.kill()


def written(folder: Path, system: System, endpoint: str, environment: Environment = DEV) -> Terraform:
    files.write_all(folder, artifacts(system, environment))
    found = provider()
    assert found is not None
    adapted(folder / "dev", found[1])
    made = Terraform(folder / "dev", found[0], endpoint, ACCOUNT)
    made.init()
    return made


async def test_a_system_is_applied_runs_as_its_tasks_say_and_is_destroyed(endpoint: str, tmp_path: Path) -> None:
    terraform = await asyncio.to_thread(written, tmp_path, describe(stall.system), endpoint)
    assert await asyncio.to_thread(terraform.changes)
    await asyncio.to_thread(terraform.apply)
    again = await asyncio.to_thread(terraform.changes)
    assert not [one for one in again if one.split(".")[0] not in EMULATED], "what was applied would change"
    async with Cloud(endpoint, "market", tmp_path) as cloud, AsyncExitStack() as stack:
        await ended(await (await cloud.task("operator")).run("operator"))
        ports = {name: free_port() for name in ("stall", "prices")}
        mesh = {"SHOAL_MESH": f"http://127.0.0.1:{ports['prices']}"}  # Service Connect would name it
        for name, port in ports.items():
            service = await Service.start(name, await cloud.task(name), port, **mesh)
            stack.push_async_callback(service.stop)
            await answering(service)
        await sell(f"http://127.0.0.1:{ports['stall']}")
    await asyncio.to_thread(terraform.destroy)
    assert not await asyncio.to_thread(terraform.state)


async def answering(service: Service) -> None:
    """Wait until a service takes requests."""
    async with client(service.address) as asked:

        async def ready() -> bool | None:
            service.runs()
            with contextlib.suppress(aiohttp.ClientConnectionError):
                return (await asked.get("/ready")).status == 200 or None
            return None

        await until(ready, within=90.0, what=f"{service.name} to be ready")


async def sell(base: str) -> None:
    """Sell cake: a call, a transaction in DynamoDB, an event by SNS and SQS, and another transaction."""
    async with client(base) as guest:

        async def counted() -> bool | None:
            return (await guest.get("/sales/tart")).json() == 4 or None

        sold = await guest.post("/sales/tart")
        assert sold.status == 204, sold.body
        await until(counted, within=60.0, what="the sale to be counted")


async def test_the_shop_is_applied_and_confirms_an_order_there(endpoint: str, place: Path, tmp_path: Path) -> None:
    """Its tables, topics, queues, buckets, keys and secrets are at the emulator; what has no data there is `beside`."""
    beside = Beside(scope_of(shop(), DEV), place)
    settings = {"PAYMENTS__PROVIDER_URL": beside.provider, "NOTIFICATIONS__MAILER": "ses"}
    environment = msgspec.structs.replace(DEV, settings=settings)
    terraform = await asyncio.to_thread(written, tmp_path, shop(), endpoint, environment)
    domain = "-var=mail_domain=shop.example"
    planned = await asyncio.to_thread(terraform.changes, domain)
    await asyncio.to_thread(terraform.apply)
    assert len(await asyncio.to_thread(terraform.state)) >= len(planned)
    assert {*await asyncio.to_thread(terraform.outputs)} >= {"services", "tasks"}
    again = await asyncio.to_thread(terraform.changes, domain)
    assert not [one for one in again if one.split(".")[0] not in EMULATED], "what was applied would change"
    async with Cloud(endpoint, "shop", tmp_path) as cloud, beside.run() as addresses:
        keys = smoke.Keys()
        await cloud.fill_in({**addresses, **keys.texts()})
        await cloud.ask("ses", "verify_domain_identity", Domain="shop.example")
        async with opened(cloud, scope_of(shop(), environment), beside.told) as door, client(door) as asked:
            address, number = await smoke.order(asked)
            await smoke.kept(cloud, "shop-dev-orders", number)
            await smoke.hang(cloud, asked, keys.token("admin"))
            await smoke.mailed(endpoint, address)
        await refused(cloud)
    await asyncio.to_thread(terraform.destroy, domain)
    assert not await asyncio.to_thread(terraform.state)


async def refused(cloud: Cloud) -> None:
    """See that rights are looked at: the role of a service may nothing with what is another one's."""
    for name, interface, operation, asked in (
        ("products", "dynamodb", "scan", {"TableName": "shop-dev-orders"}),
        ("web", "sqs", "list_queues", {}),
        ("orders", "secretsmanager", "get_secret_value", {"SecretId": "shop-dev/users/signing-key"}),
    ):
        with pytest.raises(AwsRefusal, match="AccessDenied"):
            await cloud.ask_as(name, interface, operation, asked)


@asynccontextmanager
async def opened(cloud: Cloud, scope: Scope, told: Mapping[str, Mapping[str, str]]) -> AsyncIterator[str]:
    """Run the operator's tasks and every service, told what is elsewhere here; yields the address of the door."""
    resources = parts.resources(scope)
    for operator in of_kind(resources, Operator):
        await ended(await (await cloud.task(operator)).run(operator))
    ports = {name: free_port() for name in of_kind(resources, Workload)}
    places = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(places))
        mesh = await stack.enter_async_context(served(proxy.call))
        running = []
        for name, port in ports.items():
            task = await cloud.task(name)
            await task.prepare()
            instead = {"SHOAL_MESH": f"{mesh}/{{service}}", **told.get(name, {})}
            running.append(await Service.start(name, task, port, **instead))
            stack.push_async_callback(running[-1].stop)
        (door,) = of_kind(resources, Door).values()
        address = await stack.enter_async_context(served(proxy.door(door)))
        try:
            await asyncio.gather(*(answering(one) for one in running))
            yield address
        except BaseException:
            sys.stderr.writelines(f"{one.name} said\n{one.said()}\n" for one in running)
            raise
