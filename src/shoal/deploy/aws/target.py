"""Which target a system is planned for: the engines that services are meant for, or their likes on AWS."""

from shoal.deploy.aws.settings import Environment
from shoal.deploy.cloud import target as cloud
from shoal.model.plan import Plan
from shoal.model.system import System

INSTEAD = {"folder": "s3", "blob": "s3", "gcs": "s3", "bigquery": "redshift"}
"""Stores of objects, and warehouses, that belong elsewhere, and what stands for them here."""


def planned(system: System, environment: Environment) -> Plan:
    """Plan a system for an environment."""
    return cloud.planned(system, environment, name="aws", broker="sns", instead=INSTEAD, meshed=environment.eks)
