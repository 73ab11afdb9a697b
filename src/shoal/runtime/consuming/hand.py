"""What a consumer has in hand: bounded, in order within each key, and open to everything else. Pure."""

from collections.abc import Iterator
from math import inf

from shoal.runtime.consuming.item import Item

MOST_BYTES = 8 * 1024 * 1024
"""No more is taken while the messages in hand are larger than this together; the last fetch comes on top."""

AHEAD = 256
"""Messages that are taken before they can be worked on; those that wait for a failing one of their key come on top."""


class Hand:
    """Messages that were delivered and are not answered, in the order in which they came.

    Args:
        most: Messages that it holds at a time.
    """

    def __init__(self, most: int) -> None:
        self._most, self._bytes, self._waiting = most, 0, 0
        self._items: dict[str, Item] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter([*self._items.values()])

    @property
    def room(self) -> int:
        """How many more it may take."""
        if self._bytes >= MOST_BYTES:
            return 0
        return max(0, min(self._most, AHEAD + self._waiting) - len(self._items))

    def get(self, message: str) -> Item | None:
        """Find a message by its id."""
        return self._items.get(message)

    def add(self, item: Item) -> None:
        """Take a message that is not in hand."""
        self._items[item.id] = item
        self._bytes += item.size

    def remove(self, item: Item) -> None:
        """Let go of a message; one that is not in hand is passed over."""
        if self._items.get(item.id) is item:
            del self._items[item.id]
            self._bytes -= item.size

    def ready(self, now: float, most: int) -> tuple[list[Item], list[Item]]:
        """List what can be worked on now: up to `most` messages that may share a transaction, and the single ones.

        A message waits for those of its key that came before it, unless they are in the same list of shared ones.
        """
        shared: list[Item] = []
        single: list[Item] = []
        begun: set[str] = set()
        closed: set[str] = set()
        late: set[str] = set()
        waiting = 0
        for item in self._items.values():
            key = item.key
            if key in closed:
                waiting += key in late
            elif item.busy or item.due > now:
                closed.add(key)
                if not item.busy:
                    late.add(key)
                    waiting += 1
            elif not item.batchable:
                closed.add(key)
                if key not in begun:
                    single.append(item)
            elif len(shared) < most:
                begun.add(key)
                shared.append(item)
            else:
                closed.add(key)
        self._waiting = waiting
        return shared, single

    def soonest(self, now: float) -> float:
        """Say when the next message becomes due that is not yet; infinity when none does."""
        return min((item.due for item in self._items.values() if item.due > now and not item.busy), default=inf)
