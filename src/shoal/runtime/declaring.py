"""``python -m shoal.runtime.declaring FILE``: declare streams and consumers as the broker's operator, and end.

``SHOAL_BROKER_URL`` is the operator's address. The file is JSON: ``{"streams": [...], "consumers": [...]}``; where no
file can be brought, ``SHOAL_STREAMS`` holds the same.
"""

import os
import sys
from pathlib import Path

import msgspec
import uvloop

from shoal.drivers import broker_admin
from shoal.drivers.base import Consumer, Stream
from shoal.errors import SettingsError, ShoalError

STREAMS = "SHOAL_STREAMS"


class Declarations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the broker is to have."""

    streams: tuple[Stream, ...]
    consumers: tuple[Consumer, ...]


async def declare(url: str, file: Path | None, text: str = "") -> None:
    """Declare what a file says, or a text where there is none; safe to repeat.

    Raises:
        ShoalError: It cannot be read, or the broker is away.
    """
    where = str(file) if file is not None else STREAMS
    try:
        said = file.read_bytes() if file is not None else text.encode()  # noqa: ASYNC240 - one small file
        found = msgspec.json.decode(said, type=Declarations)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{where} says no streams: {error}", hint="`shoal deploy` writes it") from error
    if not url:
        raise SettingsError("it is not said where the broker is", hint="set SHOAL_BROKER_URL, as its operator")
    await broker_admin(url).declare(found.streams, found.consumers)


if __name__ == "__main__":
    try:
        given = Path(sys.argv[1]) if sys.argv[1:] else None
        uvloop.run(declare(os.environ.get("SHOAL_BROKER_URL", ""), given, os.environ.get(STREAMS, "")))
    except ShoalError as error:
        sys.exit(f"error: {error}")
