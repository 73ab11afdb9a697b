"""The front asks the back, which answers at once; mill and sieve have work for the processor, much and little."""

import hashlib
from typing import Protocol

import msgspec

from shoal import Gateway, Service, System, anyone, contract, get, internal
from shoal.model.traffic import Shedding, Traffic

MUCH, LITTLE = 12_000, 1_500
"""Turns of a hash for one request, some three milliseconds and a third of one."""


class Thing(msgspec.Struct, frozen=True):
    """What is asked for."""

    number: int
    title: str


@contract("back")
class Back(Protocol):
    """What the back offers."""

    @get("/things/{number}", access=internal)
    async def thing(self, number: int) -> Thing:
        """Return one thing."""
        ...


front, back = Service("front"), Service("back", contracts=[Back])
mill = Service("mill", traffic=Traffic(shed=Shedding(latency=0.015)))
sieve = Service("sieve", traffic=Traffic(shed=Shedding(latency=0.004)))


@back.implements(Back.thing)
async def thing(number: int) -> Thing:
    """Answer at once."""
    return Thing(number=number, title="a thing")


@front.get("/relayed/{number}", access=anyone)
async def relayed(number: int, things: Back) -> Thing:
    """Ask the back."""
    return await things.thing(number)


@mill.get("/ground/{number}", access=anyone)
async def ground(number: int) -> Thing:
    """Work, as a handler that computes or asks a database does."""
    hashlib.pbkdf2_hmac("sha256", b"grain", b"salt", MUCH)
    return Thing(number=number, title="flour")


@sieve.get("/sifted/{number}", access=anyone)
async def sifted(number: int) -> Thing:
    """Do little more than answer."""
    hashlib.pbkdf2_hmac("sha256", b"grain", b"salt", LITTLE)
    return Thing(number=number, title="fine flour")


system = System("hops", services=[front, back, mill, sieve], gateway=Gateway())
