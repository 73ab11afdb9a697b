"""A warehouse in Amazon Redshift Serverless. URLs: ``redshift:///WORKGROUP/DATABASE?region=eu-central-1``.

The workgroup and its database are there already; whoever has the role of this process may ask, and no password is
known. ``redshift://ACCESS:SECRET@HOST:PORT/WORKGROUP/DATABASE`` names other keys and another place, and ``tls=0`` is
for emulators on loopback. ``every=300`` gathers facts for so many seconds before they are appended, since each time is
billed as a minute at least; 0, and nothing said, appends them at once.
"""

import re

from shoal.drivers.aws import address
from shoal.drivers.aws.client import AwsClient
from shoal.drivers.base import Warehouse
from shoal.drivers.redshift.statements import Statements
from shoal.drivers.redshift.warehouse import RedshiftWarehouse
from shoal.errors import DeclarationError

__all__ = ["warehouse"]

_SERVICE = "redshift-data"
_USE = "redshift:///WORKGROUP/DATABASE?region=eu-central-1"
_WORKGROUP = re.compile(r"[a-z0-9-]{3,63}")
_SECONDS = re.compile(r"[0-9]{1,5}", re.ASCII)
_DATABASE = re.compile(r"[a-z_][a-z0-9_]{0,126}")


def warehouse(url: str) -> Warehouse:
    """Return the database that the URL names, not yet looked at."""
    found = address.read(url, known=("every",))
    workgroup, _, database = found.name.partition("/")
    if not _WORKGROUP.fullmatch(workgroup) or not _DATABASE.fullmatch(database):
        raise DeclarationError(
            f"the redshift address names no database of a workgroup: {found.name!r}", hint=f"use: {_USE}"
        )
    every = found.options.get("every", "0")
    if not _SECONDS.fullmatch(every):
        raise DeclarationError(f"the redshift address gathers facts for {every!r} seconds", hint="every=300")
    return RedshiftWarehouse(Statements(AwsClient(_SERVICE, found, connections=8), workgroup, database), float(every))
