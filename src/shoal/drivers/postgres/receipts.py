"""Recorded answers to idempotent commands."""

from typing import cast

import msgspec

from shoal.drivers.base import Receipt, Row
from shoal.drivers.postgres import schema

READ = """
select key, fingerprint, status, headers::text as headers, body, at = 'infinity' as lasting
from shoal.receipts where key = $1
"""

CLAIM = f"select pg_advisory_xact_lock({schema.CLAIMING}, hashtext($1))"
"""Keys that share a hash only wait for each other."""

_pairs = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def receipt(row: Row) -> Receipt:
    """Read a row of `READ`."""
    return Receipt(
        key=cast("str", row["key"]), fingerprint=cast("str", row["fingerprint"]), status=cast("int", row["status"]),
        headers=_pairs.decode(cast("str", row["headers"])), body=cast("bytes", row["body"]),
        lasting=cast("bool", row["lasting"]),
    )  # fmt: skip
