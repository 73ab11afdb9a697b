"""The base of everything that the model says."""

import msgspec


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the model's data: frozen, by keyword, strict about unknown fields."""
