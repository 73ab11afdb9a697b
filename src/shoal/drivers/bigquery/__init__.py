"""A warehouse in Google BigQuery. URLs: ``bigquery://PROJECT/DATASET?location=EU``.

The dataset is there already, in that location. ``api=HOST:PORT`` names another place than Google's own, and ``tls=0``
is for emulators on loopback.
"""

import re
from urllib.parse import parse_qs, urlsplit

from shoal.drivers.base import Warehouse
from shoal.drivers.base.endpoint import endpoint
from shoal.drivers.base.rest import Rest
from shoal.drivers.bigquery.jobs import Jobs
from shoal.drivers.bigquery.warehouse import BigQueryWarehouse
from shoal.drivers.google.identity import bearer
from shoal.errors import DeclarationError

__all__ = ["warehouse"]

_USE = "bigquery://PROJECT/DATASET?location=EU"
_ITSELF = "Google BigQuery"
_PLACE = "https://bigquery.googleapis.com"
_PROJECT = re.compile(r"[a-z0-9.:-]+", re.ASCII)
_DATASET = re.compile(r"\w+", re.ASCII)

SECONDS = 60.0
"""For one answer; a report may take a while."""


LARGEST = 32 * 1024 * 1024
"""Bytes of one answer: a page of rows with texts."""


def warehouse(url: str) -> Warehouse:
    """Return the dataset that the URL names, not yet looked at."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    project, dataset = parts.netloc, parts.path.removeprefix("/")
    if unknown := sorted(given.keys() - {"location", "api", "tls"}):
        raise DeclarationError(f"the bigquery address has an unknown parameter {unknown[0]!r}", hint=f"use: {_USE}")
    if not _PROJECT.fullmatch(project) or not _DATASET.fullmatch(dataset):
        raise DeclarationError(f"the bigquery address names no dataset: {url!r}", hint=f"use: {_USE}")
    place = given.get("api", "")
    base = endpoint("bigquery", place, urlsplit(f"//{place}").hostname or "", given.get("tls", "1"), _ITSELF) or _PLACE
    rest = Rest(_ITSELF, seconds=SECONDS, largest=LARGEST)
    jobs = Jobs(rest, base, bearer(rest), project=project, dataset=dataset, location=given.get("location", ""))
    return BigQueryWarehouse(jobs)
