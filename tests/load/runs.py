"""Short runs of a load against a server of the test's own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from shoal.load import Load
from shoal.load.operations import Operations
from shoal.load.runner import Order, Run
from shoal.load.wire import Site


def signed(subject: str, roles: Sequence[str], claims: Mapping[str, Any]) -> str:
    return " ".join(("token of", subject, *roles))


def make(load: Load[Any], site: Site, order: Order) -> Run[Any]:
    return Run(load, site, order, Operations(()), signed)


async def carry_out(load: Load[Any], site: Site, order: Order) -> Run[Any]:
    run = make(load, site, order)
    await run.drive(asyncio.Event())
    return run
