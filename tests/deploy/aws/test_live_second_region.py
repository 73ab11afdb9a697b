"""Both regions are applied by Terraform at an emulator, which keeps regions apart, and the second takes over.

What the emulator has not is left out by name, as in `test_live_apply`: above all databases of RDS, and images.
"""

import asyncio
import dataclasses
import functools
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal import files
from shoal.deploy.aws.settings import Environment, Standby
from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.aws.client import AwsClient
from shoal.local.engines import aws, start
from shoal.local.ports import free_port
from shoal.service.describe import describe
from tests.deploy.aws import stall
from tests.deploy.aws.applied import ACCOUNT
from tests.deploy.aws.emulator import EMULATED, guarded, needed
from tests.deploy.aws.samples import artifacts
from tests.deploy.aws.terraform import Terraform, adapted, provider

needed()
pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
TWO = Environment(
    name="dev", protected=False, gateways=1, endpoints=False, least=1, most=2, standby=Standby(region="eu-west-1")
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def emulator() -> AsyncIterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    options = aws.AwsOptions(directory=directory, port=free_port())
    recipe = dataclasses.replace(aws.recipe(options), prepare=functools.partial(guarded, options))
    running = await start(recipe, on_line=lambda _: None)
    yield f"http://127.0.0.1:{options.port}"
    await running.process.kill()
    shutil.rmtree(directory, ignore_errors=True)


def regions(folder: Path, endpoint: str) -> tuple[Terraform, Terraform]:
    files.write_all(folder, artifacts(describe(stall.system), TWO))
    found = provider()
    assert found is not None
    plugins, version = found

    def made(place: Path) -> Terraform:
        adapted(place, version)
        terraform = Terraform(place, plugins, endpoint, ACCOUNT)
        terraform.init()
        return terraform

    return made(folder / "dev"), made(folder / "dev" / "standby")


async def test_the_second_region_is_applied_beside_the_first_and_opens_its_ways_when_it_takes_over(
    emulator: str, tmp_path: Path
) -> None:
    first, second = await asyncio.to_thread(regions, tmp_path, emulator)
    for terraform in (first, second):
        assert await asyncio.to_thread(terraform.changes)
        await asyncio.to_thread(terraform.apply)
    assert not [one for one in await asyncio.to_thread(second.state) if one.startswith("aws_nat_gateway")]
    place = AwsAddress(region="eu-west-1", endpoint=emulator, access=ACCOUNT, secret="secret")
    ecs = AwsClient("ecs", place)
    found = await ecs.ask("describe_services", cluster="market-dev-standby", services=["stall"])
    await ecs.close()
    assert [one["desiredCount"] for one in found["services"]] == [0]
    changes = await asyncio.to_thread(second.changes, "-var=take_over=true")
    kinds = {one.split(".")[0] for one in changes} - EMULATED
    assert kinds == {"aws_eip", "aws_nat_gateway", "aws_route"}, "tasks and databases are not at the emulator"
    assert not await fenced(emulator)
    await asyncio.to_thread(second.apply)
    assert [one for one in await asyncio.to_thread(second.state) if one.startswith("aws_nat_gateway")]
    assert await fenced(emulator) == {f"market-dev-{one}" for one in ("prices", "prices-start", "stall", "stall-start")}
    await asyncio.to_thread(second.changes, "-var=take_over=true", "-var=fenced=true")
    await asyncio.to_thread(second.apply)
    assert not await fenced(emulator), "once this region writes no more, the first one may"


async def fenced(emulator: str) -> set[str]:
    """List the roles that are denied everything but their logs."""
    iam = AwsClient("iam", AwsAddress(region="us-east-1", endpoint=emulator, access=ACCOUNT, secret="secret"))
    found = set()
    for role in (await iam.ask("list_roles"))["Roles"]:
        name = role["RoleName"]
        if "fenced-by-standby" in (await iam.ask("list_role_policies", RoleName=name))["PolicyNames"]:
            found.add(name)
    await iam.close()
    return found
