"""The operator's side: makes containers, which nobody may read without a signature."""

from collections.abc import Sequence
from contextlib import suppress

from shoal.drivers.azblob.service import BlobService
from shoal.errors import Conflict


class BlobAdmin:
    """Implements `base.objects.ObjectsAdmin`."""

    def __init__(self, service: BlobService) -> None:
        self._service = service

    async def declare(self, places: Sequence[str]) -> None:
        """Make containers."""
        try:
            for container in places:
                with suppress(Conflict):  # it is there
                    await self._service.ask("PUT", f"/{container}", {"restype": "container"})
        finally:
            await self._service.close()
