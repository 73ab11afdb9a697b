"""What a running system can be asked to do: one JSON line in, one JSON line back, on a socket of its owner's."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shoal.errors import DeclarationError, HostError, ShoalError

LONGEST = 256 * 1024

_log = logging.getLogger("shoal.local")

Handler = Callable[[Mapping[str, Any]], Awaitable[object]]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and with what."""

    do: str
    values: dict[str, Any] = msgspec.field(default_factory=dict)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; an error has a message."""

    result: Any = None
    error: str = ""
    hint: str = ""
    environment: bool = False
    """Whether the machine or an engine is at fault."""


def socket_of(runtime: str | Path) -> Path:
    """Locate the socket below the folder of sockets of a run."""
    return Path(runtime) / "s" / "control"


async def serve(place: Path, handlers: Mapping[str, Handler]) -> asyncio.Server:
    """Take wishes; the folder of the socket lets nobody in but its owner."""
    await asyncio.to_thread(place.unlink, missing_ok=True)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            writer.write(msgspec.json.encode(await _answer(await reader.readline(), handlers)) + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(client, place, limit=LONGEST)


async def ask(place: Path, do: str, **values: object) -> Any:
    """Ask the running system, and return what it says.

    Raises:
        HostError: It does not answer, or stops while it does.
        ShoalError: It refuses, or has failed.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(place, limit=LONGEST)
    except OSError as error:
        raise HostError(
            f"the running system does not answer at {place}", hint="shoal ps; was it started by an older Shoal?"
        ) from error
    try:
        writer.write(msgspec.json.encode(Wish(do=do, values=dict(values))) + b"\n")
        await writer.drain()
        reply = msgspec.json.decode(await reader.readline(), type=Reply)
    except (OSError, ValueError) as error:  # none, or a part of one
        raise HostError(f"the running system has stopped while it was asked to {do}", hint="shoal logs") from error
    finally:
        writer.close()
    if reply.error:
        raise (HostError if reply.environment else ShoalError)(reply.error, hint=reply.hint)
    return reply.result


async def _answer(line: bytes, handlers: Mapping[str, Handler]) -> Reply:
    try:
        wish = msgspec.json.decode(line, type=Wish)
        handler = handlers[wish.do]
    except (msgspec.MsgspecError, KeyError):
        return Reply(error="this run does not know that command", hint="was it started by another version of Shoal?")
    try:
        return Reply(result=await handler(wish.values))
    except ShoalError as error:
        said = f"{error.where}: {error.message}" if error.where else error.message
        return Reply(error=said, hint=error.hint, environment=not isinstance(error, DeclarationError))
    except Exception as error:  # noqa: BLE001 - whoever asked is to hear of it
        _log.exception("%s failed", wish.do)
        return Reply(error=f"{wish.do} failed: {type(error).__name__}: {error}", environment=True)
