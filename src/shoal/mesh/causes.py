"""Why a request got what it got: the causes that are told apart, and what to do about each."""

from typing import Literal

Cause = Literal[
    "answered",
    "service",
    "no-route",
    "wrong-method",
    "undeclared",
    "unauthenticated",
    "denied",
    "limited",
    "too-large",
    "malformed",
    "too-slow",
    "timed-out",
    "no-replica",
    "ejected",
    "breaker-open",
    "circuit-open",
    "fallback",
    "overloaded",
    "refused",
    "reset",
    "bad-answer",
    "fault",
    "retired",
    "client-gone",
    "misconfigured",
    "unknown",
]
"""``answered`` is no failure, ``service`` the answer of the service's own code; ``fallback`` stands for a failure."""

ADVICE: dict[Cause, str] = {
    "no-route": "nothing is declared there: see `shoal describe` for what is",
    "wrong-method": "ask with a method that is declared there",
    "undeclared": "name the contract as a parameter of a handler; that declares the call",
    "unauthenticated": "send a valid token as `Authorization: Bearer ...`; locally: shoal token",
    "limited": "wait as long as Retry-After says, or declare another limit",
    "too-large": "send less, or declare that more is taken",
    "malformed": "correct the client; nothing of it reached a service",
    "too-slow": "the client did not send in time",
    "timed-out": "make it faster, or declare a longer timeout",
    "no-replica": "see `shoal ps` and `shoal logs` for why no replica is ready",
    "ejected": "the replicas rest after failures and come back by themselves: shoal logs",
    "breaker-open": "declare larger bounds of traffic, more replicas, or fewer callers at a time",
    "circuit-open": "see why the calls before it failed; it tries again by itself",
    "fallback": "see why the callee did not answer; until it does, the fallback will",
    "overloaded": "send less, or give it more replicas",
    "refused": "see `shoal ps` and `shoal logs` for what became of the replica",
    "reset": "see `shoal logs` for a crash of the service",
    "fault": "it was injected: shoal fault list",
    "retired": "ask for a version that is still served",
    "client-gone": "nobody was left to answer",
    "misconfigured": "this is a mistake in the mesh's configuration; please report it",
}
"""What to do; causes that speak for themselves have none."""
