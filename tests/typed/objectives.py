"""What authors promise of their services."""

from shoal import Objective, Service, anyone, get

steady = Objective(availability=0.999)
quick = Objective(latency=0.3, target=0.99, window="7d")
hut = Service("hut", objectives=[steady])


@hut.get("/tea", access=anyone, objectives=[quick, Objective(latency=1)])
async def tea() -> str:
    """Serve tea."""
    return "tea"


class HutApi:
    """A contract may promise as well."""

    @get("/cake", objectives=(quick,))
    async def cake(self) -> str:
        """Serve cake."""
        raise NotImplementedError
