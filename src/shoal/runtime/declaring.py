"""``python -m shoal.runtime.declaring FILE``: declare streams and consumers as the broker's operator, and end.

``SHOAL_BROKER_URL`` is the operator's address. The file is JSON: ``{"streams": [...], "consumers": [...]}``.
"""

import os
import sys
from pathlib import Path

import msgspec
import uvloop

from shoal.drivers import broker_admin
from shoal.drivers.base import Consumer, Stream
from shoal.errors import SettingsError, ShoalError


class Declarations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the broker is to have."""

    streams: tuple[Stream, ...]
    consumers: tuple[Consumer, ...]


async def declare(url: str, file: Path) -> None:
    """Declare what the file says; safe to repeat. Raises `ShoalError` when it cannot be read, or the broker is away."""
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Declarations)  # noqa: ASYNC240 - one small file
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{file} says no streams: {error}", hint="`shoal deploy kubernetes` writes it") from error
    if not url:
        raise SettingsError("it is not said where the broker is", hint="set SHOAL_BROKER_URL, as its operator")
    await broker_admin(url).declare(found.streams, found.consumers)


if __name__ == "__main__":
    try:
        uvloop.run(declare(os.environ.get("SHOAL_BROKER_URL", ""), Path(*sys.argv[1:2])))
    except ShoalError as error:
        sys.exit(f"error: {error}")
