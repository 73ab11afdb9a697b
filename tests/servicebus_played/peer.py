"""The server's side of one AMQP connection."""

import itertools
import time
from collections.abc import Callable
from typing import Any

from proton import Condition, Data

from shoal.drivers.servicebus.engine import Carried, Delivery, Engine, Event, Link, decode, symbol
from tests.servicebus_played import asked, claims
from tests.servicebus_played.state import Namespace, Session, Subscription, Topic

FILTER = "com.microsoft:session-filter"
CREDIT = 1000


class Peer(Engine):
    """Whoever connected."""

    def __init__(self, namespace: Namespace, changed: Callable[[Subscription], None]) -> None:
        super().__init__(serves=True)
        self.namespace, self._changed = namespace, changed
        self.connection.container = "played"
        self.entered: dict[str, str] = {}
        """Policy by which each entity was entered."""
        self.hears: dict[str, tuple[Any, Subscription, str]] = {}
        """Links that have a session, by name: with its subscription and group."""
        self._replies: dict[str, Any] = {}
        self._links: dict[str, Any] = {}
        self._tags = itertools.count(1)

    def heard(self, event: Event) -> None:
        kind = event.type
        if kind == Event.CONNECTION_REMOTE_OPEN:
            event.connection.open()
        elif kind == Event.CONNECTION_REMOTE_CLOSE:
            event.connection.close()
        elif kind == Event.SESSION_REMOTE_OPEN:
            event.session.open()
        elif kind == Event.SESSION_REMOTE_CLOSE:
            event.session.close()
            event.session.free()
        elif kind == Event.LINK_REMOTE_OPEN:
            self._attach(event.link)
        elif kind in (Event.LINK_REMOTE_CLOSE, Event.LINK_REMOTE_DETACH):
            self._detached(event.link)
        elif kind == Event.LINK_FLOW and event.link.name in self.hears:
            self.pump(event.link.name)
        elif kind == Event.DELIVERY and event.link.is_sender:
            self._answered(event.delivery)
        elif kind == Event.DELIVERY and not event.delivery.partial and event.delivery.readable:
            self._sent(event.link, event.delivery)

    def ended(self) -> None:
        for name in [*self.hears]:
            self._let_go(name, closed=self.namespace.severed)

    def pump(self, name: str) -> None:
        """Deliver what there is credit for."""
        link, subscription, group = self.hears[name]
        while link.credit > 0 and (stored := subscription.next(group, time.time())) is not None:
            delivery = link.delivery(f"{stored.number}.{next(self._tags)}")
            link.stream(stored.shown().encode())
            link.advance()
            delivery.stored = stored
        self.flush_soon()

    def lose(self, name: str) -> None:
        """Take away a session whose time is over."""
        link, subscription, group = self.hears.pop(name)
        subscription.give_back(subscription.session(group), counted=True)
        self._refuse(link, "com.microsoft:session-lock-lost", "its time is over")
        self.flush_soon()

    def idle(self) -> None:
        """Close every link, as if nothing had gone over any."""
        for link in self._links.values():
            self._refuse(link, "amqp:link:detach-forced", "no activity for 600000 ms")
        for name in [*self.hears]:
            self._let_go(name, closed=True)
        self._links.clear()
        self.flush_soon()

    def _attach(self, link: Link) -> None:
        address = _address(link)
        entity = address.removesuffix("/$management")
        if address == "$cbs" or address != entity:
            if self._enters(link, entity, "listen"):
                self._accept(link)
                if link.is_sender:
                    self._replies[link.remote_target.address] = self._replies[address] = link
            return
        if not self._enters(link, entity, "send" if link.is_receiver else "listen"):
            return
        found = self.namespace.find(entity)
        if link.is_receiver and isinstance(found, Topic):
            link.max_message_size = self.namespace.largest
            self._accept(link)
        elif link.is_sender and isinstance(found, Subscription):
            self._session(link, found)
        else:
            self._refuse(link, "amqp:not-found", f"there is no {entity}")

    def _enters(self, link: Link, entity: str, *rights: str) -> bool:
        if entity == "$cbs":
            return True
        policy = self.entered.get(entity)
        if policy is None or not any(self.namespace.may(policy, entity, right) for right in rights):
            self._refuse(link, "amqp:unauthorized-access", f"no right to {' or '.join(rights)} at {entity}")
            return False
        if self.namespace.find(entity) is None:
            self._refuse(link, "amqp:not-found", f"there is no {entity}")
            return False
        return True

    def _session(self, link: Link, subscription: Subscription) -> None:
        group = _read(link.remote_source.filter).get(FILTER)
        assert isinstance(group, str), "a subscription with sessions is read by session"
        session = subscription.session(group)
        if session.holder is not None and session.until > time.time():
            self._refuse(link, "com.microsoft:session-cannot-be-locked", "somebody else has it")
            return
        if session.holder is not None:
            peer, name = session.holder
            if name in peer.hears:
                peer.lose(name)
            subscription.give_back(session, counted=True)
        session.holder, session.until = (self, link.name), time.time() + subscription.lock
        link.source.filter.put_object({symbol(FILTER): group})
        self._accept(link)
        self.hears[link.name] = (link, subscription, group)

    def _accept(self, link: Link) -> None:
        link.source.address, link.target.address = link.remote_source.address, link.remote_target.address
        link.snd_settle_mode, link.rcv_settle_mode = link.remote_snd_settle_mode, link.remote_rcv_settle_mode
        self._links[link.name] = link
        link.open()
        if link.is_receiver:
            link.flow(CREDIT)

    def _refuse(self, link: Link, condition: str, description: str) -> None:
        link.condition = Condition(condition, description)
        link.open()
        link.close()

    def _detached(self, link: Link) -> None:
        if link.name in self.hears:
            self._let_go(link.name, closed=True)
        self._links.pop(link.name, None)
        link.close()

    def _let_go(self, name: str, *, closed: bool) -> None:
        _, subscription, group = self.hears.pop(name)
        if closed:
            subscription.give_back(subscription.session(group), counted=False)
            self._changed(subscription)

    def _sent(self, link: Link, delivery: Delivery) -> None:
        data = bytes(link.recv(delivery.pending) or b"")
        link.advance()
        link.flow(1)
        address = _address(link)
        if address == "$cbs" or address.endswith("/$management"):
            self._settle(delivery, None)
            self._reply(decode(data), address)
            return
        topic = self.namespace.find(address)
        if self.namespace.asleep:
            return
        refused = self.namespace.refused(decode(data))
        if len(data) > self.namespace.largest:
            refused = ("amqp:link:message-size-exceeded", f"{len(data)} bytes")
        if not isinstance(topic, Topic):
            refused = ("amqp:not-found", "it was deleted")
        self._settle(delivery, refused)
        if refused is None:
            assert isinstance(topic, Topic)
            self.namespace.publish(topic, data)
            for subscription in topic.subscriptions.values():
                self._changed(subscription)

    def _settle(self, delivery: Delivery, refused: tuple[str, str] | None) -> None:
        if refused is not None:
            delivery.local.condition = Condition(*refused)
        delivery.update(Delivery.ACCEPTED if refused is None else Delivery.REJECTED)
        delivery.settle()

    def _reply(self, question: Carried, node: str) -> None:
        link = self._replies[question.reply_to or node]  # Microsoft's client says to $cbs where nothing
        found = self.namespace.find(node.removesuffix("/$management"))
        answer = self._token(question) if node == "$cbs" else asked.answer(self, found, question)
        link.delivery(str(next(self._tags)))
        link.stream(answer.encode())
        link.advance()

    def _token(self, question: Carried) -> Carried:
        resource = str(question.properties["name"])
        policy = claims.policy(self.namespace, str(question.body), resource)
        status = 202 if policy else 401
        if policy:
            self.entered[resource.partition("//")[2].partition("/")[2]] = policy
        return Carried(body=None, correlation=question.id, properties={"status-code": status})

    def _answered(self, delivery: Delivery) -> None:
        if not delivery.updated or delivery.link.name not in self.hears:
            if delivery.updated:
                delivery.settle()
            return
        _, subscription, group = self.hears[delivery.link.name]
        self._answer(subscription, subscription.session(group), delivery)

    def _answer(self, subscription: Subscription, session: Session, delivery: Delivery) -> None:
        stored, state = delivery.stored, delivery.remote_state
        if session.taken.pop(stored.number, None) is None or session.until <= time.time():
            delivery.local.condition = Condition("com.microsoft:session-lock-lost")
            delivery.update(Delivery.REJECTED)
        else:
            if state == Delivery.ACCEPTED:
                subscription.messages.pop(stored.number, None)
            elif state == Delivery.REJECTED:
                subscription.dead.append(subscription.messages.pop(stored.number))
            elif state == Delivery.MODIFIED and delivery.remote.undeliverable:
                stored.deferred = True
            else:
                subscription.count(stored)
            delivery.update(state)
        delivery.settle()


def _address(link: Link) -> str:
    """Say what a link is for; Microsoft's client names the namespace before it."""
    address = (link.remote_target if link.is_receiver else link.remote_source).address or ""
    return str(address if "://" not in address else address.partition("://")[2].partition("/")[2])


def _read(data: Data) -> dict[str, Any]:
    """Read a link's filters."""
    data.rewind()
    found = data.get_object() if data.next() is not None else {}
    return {str(name): value for name, value in found.items()}
