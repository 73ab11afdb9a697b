"""What is declared: streams, consumers, and the topics that there are. All of it is read together."""

import asyncio

from shoal.drivers.base.declared import Declared, Record, StreamRecord
from shoal.drivers.pubsub import records
from shoal.drivers.pubsub.link import Exists, Gone, Link
from shoal.errors import Unavailable


class Registry(Declared):
    """The streams and consumers of one project. A stream is there that has a topic."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._topics: frozenset[str] = frozenset()
        self._begun = 0
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read all of it again; who asks while others do has what was read after they asked."""
        begun = self._begun
        async with self._turn:
            if self._begun > begun:
                return
            self._begun += 1
            found, topics = list[Record](), set[str]()
            async for topic in self._link.pages("topics"):
                topics.add(topic["name"].rpartition("/")[2])
                written = records.unpack(topic.get("labels", {}))
                if written is not None:
                    found.append(written)
            self._topics = frozenset(topics)
            self.forget()
            for record in found:
                self.note(record)
            self.settle(self._topics)

    async def require(self, stream: str) -> StreamRecord:
        """Look up a stream as it is now; `Unavailable` when there is none."""
        await self.refresh()
        record = self.stream(stream)
        if record is None:
            raise Unavailable(f"there is no stream {stream}", hint="declare it first")
        return record

    async def write(self, record: Record) -> None:
        """Write a record down, in the place of the one that there was.

        Its topic is made anew, since the emulator changes no labels. Who reads in between has nothing, and reads again.
        """
        topic = self._link.topic(records.topic_name(record))
        labels = records.pack(record)
        while True:
            try:
                await self._link.ask("PUT", topic, {"labels": labels})
                break
            except Exists:
                await self._remove(topic)
        self.note(record)
        self.settle(self._topics)

    async def _remove(self, topic: str) -> None:
        try:
            await self._link.ask("DELETE", topic)
        except Gone:
            return
