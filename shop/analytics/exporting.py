"""Reports as files."""

import csv
import datetime as dt
import io
from collections.abc import Iterable

import msgspec

from shoal import object_kind
from shop.analytics.reports import RevenueOfDay

CSV = "text/csv; charset=utf-8"
HOUR = 3600.0


@object_kind("exports", largest=50_000_000)
class Export:
    """A report as a file."""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """Where a file is to be fetched."""

    url: str
    expires_at: dt.datetime


def table(rows: Iterable[RevenueOfDay]) -> bytes:
    """Write rows as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(RevenueOfDay.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(row) for row in rows)
    return out.getvalue().encode()
