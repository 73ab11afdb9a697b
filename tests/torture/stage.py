"""A shop to be tortured: running, with customers, copies of its broker's store, and an operator's eyes."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shoal.audit.standing import opened, site_of
from shoal.testing import LiveSystem
from tests.torture.clients import Crowd, gather
from tests.torture.copies import Copies
from tests.torture.faults import Field


@asynccontextmanager
async def stage(shop: LiveSystem, folder: Path, seed: int) -> AsyncIterator[tuple[Field, Crowd]]:
    """Prepare a running shop; copies of its broker's store go to `folder`."""
    copies = Copies(shop=shop, folder=folder)
    crowd = await gather(shop, seed)
    async with opened(shop.declared, site_of(shop.plan, shop.root), shop.state.urls) as subject:
        chance = random.Random(f"{seed}/faults")  # noqa: S311 - repeatable
        taking = asyncio.create_task(copies.keep_taking())
        try:
            yield Field(shop=shop, chance=chance, copies=copies, subject=subject), crowd
        finally:
            taking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await taking
