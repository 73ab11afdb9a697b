"""Names within Google Cloud's limits, by one law: a project has one environment, so names are short. Pure.

Sources: service accounts (6 to 30 characters), projects (6 to 30), Cloud Run (49; with the project's number 63, or
there is no address that can be told before), databases of Firestore (4 to 63), instances of Cloud SQL and Memorystore
(letters, digits and hyphens, 63), datasets of BigQuery (letters, digits and underscores), buckets (63, for all
customers together), secrets (255), tags of the network (63), labels (63).
"""

from shoal.deploy.cloud.naming import joined
from shoal.model import names

ACCOUNT, PROJECT, NAME, BUCKET = 30, 30, 63, 63


def account(service: str) -> str:
    """Name the service account of a service."""
    return joined("service", service, limit=ACCOUNT)


def project(system: str, environment: str) -> str:
    """Name the project of an environment, where nobody has named it."""
    return joined(system, environment, "project" if len(f"{system}-{environment}") < 6 else "", limit=PROJECT)


def bucket(project: str, service: str) -> str:
    """Name the bucket of a service; a project's id is nobody else's, so neither is this."""
    return joined(project, service, limit=BUCKET)


def database(service: str) -> str:
    """Name the database of documents of a service."""
    return joined(service, "documents", limit=NAME)


def dataset(service: str) -> str:
    """Name the dataset of a service."""
    return f"{names.database(service)}_facts"


def secret(service: str, name: str) -> str:
    """Name a secret; no service has a dot in its name, so no two meet."""
    return f"{service}_{name}"
