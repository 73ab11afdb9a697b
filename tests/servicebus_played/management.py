"""The management of the namespace, over HTTP."""

import re
from urllib.parse import unquote
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from aiohttp import web

from shoal.drivers.servicebus.atom import ATOM, SERVICE, VERSION
from tests.drivers.clouds_played import Played
from tests.servicebus_played import claims
from tests.servicebus_played.state import FOREVER, Namespace, Subscription, Topic


class PlayedManagement(Played):
    """Makes and lists what there is."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__()
        self.namespace = namespace

    async def answer(self, request: web.Request) -> web.Response:
        assert f"api-version={request.query['api-version']}" == VERSION
        policy = claims.policy(
            self.namespace, request.headers.get("authorization", ""), f"http://{self.place}{request.path}"
        )
        path = unquote(request.path.strip("/"))
        if not policy or not self.namespace.may(policy, path, "manage"):
            return _error(401, "no right to manage")
        if request.method == "GET":
            return self._list(path, int(request.query["$skip"]), int(request.query["$top"]))
        topic, _, rest = path.partition("/Subscriptions/")
        subscription, _, rule = rest.partition("/Rules/")
        if request.method == "DELETE":
            return self._delete(topic, subscription, rule)
        entry = fromstring(await request.read())  # noqa: S314 - it is our own
        return self._make(topic, subscription, rule, entry)

    def _list(self, path: str, skip: int, top: int) -> web.Response:
        topic, _, rest = path.partition("/Subscriptions")
        found: dict[str, dict[str, str]] = {}
        if path == "$Resources/topics":
            found = {name: {} for name in self.namespace.topics}
        elif topic not in self.namespace.topics:
            return _error(404, "no such topic")
        elif rest.endswith("/Rules"):
            one = self.namespace.topics[topic].subscriptions.get(rest.strip("/").removesuffix("/Rules"))
            if one is None:
                return _error(404, "no such subscription")
            found = {name: {} for name in one.rules}
        else:
            subscriptions = self.namespace.topics[topic].subscriptions
            found = {name: {"ActiveMessageCount": str(len(one.messages))} for name, one in subscriptions.items()}
        return _feed([*found.items()][skip : skip + top])

    def _make(self, topic: str, subscription: str, rule: str, entry: Element) -> web.Response:
        said = {each.tag.rpartition("}")[2]: (each.text or "") for each in entry.iter()}
        ttl = _seconds(said.get("DefaultMessageTimeToLive", ""))
        if not subscription:
            assert len(topic) <= 260
            if topic in self.namespace.topics:
                return _error(409, "it exists")
            self.namespace.topics[topic] = Topic(ttl=ttl)
            return web.Response(status=201)
        assert len(subscription) <= 50
        if topic not in self.namespace.topics:
            return _error(404, "no such topic")
        there = self.namespace.topics[topic].subscriptions
        if not rule:
            if subscription in there:
                return _error(409, "it exists")
            assert said["RequiresSession"] == "true"
            lock, most = _seconds(said["LockDuration"]), int(said["MaxDeliveryCount"])
            there[subscription] = Subscription(lock=lock, ttl=ttl, most=most)
            return web.Response(status=201)
        there[subscription].rules[rule] = said.get("Label", "")
        return web.Response(status=201)

    def _delete(self, topic: str, subscription: str, rule: str) -> web.Response:
        if rule:
            self.namespace.topics[topic].subscriptions[subscription].rules.pop(rule, None)
        elif subscription:
            self.namespace.topics[topic].subscriptions.pop(subscription, None)
        else:
            self.namespace.topics.pop(topic, None)
        return web.Response(status=200)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"PT([\d.]+)S", text)
    return float(found[1]) if found else FOREVER


def _feed(listed: list[tuple[str, dict[str, str]]]) -> web.Response:
    feed = Element(f"{{{ATOM}}}feed")
    for name, fields in listed:
        entry = SubElement(feed, f"{{{ATOM}}}entry")
        SubElement(entry, f"{{{ATOM}}}title").text = name
        content = SubElement(SubElement(entry, f"{{{ATOM}}}content"), f"{{{SERVICE}}}Description")
        for field, text in fields.items():
            SubElement(content, f"{{{SERVICE}}}{field}").text = text
    return web.Response(body=tostring(feed), content_type="application/atom+xml")


def _error(status: int, detail: str) -> web.Response:
    error = Element("Error")
    SubElement(error, "Code").text = str(status)
    SubElement(error, "Detail").text = detail
    return web.Response(status=status, body=tostring(error), content_type="application/xml")
