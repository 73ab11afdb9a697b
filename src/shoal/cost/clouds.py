"""Clouds whose bill is known. A new one is a file that ends in a `Cloud`, and a line."""

from collections.abc import Mapping
from typing import Any

from shoal.cost import aws, azure, gcp
from shoal.cost.cloud import Cloud

CLOUDS: Mapping[str, Cloud[Any, Any]] = {one.name: one for one in (aws.CLOUD, azure.CLOUD, gcp.CLOUD)}
