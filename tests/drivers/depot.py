"""A warehouse that is opened again and again, at a played server."""

from typing import Generic, Protocol, TypeVar

from shoal.drivers import open_warehouse
from shoal.drivers.base import Warehouse


class Played(Protocol):
    """A server that is played."""

    @property
    def url(self) -> str: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


P = TypeVar("P", bound=Played)


class Depot(Generic[P]):
    """What the suite of warehouses asks for, and the server behind it."""

    def __init__(self, played: P) -> None:
        self.played = played
        self.opened: list[Warehouse] = []

    async def warehouse(self) -> Warehouse:
        self.opened.append(open_warehouse(self.played.url))
        await self.opened[-1].open()
        return self.opened[-1]

    async def close(self) -> None:
        for warehouse in self.opened:
            await warehouse.close()
        await self.played.stop()
