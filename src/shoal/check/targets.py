"""Environments as authors write them, ``targets/*.toml``: what is asked of them, and at which line it stands. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shoal.check.finding import Place

FOLDER = "targets/"
CLOUDS = ("aws", "gcp", "azure")
"""Beginnings of the names of files that are of a cloud; others are of a cluster of Kubernetes."""

LEAST, MOST = 2, 4
"""Replicas at rest and under load where nothing is said, in every kind of environment."""


@dataclass(frozen=True, eq=False)
class Target:
    """One environment.

    Attributes:
        path: Its file.
        text: What is written there.
        said: The same, read.
    """

    path: str
    text: str
    said: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.said.get("name", self.stem))

    @property
    def stem(self) -> str:
        """The name of its file, without folder and ending."""
        return self.path.rpartition("/")[2].removesuffix(".toml")

    @property
    def cloud(self) -> str:
        """Of which cloud it is; empty for Kubernetes."""
        return next((cloud for cloud in CLOUDS if self.stem.startswith(cloud)), "")

    def of(self, service: str, key: str, default: Any) -> Any:
        """Say what a service has: its own value where it has one that is not zero, else the environment's."""
        own = self.table("services").get(service, {})
        value = own.get(key) if isinstance(own, dict) else None
        return value or self.said.get(key) or default

    def table(self, key: str) -> Mapping[str, Any]:
        """Return one of its tables; an empty one where there is none."""
        found = self.said.get(key, {})
        return found if isinstance(found, dict) else {}

    def at(self, key: str, table: str = "") -> Place:
        """Say where a key stands; the head of its table, or the first line, where it does not."""
        section, head = "", 0
        for number, line in enumerate(self.text.splitlines(), 1):
            if found := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
                section = found[1].replace('"', "")
                head = number if section == table else head
            elif section == table and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
                return Place(self.path, number)
        return Place(self.path, head or 1)

    def place(self, service: str, key: str) -> Place:
        """Say where the value of a service stands."""
        own = self.table("services").get(service, {})
        return self.at(key, f"services.{service}") if isinstance(own, dict) and own.get(key) else self.at(key)


def targets(files: Mapping[str, str]) -> Iterator[Target]:
    """Read every environment; what is no TOML is for `shoal deploy` to say."""
    for path in files:
        if path.startswith(FOLDER) and path.endswith(".toml"):
            try:
                yield Target(path, files[path], tomllib.loads(files[path]))
            except tomllib.TOMLDecodeError:
                continue
