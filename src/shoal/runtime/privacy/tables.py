"""What a service keeps of its keys."""

from shoal.drivers.base import OwnTable

WRAPPING = OwnTable(
    name="wrapping_keys",
    key="id",
    columns=(("id", "text"), ("purpose", "text"), ("under", "text"), ("wrapped", "bytes"), ("made", "time")),
)
"""The service's own keys, wrapped by its key ring. The newest of purpose ``wrap`` wraps the data keys; the one of
purpose ``find`` makes the hashes by which records are found, and is never another."""

KEYS = OwnTable(
    name="data_keys",
    key="id",
    columns=(("id", "text"), ("subject", "text"), ("scope", "text"), ("under", "text"), ("wrapped", "bytes")),
    indexes=(("subject", "scope"), ("under",)),
)
"""Data keys, one for each person and scope. A scope is ``records``, or the id of an event: the service's own, or
another's whose key was lent."""

ERASED = OwnTable(
    name="erased_subjects",
    key="subject",
    columns=(("subject", "text"), ("at", "time"), ("keys", "integer"), ("records", "integer")),
)
"""Persons who were erased, and what that took away: no key is ever made or borrowed for them again."""

RECORDS = "records"
"""Scope of the keys that seal a service's own records."""
