"""What is declared, as messages that stay: everybody who may listen there knows what there is."""

import asyncio

import msgspec

from shoal.drivers.base import Message
from shoal.drivers.base.declared import Declared, Record, StreamRecord
from shoal.drivers.servicebus import kept, wire
from shoal.drivers.servicebus.link import SESSION, Link
from shoal.drivers.servicebus.meaning import Gone
from shoal.errors import Unavailable

_MOST = 100_000


class Registry(Declared):
    """The streams and consumers of one namespace."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._places: dict[str, list[int]] = {}
        self._begun = 0
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read all of it again; who asks while others do has what was read after they asked."""
        begun = self._begun
        async with self._turn:
            if self._begun > begun:
                return
            self._begun += 1
            try:
                letters = await kept.look(self._link, wire.REGISTRY.name, 0, _MOST)
            except Gone:
                letters = []
            self.forget()
            self._places = {}
            for letter in letters:
                if letter.message is not None and letter.place:
                    self._places.setdefault(letter.message.id, []).append(letter.place)
                    self.note(msgspec.json.decode(letter.message.body, type=Record))
            self.settle(self._written)

    async def require(self, stream: str) -> StreamRecord:
        """Look up a stream as it is now; `Unavailable` when there is none."""
        await self.refresh()
        record = self.stream(stream)
        if record is None:
            raise Unavailable(f"there is no stream {stream}", hint="declare it first")
        return record

    async def write(self, record: Record) -> None:
        """Write a record down, behind the one that it replaces."""
        if isinstance(record, StreamRecord):
            name = f"stream {record.stream.name}"
        else:
            name = f"consumer {record.consumer.stream} {record.consumer.name}"
        message = Message(id=name, subject=wire.REGISTRY.subjects[0], body=msgspec.json.encode(record))
        out = await self._link.sender(wire.REGISTRY.name)
        data = wire.carry(message, wire.REGISTRY, 0, SESSION, out.largest or wire.LARGEST)
        await self._link.taken(out, out.send(data))
        self.note(record)
        self.settle(self._written)

    async def tidy(self) -> None:
        """Take away the records that were replaced."""
        await self.refresh()
        old = [place for places in self._places.values() for place in places[:-1]]
        await kept.remove(self._link, wire.REGISTRY.name, old)
