"""Where streams begin and end, which AMQP has no question for: the first and the last message are looked at."""

from shoal.drivers.base import Position
from shoal.drivers.rabbitmq import library
from shoal.drivers.rabbitmq.library import Parcel
from shoal.drivers.rabbitmq.link import Link
from shoal.errors import Unavailable

CHUNK = 20_000
"""Messages that are taken at once from the end of a stream. What ``last`` begins with is the last *chunk*, all that was
stored together; since 3.13 the server sends no more of it than may be unanswered, and its last message counts."""


async def edge(link: Link, stream: str) -> tuple[list[Parcel], list[Parcel]] | None:
    """Read what lies at the beginning of a stream and at its end; None when there is no stream.

    A stream sends what it holds once its process has heard of the subscription, and only then answers to the next
    one. So when a third subscription is made and two questions were answered after it, all that it holds at its ends
    has come; nothing has come of an empty one (docs/decisions/0034).
    """
    first: list[Parcel] = []
    last: list[Parcel] = []
    channel = await link.channel()
    try:
        await link.ask(channel.barrier(CHUNK))
        await link.ask(channel.subscribe(stream, "last", last.append))
        await link.ask(channel.barrier(1))  # for the subscriptions that follow
        await link.ask(channel.subscribe(stream, "first", first.append))
        await link.ask(channel.subscribe(stream, "next", lambda _: None))
        for _ in range(2):
            await link.ask(channel.barrier(1))
    except library.Ended as ended:
        if ended.missing:
            return None
        raise link.refusal(ended, f"read stream {stream}") from ended
    finally:
        await channel.close()
    return first, last


async def ends(link: Link, stream: str) -> tuple[int, int] | None:
    """Return the first offset of a stream, and the one behind its last; None when there is no stream."""
    found = await edge(link, stream)
    if found is None:
        return None
    first, last = found
    end = max((parcel.offset for parcel in last), default=-1) + 1
    return min((parcel.offset for parcel in first), default=end), end


async def position(link: Link, stream: str, made: str, fallen: int | None = None) -> Position | None:
    """Say how far a stream has come.

    Args:
        link: Whom to ask.
        stream: Its name.
        made: When it was made.
        fallen: How far it had come when it was found shorter than before; what was stored since is not counted.
    """
    found = await ends(link, stream)
    if found is None:
        return None
    first, end = found
    end = end if fallen is None else min(end, fallen)
    return Position(last=end, count=max(0, end - first), made=made)


async def require_ends(link: Link, stream: str) -> tuple[int, int]:
    """Return both ends, or raise `Unavailable`."""
    found = await ends(link, stream)
    if found is None:
        raise Unavailable(f"there is no stream {stream}", hint="declare it first")
    return found
