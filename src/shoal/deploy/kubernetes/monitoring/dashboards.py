"""Dashboards as ConfigMaps, which Grafana's sidecar finds by their label."""

import json
from collections.abc import Iterator

from shoal.deploy.kubernetes.monitoring import boards
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Entry, Made, Text
from shoal.deploy.yaml import Json

BOARDS = (("golden", boards.golden), ("events", boards.events), ("map", boards.whole))
"""Name and maker of each dashboard. They are the same for every environment, so they are applied once for a cluster."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the dashboards: a file each, which the kustomization of the cluster makes ConfigMaps of."""
    for name, maker in BOARDS:
        yield Text(
            path=f"cluster/dashboards/{name}.json", text=f"{json.dumps(maker(scope), indent=2, ensure_ascii=False)}\n"
        )
        generator: Json = {
            "name": f"{scope.system}-{name}-dashboard",
            "files": [f"dashboards/{name}.json"],
            "options": {"disableNameSuffixHash": True, "labels": {"grafana_dashboard": "1"}},
        }
        yield Entry(folder="cluster", field="configMapGenerator", value=generator)
