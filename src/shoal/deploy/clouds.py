"""Columns of docs/reference/clouds.md. A new cloud is a line."""

from shoal.deploy.aws import cells as aws
from shoal.deploy.cloud.cells import Column

COLUMNS: tuple[Column, ...] = (aws.COLUMN,)
