"""The proxies of a running system, and what was planned of them."""

from pathlib import Path

from shoal import model
from shoal.local import faults
from shoal.local.layout import layout_of
from shoal.model.plan import Plan, plan
from shoal.model.target import LOCAL, with_options
from shoal.operating.running import current
from shoal.operating.where import Where


def proxies(where: Where, system: model.System) -> tuple[tuple[Path, ...], Plan]:
    """Find the administration sockets of the living run's proxies, and its plan; `HostError` without any."""
    target = with_options(LOCAL, mesh=current(where.root).mesh)
    return faults.proxies(layout_of(where.root)), plan(system, target)
