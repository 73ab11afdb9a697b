"""``python -m shoal.runtime.migrating``: migrate the store of the service that the ``SHOAL_*`` variables name, and end.

Replicas that start meanwhile do the same under the same lock, so it does not matter who comes first.
"""

import sys

import uvloop

from shoal.drivers import open_store
from shoal.errors import SettingsError, ShoalError
from shoal.runtime.config import ServiceConfig
from shoal.runtime.load import load
from shoal.runtime.preparing import prepare
from shoal.service.declare import Service


async def migrate(config: ServiceConfig) -> None:
    """Wait for the store, migrate it and check that it fits; raises `ShoalError` when it does not."""
    service = load(config.entry, Service)
    if not config.store_url:
        raise SettingsError(f"service {service.name} has no store to migrate", hint="set SHOAL_STORE_URL")
    store = open_store(config.store_url)
    try:
        await prepare(service, store)
    finally:
        await store.close()


if __name__ == "__main__":
    try:
        uvloop.run(migrate(ServiceConfig.from_environ()))
    except TimeoutError:
        sys.exit("error: the store did not come up in time")
    except ShoalError as error:
        sys.exit(f"error: {error}")
