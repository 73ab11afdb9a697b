"""What ``$management`` of a subscription answers (AMQP request/response operations)."""

import time
from typing import Any

from proton import timestamp

from shoal.drivers.servicebus.engine import Carried
from tests.servicebus_played.state import Subscription, Topic


def answer(who: object, subscription: Subscription | Topic | None, question: Carried) -> Carried:
    """Do what somebody asks of a subscription."""
    if not isinstance(subscription, Subscription):
        return _said(question, 404, "amqp:not-found")
    operation = str(question.properties["operation"]).removeprefix("com.microsoft:")
    if operation == "peek-message":
        return _peek(question, subscription)
    if operation == "renew-session-lock":
        return _renew(who, question, subscription)
    return _said(question, 501, "amqp:not-implemented")


def _peek(question: Carried, subscription: Subscription) -> Carried:
    first, most = question.body["from-sequence-number"], question.body["message-count"]
    listed = [
        {"message": stored.shown().encode()}
        for number, stored in sorted(subscription.messages.items())
        if number >= first and stored.carried.group == question.body["session-id"]
    ][:most]
    return _said(question, 200, value={"messages": listed}) if listed else _said(question, 204)


def _renew(who: object, question: Carried, subscription: Subscription) -> Carried:
    session = subscription.session(question.body["session-id"])
    name = question.properties["associated-link-name"]
    if session.holder != (who, name) or session.until <= time.time():
        return _said(question, 410, "com.microsoft:session-lock-lost")
    session.until = time.time() + subscription.lock
    return _said(question, 200, value={"expiration": timestamp(int(session.until * 1000))})


def _said(question: Carried, status: int, condition: str = "", value: Any = None) -> Carried:
    properties: dict[str, Any] = {"statusCode": status, "statusDescription": condition or "OK"}
    if condition:
        properties["errorCondition"] = condition
    return Carried(body=value, correlation=question.id, properties=properties)
