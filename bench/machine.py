"""What the figures were measured on: processors, kernel, disk, versions, and how busy the machine was."""

import importlib.metadata
import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PROBE_WRITES = 300
_PAGE = 8192
_PACKAGES = ("uvicorn", "uvloop", "httptools", "msgspec", "fastapi", "pydantic", "joserfc", "asyncpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Busyness:
    """How much of the machine others had."""

    steal: float
    """Part of the processors' time that the hypervisor gave to others."""
    load: float
    """Load average of the last minute."""


@dataclass(frozen=True, slots=True)
class _Ticks:
    total: int
    steal: int


class Watch:
    """Measures busyness from its making until `read`."""

    def __init__(self) -> None:
        self._before = _ticks()

    def read(self) -> Busyness:
        """Return what happened since."""
        now = _ticks()
        spent = now.total - self._before.total
        return Busyness(steal=(now.steal - self._before.steal) / spent if spent else 0.0, load=os.getloadavg()[0])


def facts() -> dict[str, str]:
    """Describe the machine."""
    return {
        "processor": processor(),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in _PACKAGES),
        "write of 8 KiB and fdatasync": f"median {_fsync_ms():.3f} ms",
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """Name the processor, and say how many cores of it there are."""
    return f"{_model()}, {os.cpu_count()} cores"


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _fsync_ms() -> float:
    """Time overwriting one page durably, which bounds every durable command."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_PROBE_WRITES):
            started = time.perf_counter()
            os.pwrite(file.fileno(), b"\1" * _PAGE, 0)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return median(taken) * 1000


def _ticks() -> _Ticks:
    """Read the first line of ``/proc/stat`` (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal."""
    with Path("/proc/stat").open(encoding="ascii") as file:
        fields = [int(word) for word in file.readline().split()[1:9]]
    return _Ticks(total=sum(fields), steal=fields[7])
