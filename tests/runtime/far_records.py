"""A record that the service which writes it does not name."""

import msgspec

from shoal import Personal, record


@record("strays", key="id")
class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody."""

    id: str
    name: Personal[str]
