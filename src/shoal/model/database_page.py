"""Where each service keeps its data and why, as a page of the documentation: written from the model. Pure."""

from collections.abc import Iterator

from shoal.model import catalog
from shoal.model.cache import CacheUse
from shoal.model.objects import ObjectsUse
from shoal.model.search import SearchUse
from shoal.model.service import Service
from shoal.model.store import Store
from shoal.model.system import System
from shoal.model.warehouse import Warehouse

MANAGED = {
    "postgres": "PostgreSQL (Amazon RDS, Azure Database for PostgreSQL, Cloud SQL)",
    "documents": "documents in PostgreSQL, likewise",
    "mongo": "MongoDB (Atlas, or what speaks its protocol)",
    "dynamodb": "Amazon DynamoDB",
    "firestore": "Google Firestore",
    "valkey": "Valkey or Redis (Amazon ElastiCache, Azure Managed Redis, Memorystore)",
    "folder": "a folder on a disk of the service's own",
    "s3": "Amazon S3",
    "gcs": "Google Cloud Storage",
    "blob": "Azure Blob Storage",
    "duckdb": "DuckDB: a file on a disk of the service's own",
    "bigquery": "Google BigQuery",
    "redshift": "Amazon Redshift Serverless",
    "postgres-search": "PostgreSQL, in the service's own database",
    "opensearch": "OpenSearch or Elasticsearch (Amazon OpenSearch Service, Elastic Cloud)",
}
"""What an engine is in production, by its name in the catalog."""

_HEAD = """# Where each service keeps its data

Written from what the services of [the shop](../../shop/README.md) declare (`store=`, `cache=`, `warehouse=`,
`search=`,
`objects=`); a test compares the two. What stands for an engine on a laptop is of the catalog;
`shoal run --engine SERVICE.store=ENGINE` takes another one ([how to choose](../how-to/engines.md)). The column *in
production* says what a service is meant for, and not what was tried: only what runs on a laptop was.

"""


def page(system: System) -> str:
    """Write the page."""
    lines = [_line("service", "keeps its", "on a laptop", "in production", "why"), _line(*["---"] * 5)]
    for service in system.services:
        lines += list(_rows(service)) or [
            _line(service.name, "nothing", "–", "–", "it asks the others, and keeps nothing")
        ]
    return _HEAD + "\n".join(lines) + "\n"


def _rows(service: Service) -> Iterator[str]:
    kept: tuple[tuple[str, Store | CacheUse | Warehouse | SearchUse | ObjectsUse | None], ...] = (
        ("data", service.store),
        ("short-lived values", service.cache),
        ("facts", service.warehouse),
        ("indexes of words", service.search),
        ("objects", service.objects),
    )
    for what, where in kept:
        if where is not None:
            meant = ("" if isinstance(where, CacheUse) else where.production) or where.engine
            here = catalog.engine(where.engine).product
            yield _line(service.name, what, here, MANAGED[meant], where.why or "–")


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
