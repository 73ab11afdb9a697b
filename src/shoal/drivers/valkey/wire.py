"""How Valkey is spoken to: commands as arrays of strings, replies as RESP2 (https://valkey.io/topics/protocol/)."""

from asyncio import StreamReader

from shoal.errors import EngineError

Reply = bytes | int | list["Reply"] | None | EngineError
"""What a command gives; an error of the server is a value, since others may follow it in the same connection."""

_END = b"\r\n"


def command(*words: str | bytes | int) -> bytes:
    """Write one command."""
    told = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"".join((b"*%d\r\n" % len(told), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in told)))


async def reply(reader: StreamReader) -> Reply:
    """Read one reply.

    Raises:
        EOFError: The connection ended before it was complete.
        ValueError: It is none.
    """
    line = await reader.readuntil(_END)
    kind, rest = line[:1], line[1:-2]
    match kind:
        case b"+":
            return rest
        case b"-":
            return EngineError(f"Valkey refuses: {rest.decode('utf-8', 'replace')}")
        case b":":
            return int(rest)
        case b"$":
            return None if rest == b"-1" else (await reader.readexactly(int(rest) + 2))[:-2]
        case b"*":
            return None if rest == b"-1" else [await reply(reader) for _ in range(int(rest))]
    raise ValueError(f"{line!r} begins no reply of Valkey")
