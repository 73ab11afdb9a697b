"""The languages that the shop writes in."""

from typing import Literal

Language = Literal["en", "de"]
