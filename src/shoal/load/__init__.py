"""Declare who uses a system and how, for ``shoal load``. No service imports it.

A journey is an async function of a `Visitor`; a `Load` says which there are, and how often each is begun.
"""

from shoal.load.answer import Answer, Left
from shoal.load.journeys import Journey, Load, Persona
from shoal.load.think import Think, constant, exponential, lognormal, uniform
from shoal.load.visitor import Visitor

__all__ = [
    "Answer",
    "Journey",
    "Left",
    "Load",
    "Persona",
    "Think",
    "Visitor",
    "constant",
    "exponential",
    "lognormal",
    "uniform",
]
