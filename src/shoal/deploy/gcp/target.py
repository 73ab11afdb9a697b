"""Which target a system is planned for: the engines that services are meant for, or their likes on Google Cloud."""

from shoal.deploy.cloud import target as cloud
from shoal.deploy.gcp.settings import Environment
from shoal.model.plan import Plan
from shoal.model.system import System

INSTEAD = {
    "folder": "gcs", "s3": "gcs", "blob": "gcs",
    "dynamodb": "firestore", "mongo": "firestore",
    "opensearch": "postgres-search", "redshift": "bigquery",
}  # fmt: skip
"""Engines that belong elsewhere or are not run by Google, and what stands for them here."""


def planned(system: System, environment: Environment) -> Plan:
    """Plan a system for an environment."""
    return cloud.planned(system, environment, name="gcp", broker="pubsub", instead=INSTEAD)
