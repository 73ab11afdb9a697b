"""Sockets are channels of a service's AsyncAPI document, which the official schema takes."""

from typing import Any

import msgspec

from shoal import Issuer, Service, Socket, System, anyone, signed_in
from shoal.model.asyncapi import asyncapi
from shoal.service.describe import describe
from tests.model.test_documents import references, resolves, validator


class Said(msgspec.Struct):
    text: str


class Heard(msgspec.Struct):
    by: str


desk = Service("desk")


@desk.socket("/desks/{town}", access=signed_in, largest=1024, rate=5)
async def weigh(town: str, since: int, socket: Socket[Said, Heard]) -> None:
    """Weigh what is said."""


@desk.socket("/open", access=anyone)
async def talk(socket: Socket[Said, Heard]) -> None:
    """Converse with anybody."""


SYSTEM = System("desks", services=[desk], issuer=Issuer(desk, audience="api"))


def test_asyncapi_documents_have_the_sockets() -> None:
    document: Any = asyncapi(describe(SYSTEM).services[0])
    validator("asyncapi-3.0.0").validate(document)
    assert all(resolves(document, reference) for reference in references(document))
    channel = document["channels"]["socket-weigh"]
    assert (channel["address"], list(channel["parameters"])) == ("/desks/{town}", ["town"])
    assert channel["bindings"]["ws"]["query"]["required"] == ["since"]
    assert (channel["x-websocket"]["maxMessageBytes"], channel["x-websocket"]["messagesPerSecond"]) == (1024, 5)
    spoken = {
        operation["action"]: document["components"]["messages"][operation["messages"][0]["$ref"].rpartition("/")[2]]
        for name, operation in document["operations"].items()
        if name.endswith("socket-weigh")
    }
    assert spoken["receive"]["payload"] == {"$ref": "#/components/schemas/Said"}
    assert spoken["send"]["payload"] == {"$ref": "#/components/schemas/Heard"}
    assert {name for name, o in document["operations"].items() if "security" in o} == {
        "receive-socket-weigh",
        "send-socket-weigh",
    }
