"""The local server of Amazon's interfaces, and their client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiobotocore.session import AioSession

from shoal.local.engines import aws, start
from shoal.local.ports import LOOPBACK, free_port
from shoal.local.secrets import OPERATOR
from shoal.local.urls import AWS_REGION


@asynccontextmanager
async def amazon() -> AsyncIterator[int]:
    """Run the server until the block ends; give its port."""
    with TemporaryDirectory(prefix="sh-", dir="/tmp") as folder:
        options = aws.AwsOptions(directory=Path(folder), port=free_port())
        running = await start(aws.recipe(options), on_line=lambda _line: None)
        try:
            yield options.port
        finally:
            await running.process.stop()


@asynccontextmanager
async def client(service: str, port: int) -> AsyncIterator[Any]:
    """Open the client of one interface."""
    session: Any = AioSession()
    made = session.create_client(
        service, region_name=AWS_REGION, endpoint_url=f"http://{LOOPBACK}:{port}", aws_access_key_id=OPERATOR,
        aws_secret_access_key="bench",  # noqa: S106 - the server looks at no keys
    )  # fmt: skip
    async with made as opened:
        yield opened
