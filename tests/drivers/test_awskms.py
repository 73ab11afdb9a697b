"""AWS KMS as MiniStack plays it, which turns no key and looks at no key of a caller."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import open_key_ring
from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient
from shoal.errors import EngineError, HostError, Unavailable
from shoal.local.engines import aws, start
from shoal.local.ports import free_port
from shoal.local.urls import aws_url
from tests.conformance.keyring import KEY, PLACE

try:
    aws.locate()
except HostError as error:
    pytest.skip(str(error), allow_module_level=True)
if "SHOAL_MATRIX" not in os.environ:
    pytest.skip("`make matrix` asks this of MiniStack's KMS", allow_module_level=True)
pytestmark = pytest.mark.live


@pytest_asyncio.fixture(name="url")
async def _url(place: Path) -> AsyncIterator[str]:
    port = free_port()
    running = await start(aws.recipe(aws.AwsOptions(directory=place / "aws", port=port)), on_line=lambda _: None)
    try:
        yield aws_url("awskms", port, "AKIA", "secret", "alias/users").replace("%2F", "/")
    finally:
        await running.process.stop()


async def test_a_key_wraps_for_its_context_and_opens_when_its_alias_has_moved(url: str) -> None:
    operator = AwsClient("kms", read(url))
    ring = open_key_ring(url)
    try:
        with pytest.raises(EngineError, match="NotFound"):
            await ring.wrap(KEY, PLACE)
        keys = [(await operator.ask("create_key"))["KeyMetadata"]["KeyId"] for _ in range(2)]
        await operator.ask("create_alias", AliasName="alias/users", TargetKeyId=keys[0])
        wrapped = await ring.wrap(KEY, PLACE)
        assert keys[0] in wrapped.under
        await operator.ask("update_alias", AliasName="alias/users", TargetKeyId=keys[1])
        assert await ring.unwrap(wrapped, PLACE) == KEY
        assert keys[1] in (await ring.wrap(KEY, PLACE)).under
        with pytest.raises(EngineError, match="InvalidCiphertext"):
            await ring.unwrap(wrapped, "elsewhere")
        await operator.ask("disable_key", KeyId=keys[0])
        with pytest.raises(EngineError, match="Disabled") as refused:
            await ring.unwrap(wrapped, PLACE)
        assert not isinstance(refused.value, Unavailable)
    finally:
        await ring.close()
        await operator.close()
