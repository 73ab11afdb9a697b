"""cdk8s, which writes the objects that the shop's manifests hold: a process, and the node beside it."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench import cpu
from bench.rounds import Sample
from shoal.model.artifact import Artifact

HOME = Path(__file__).parents[2]
PYTHON = HOME / ".venv-cdk8s" / "bin" / "python"


def absence() -> str:
    """Say why it cannot be compared with; empty when it can."""
    if not PYTHON.exists():
        return "cdk8s is not in .venv-cdk8s; `make bench` puts it there"
    if shutil.which("node") is None:
        return "cdk8s runs in node, which is not here"
    return ""


def objects(artifacts: Iterable[Artifact]) -> list[dict[str, Any]]:
    """Read the objects of all manifests, without kustomizations, to which cdk8s would give names."""
    found = [one for a in artifacts if a.path.endswith(".yaml") for one in yaml.safe_load_all(a.text)]
    return [one for one in found if isinstance(one, dict) and "apiVersion" in one and "metadata" in one]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdk8s:
    """Writes the same objects, again and again."""

    process: "subprocess.Popen[str]"
    size: int
    """How many services these are."""
    most: int
    """Times of one round at most."""
    name: str = "cdk8s"

    async def run(self, operations: int) -> Sample:
        """Write so many services, the system once more each time."""
        times = min(self.most, operations // self.size)
        clock, spent = time.perf_counter(), cpu.by_process([self.process.pid])
        for _ in range(times):
            self.ask("write")
        return Sample(
            operations=times * self.size,
            seconds=time.perf_counter() - clock,
            cpu_ns=cpu.since(spent, [self.process.pid]),
        )

    def ask(self, what: str) -> Any:
        """Have everything written once."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("cdk8s was started without pipes")
        print(what, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline() or "null")


@contextmanager
def started(bodies: list[dict[str, Any]], *, size: int, most: int) -> Iterator[Cdk8s]:
    """Start it with these objects, and hold it to writing exactly these.

    Raises:
        RuntimeError: What it wrote is something else.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, complaints = Path(folder) / "objects.json", Path(folder) / "stderr"
        file.write_text(json.dumps(bodies), "utf-8")
        command = [str(PYTHON), str(Path(__file__).with_name("rival_program.py")), str(file)]
        with (
            complaints.open("wb") as errors,
            subprocess.Popen(  # noqa: S603 - a program of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder
            ) as process,
        ):
            side = Cdk8s(process=process, size=size, most=most)
            text = side.ask("show")
            if text is None or list(yaml.safe_load_all(text)) != bodies:
                raise RuntimeError(f"cdk8s wrote other objects: {complaints.read_text('utf-8', 'replace')[-2000:]}")
            yield side
