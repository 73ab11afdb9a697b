"""What is written is planned, applied and destroyed by Terraform at an emulator, and in between its services run.

They run as the definitions of tasks say that were registered there: their commands, variables and secrets, on the
table, topics and queues that Terraform made. Who keeps them is not IAM, which no emulator evaluates.
"""

import asyncio
import dataclasses
import functools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from shoal import files
from shoal.deploy.aws.settings import Environment
from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.aws.client import AwsClient
from shoal.local.engines import aws, start
from shoal.local.ports import free_port
from shoal.local.probe import until
from shoal.local.process import Command
from shoal.service.describe import describe
from tests.deploy.aws import stall
from tests.deploy.aws.samples import artifacts
from tests.deploy.aws.terraform import PLUGINS, Terraform, adapted, provider
from tests.deploy.samples import shop

pytest.importorskip("aiobotocore", reason="needs shoal[aws]")
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` applies what is written", allow_module_level=True)
if provider() is None:
    pytest.skip(f"no terraform with AWS's provider is here ({PLUGINS} names its folder)", allow_module_level=True)

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
HOME = Path(__file__).parents[3]
ACCOUNT, REGION = "100000000000", "eu-central-1"
DEV = Environment(name="dev", region=REGION, protected=False, gateways=1, endpoints=False, least=1, most=2)
EMULATED = frozenset({"aws_cloudwatch_metric_alarm", "aws_ecs_cluster", "aws_ecs_service", "aws_iam_role_policy"})
"""What the emulator does not give back as it was said: the second plan would change it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoint() -> AsyncIterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    options = aws.AwsOptions(directory=directory, port=free_port())
    recipe = dataclasses.replace(aws.recipe(options), prepare=functools.partial(plain, options))
    running = await start(recipe, on_line=lambda _: None)
    yield f"http://127.0.0.1:{options.port}"
    await running.process.kill()
    shutil.rmtree(directory, ignore_errors=True)


async def plain(options: aws.AwsOptions) -> Command:
    """Run the emulator without our journal, which knows the operations of our driver and not all of Terraform's."""
    command = await aws.prepare(options)
    words = ("ministack.app:app" if word == "shoal_journal:app" else word for word in command.argv)
    return dataclasses.replace(command, argv=tuple(words))


def written(folder: Path, system: Any, endpoint: str) -> Terraform:
    files.write_all(folder, artifacts(system, DEV))
    found = provider()
    assert found is not None
    adapted(folder / "dev", found[1])
    made = Terraform(folder / "dev", found[0], endpoint, ACCOUNT)
    made.init()
    return made


class Task:
    """A registered definition of a task, run here as ECS would run it."""

    def __init__(self, definition: dict[str, Any], folder: Path, told: dict[str, str]) -> None:
        self.containers = {one["name"]: one for one in definition["containerDefinitions"]}
        self.folder, self.told = folder, told

    async def run(self, name: str, secrets: AwsClient, **instead: str) -> asyncio.subprocess.Process:
        container = self.containers[name]
        environ = {one["name"]: one["value"] for one in container.get("environment", ())}
        for one in container.get("secrets", ()):
            found = await secrets.ask("get_secret_value", SecretId=one["valueFrom"])
            environ[one["name"]] = found["SecretString"]
        words = [str(self.folder) if word == "/etc/shoal/files" else word for word in container["command"]]
        known = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{HOME / 'src'}:{HOME}"}
        assert words[0] == "python"
        return await asyncio.create_subprocess_exec(
            sys.executable, *words[1:], env={**known, **environ, **self.told, **instead}, cwd="/",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip


async def ended(running: asyncio.subprocess.Process) -> None:
    out, _ = await asyncio.wait_for(running.communicate(), 60)
    assert running.returncode == 0, out.decode()


async def test_a_system_is_applied_runs_as_its_tasks_say_and_is_destroyed(endpoint: str, tmp_path: Path) -> None:
    terraform = await asyncio.to_thread(written, tmp_path, describe(stall.system), endpoint)
    assert await asyncio.to_thread(terraform.changes)
    await asyncio.to_thread(terraform.apply)
    again = await asyncio.to_thread(terraform.changes)
    assert not [one for one in again if one.split(".")[0] not in EMULATED], "what was applied would change"
    place = AwsAddress(region=REGION, endpoint=endpoint, access=ACCOUNT, secret="secret")
    ecs, secrets = AwsClient("ecs", place), AwsClient("secretsmanager", place)
    told = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "secret"}
    tasks = {}
    for name in ("operator", "stall", "prices"):
        found = await ecs.ask("describe_task_definition", taskDefinition=f"market-dev-{name}")
        tasks[name] = Task(found["taskDefinition"], tmp_path / name, told)
    await ended(await tasks["operator"].run("operator", secrets))
    ports = {name: free_port() for name in ("stall", "prices")}
    mesh = {"SHOAL_MESH": f"http://127.0.0.1:{ports['prices']}"}  # Service Connect would name it
    running = [
        await tasks[name].run(name, secrets, SHOAL_LISTEN=f"tcp:127.0.0.1:{port}", SHOAL_REPLICA=f"{name}-0", **mesh)
        for name, port in ports.items()
    ]
    try:
        await sell(f"http://127.0.0.1:{ports['stall']}", running)
    finally:
        for one in running:
            one.terminate()
            await asyncio.wait_for(one.communicate(), 60)
        await ecs.close()
        await secrets.close()
    await asyncio.to_thread(terraform.destroy)
    assert not await asyncio.to_thread(terraform.state)


async def sell(base: str, running: list[asyncio.subprocess.Process]) -> None:
    """Sell cake: a call, a transaction in DynamoDB, an event by SNS and SQS, and another transaction."""
    async with aiohttp.ClientSession() as client:

        async def answers(method: str, path: str, wanted: str) -> bool | None:
            assert all(one.returncode is None for one in running)
            try:
                async with client.request(method, base + path) as response:
                    return (response.status < 300 and wanted in await response.text()) or None
            except aiohttp.ClientConnectionError:
                return None

        assert await until(lambda: answers("GET", "/ready", ""))
        async with client.post(f"{base}/sales/tart") as sold:
            assert sold.status == 204, await sold.text()
        assert await until(lambda: answers("GET", "/sales/tart", "4"))


async def test_the_shop_is_applied_as_far_as_the_emulator_answers(endpoint: str, tmp_path: Path) -> None:
    terraform = await asyncio.to_thread(written, tmp_path, shop(), endpoint)
    domain = "-var=mail_domain=shop.example"
    planned = await asyncio.to_thread(terraform.changes, domain)
    await asyncio.to_thread(terraform.apply)
    assert len(await asyncio.to_thread(terraform.state)) >= len(planned)
    assert {*await asyncio.to_thread(terraform.outputs)} >= {"services", "tasks"}
    again = await asyncio.to_thread(terraform.changes, domain)
    assert not [one for one in again if one.split(".")[0] not in EMULATED], "what was applied would change"
    place = AwsAddress(region=REGION, endpoint=endpoint, access=ACCOUNT, secret="secret")
    sns = AwsClient("sns", place)
    topics = json.dumps(await sns.ask("list_topics"))
    await sns.close()
    assert "SHOP_ORDERS.fifo" in topics
    await asyncio.to_thread(terraform.destroy, domain)
    assert not await asyncio.to_thread(terraform.state)
