"""Where topics begin and end."""

from shoal.drivers.base import Position
from shoal.drivers.kafka import library
from shoal.drivers.kafka.link import MOVED, Link
from shoal.errors import Unavailable


async def position(link: Link, stream: str, fallen: int | None = None) -> Position | None:
    """Ask for both ends of a topic; None when there is none.

    Args:
        link: Whom to ask.
        stream: Its name.
        fallen: How far it had come when it was found shorter than before; what was stored since is not counted.
    """
    topic = await link.topic(stream, fresh=True)
    if topic is None:
        return None
    first, last = await ends(link, topic)
    last = last if fallen is None else min(last, fallen)
    return Position(last=last, count=max(0, last - first), made=topic.id)


async def ends(link: Link, topic: library.Topic) -> tuple[int, int]:
    """Ask for the first offset of a topic, and for the one behind its last.

    A fetch tells the latter: Tansu lists the offset behind the first record of the last batch.
    """
    first, listed = [await _listed(link, topic, end) for end in (library.EARLIEST, library.LATEST)]
    answer = await link.ask(library.fetch({topic.name: listed}, 0.0, 1), node=topic.leader)
    ((_, found),) = library.fetched(answer)
    _require(link, topic, found.error)
    return first, max(listed, found.end)


async def _listed(link: Link, topic: library.Topic, end: int) -> int:
    answer = await link.ask(library.list_offset(topic.name, end), node=topic.leader)
    error, offset = library.offset_of(answer)
    _require(link, topic, error)
    return max(0, offset)


def _require(link: Link, topic: library.Topic, error: int) -> None:
    if error in MOVED:
        link.lose()
    if error:
        what = f"{link.address.place} cannot say how far topic {topic.name} has come"
        raise Unavailable(f"{what}: {library.error_name(error)}", hint="try again")
