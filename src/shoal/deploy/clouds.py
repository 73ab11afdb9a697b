"""Columns of docs/reference/clouds.md. A new cloud is a line."""

from shoal.deploy.aws import cells as aws
from shoal.deploy.azure import cells as azure
from shoal.deploy.cloud.cells import Column
from shoal.deploy.gcp import cells as gcp

COLUMNS: tuple[Column, ...] = (aws.COLUMN, azure.COLUMN, gcp.COLUMN)
