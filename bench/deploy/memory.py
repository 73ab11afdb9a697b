"""``python -m bench.deploy.memory SERVICES``: the most memory that compiling so many services takes, in MB."""

import resource
import subprocess
import sys

from bench.growth.run import ring
from shoal.deploy.kubernetes.compile import compile_kubernetes
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import ENVIRONMENTS
from shoal.deploy.kubernetes.target import target
from shoal.model.plan import plan


def measured(services: int) -> float:
    """Compile once in a process of its own; return its largest resident set, in MB (getrusage(2))."""
    command = [sys.executable, "-m", "bench.deploy.memory", str(services)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    return float(ended.stdout)


def main() -> None:
    """Compile, and print it."""
    system = ring(int(sys.argv[1]))
    made = compile_kubernetes(Scope(plan=plan(system, target(system, ENVIRONMENTS[0])), environments=ENVIRONMENTS))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(most if made else 0)


if __name__ == "__main__":
    main()
