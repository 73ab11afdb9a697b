"""Our side of a connection: links, what is sent over them, and what comes.

Each link has an AMQP session to itself, as Microsoft's clients have it. A receiver settles second: what it answers is
answered in turn, and only then over.
"""

import asyncio
import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from shoal.drivers.servicebus.engine import Carried, Delivery, Engine, Event, Link, decode, symbol

LOST = "amqp:connection:lost"
"""What is said of everything on a connection that is gone."""

IDLE = "amqp:link:detach-forced"
"""What Service Bus says of a link over which nothing has gone for ten minutes."""

E = TypeVar("E", bound="End")


class Refused(Exception):
    """What the other side said instead of doing it.

    Args:
        condition: Symbol of the error.
        description: What it means.
    """

    def __init__(self, condition: str, description: str = "") -> None:
        super().__init__(f"{condition}: {description}" if description else condition)
        self.condition = condition


@dataclass(eq=False, slots=True)
class Got:
    """A message in hand."""

    delivery: Delivery
    carried: Carried


class End:
    """One link of a client."""

    def __init__(self, client: "Client", link: Link) -> None:
        self.client, self.link, self.name = client, link, link.name
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.fault: Refused | None = None

    def fail(self, fault: Refused) -> None:
        """Take note that it is over."""
        if self.fault is None:
            self.fault = fault
            settle(self.opened, fault)

    def close(self) -> None:
        """Say that it is no longer used."""
        if self.fault is None:
            self.fail(Refused("amqp:link:closed"))
            self.client.let_go(self)

    def delivered(self, delivery: Delivery) -> None:
        """Take note of something about a message."""
        raise NotImplementedError


class Out(End):
    """A link over which messages are sent."""

    def __init__(self, client: "Client", link: Link) -> None:
        super().__init__(client, link)
        self._sent: dict[str, asyncio.Future[None]] = {}
        self._tags = itertools.count(1)

    @property
    def largest(self) -> int:
        """Bytes of the largest message that it takes; 0 when it does not say."""
        return int(self.link.remote_max_message_size)

    def send(self, data: bytes) -> "asyncio.Future[None]":
        """Send a message; what is returned ends when it is taken, or with `Refused`."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.fault is not None:
            settle(taken, self.fault)
            return taken
        tag = str(next(self._tags))
        self._sent[tag] = taken
        self.link.delivery(tag)
        self.link.stream(data)
        self.link.advance()
        self.client.flush_soon()
        return taken

    def fail(self, fault: Refused) -> None:
        """Tell everybody who waits."""
        super().fail(fault)
        sent, self._sent = self._sent, {}
        for taken in sent.values():
            settle(taken, fault)

    def delivered(self, delivery: Delivery) -> None:
        """Take an answer."""
        if not delivery.updated or not (delivery.settled or delivery.remote_state):
            return
        taken = self._sent.pop(delivery.tag, None)
        state, condition = delivery.remote_state, delivery.remote.condition
        delivery.settle()
        if taken is not None and state == Delivery.ACCEPTED:
            settle(taken, None)
        elif taken is not None:
            said = ("amqp:released", "") if condition is None else (condition.name, condition.description or "")
            settle(taken, Refused(*said))


class In(End):
    """A link over which messages come."""

    def __init__(self, client: "Client", link: Link, got: Callable[[Got], None]) -> None:
        super().__init__(client, link)
        self._got = got
        self._answering: set[str] = set()
        self._still = asyncio.Event()
        self._still.set()
        self.lost: Callable[[Refused], None] = lambda _: None
        """Is told when it is over, unless it was closed here."""

    def credit(self, count: int) -> None:
        """Ask for so many more."""
        if self.fault is None:
            self.link.flow(count)
            self.client.flush_soon()

    def accept(self, got: Got) -> None:
        """Have a message taken away."""
        if self.fault is None:
            self._answering.add(got.delivery.tag)
            self._still.clear()
            got.delivery.update(Delivery.ACCEPTED)
            self.client.flush_soon()

    def close(self) -> None:
        """Say that it is no longer used; nobody is told."""
        self.lost = lambda _: None
        super().close()

    async def still(self) -> None:
        """Wait until all answers are answered, or nobody can any more."""
        await self._still.wait()

    def fail(self, fault: Refused) -> None:
        """Tell whoever uses it."""
        first = self.fault is None
        super().fail(fault)
        self._answering.clear()
        self._still.set()
        if first:
            self.lost(fault)

    def delivered(self, delivery: Delivery) -> None:
        """Take a message, or an answer to an answer."""
        if delivery.settled:
            self._answering.discard(delivery.tag)
            delivery.settle()
            if not self._answering:
                self._still.set()
        elif delivery.readable and not delivery.partial:
            data = self.link.recv(delivery.pending)
            self.link.advance()
            try:
                carried = decode(data or b"")
            except ValueError:
                carried = Carried(body=None)
            self._got(Got(delivery, carried))


class Client(Engine):
    """A connection that we made."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self.connection.hostname, self.connection.container = host, f"shoal-{uuid.uuid4().hex}"
        self.connection.open()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: Callable[[Refused], None] = lambda _: None
        self.fault: Refused | None = None
        self._ends: dict[str, End] = {}

    async def sender(self, address: str) -> Out:
        """Open a link to send over; raises `Refused`."""
        link = self._session().sender(_name())
        link.source.address, link.target.address = link.name, address
        link.snd_settle_mode, link.rcv_settle_mode = Link.SND_UNSETTLED, Link.RCV_FIRST
        return await self._opened(Out(self, link))

    async def receiver(
        self,
        address: str,
        got: Callable[[Got], None],
        *,
        filters: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> In:
        """Open a link over which messages come, without credit; raises `Refused`."""
        link = self._session().receiver(_name())
        link.source.address, link.target.address = address, link.name
        if filters:
            link.source.filter.put_object({symbol(name): value for name, value in filters.items()})
        if properties:
            link.properties = {symbol(name): value for name, value in properties.items()}
        link.snd_settle_mode, link.rcv_settle_mode = Link.SND_UNSETTLED, Link.RCV_SECOND
        return await self._opened(In(self, link, got))

    def close(self) -> None:
        """Say that the connection is over."""
        self._fail(Refused("amqp:connection:closed"))
        self.connection.close()
        self.flush()

    def let_go(self, end: End) -> None:
        """Close a link, and its session."""
        self._ends.pop(end.name, None)
        if self.fault is None:
            end.link.close()
            end.link.session.close()
            self.flush_soon()

    def heard(self, event: Event) -> None:
        """Pass it on to whom it is about."""
        kind = event.type
        if kind == Event.CONNECTION_REMOTE_OPEN and not self.opened.done():
            self.opened.set_result(None)
        elif kind == Event.LINK_REMOTE_OPEN:
            self._link_opened(event.link)
        elif kind in (Event.LINK_REMOTE_CLOSE, Event.LINK_REMOTE_DETACH):
            self._link_closed(event.link)
        elif kind == Event.SESSION_REMOTE_CLOSE:
            for end in [each for each in self._ends.values() if each.link.session == event.session]:
                self._over(end, _said(event.session.remote_condition))
            event.session.close()
            event.session.free()  # with its link, or the connection would have them as long as it lasts
        elif kind == Event.DELIVERY:
            about = self._ends.get(event.link.name)
            if about is not None:
                about.delivered(event.delivery)
        elif kind == Event.CONNECTION_REMOTE_CLOSE:
            self._fail(_said(event.connection.remote_condition))
            self.connection.close()
        elif kind == Event.TRANSPORT_ERROR:
            self._fail(_said(event.transport.condition))

    def ended(self) -> None:
        """Tell everybody that the connection is gone."""
        self._fail(Refused(LOST))

    def _session(self) -> Any:
        if self.fault is not None:
            raise self.fault
        session = self.connection.session()
        session.incoming_capacity = 0  # links are bounded by credit
        session.open()
        return session

    async def _opened(self, end: E) -> E:
        self._ends[end.name] = end
        end.link.open()
        self.flush_soon()
        try:
            await end.opened
        except BaseException:
            end.close()
            raise
        return end

    def _link_opened(self, link: Link) -> None:
        end = self._ends.get(link.name)
        refused = (link.remote_target if link.is_sender else link.remote_source).address is None
        if end is not None and not refused and not end.opened.done():  # a refusal is followed by its reason
            end.opened.set_result(None)

    def _link_closed(self, link: Link) -> None:
        end = self._ends.get(link.name)
        if end is not None:
            self._over(end, _said(link.remote_condition))

    def _over(self, end: End, fault: Refused) -> None:
        end.fail(fault)
        self.let_go(end)

    def _fail(self, fault: Refused) -> None:
        if self.fault is not None:
            return
        self.fault = fault
        settle(self.opened, fault)
        ends, self._ends = [*self._ends.values()], {}
        for end in ends:
            end.fail(fault)
        self.lost(fault)


def _name() -> str:
    return uuid.uuid4().hex


def _said(condition: Any) -> Refused:
    return Refused("amqp:closed") if condition is None else Refused(condition.name, condition.description or "")


def settle(future: "asyncio.Future[Any]", fault: Refused | None) -> None:
    """End a future, unless it has."""
    if future.done():
        return
    if fault is None:
        future.set_result(None)
    else:
        future.set_exception(fault)
        future.exception()  # whoever waits is told; nobody need
