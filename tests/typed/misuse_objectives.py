"""Mistakes with objectives; each line that says so must be flagged."""

from shoal import Objective, Service, anyone

Objective(0.999)  # expect-error
Objective(availability="99.9 %")  # expect-error
Objective(latency=0.3, percentile=99)  # expect-error
Objective(latency=0.3, window=30)  # expect-error
Service("hut", objectives=Objective(availability=0.999))  # expect-error
Service("hut", objectives=[0.999])  # expect-error
Objective(availability=0.999).goal = 0.9  # expect-error
Objective(availability=0.999).window.days  # expect-error  # noqa: B018
promise: str = Objective(latency=0.3).seconds  # expect-error
hut = Service("hut")


@hut.get("/tea", access=anyone, objectives=[0.3])  # expect-error
async def tea() -> None:
    """Promise a number."""


@hut.get("/cake", access=anyone, objective=[Objective(latency=0.3)])  # expect-error
async def cake() -> None:
    """Promise one."""
