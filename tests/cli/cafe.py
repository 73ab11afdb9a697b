"""A small system with a store, which is written, priced and compared."""

SYSTEM = '''
from shoal import Postgres, Service, System, anyone

till = Service("till", store=Postgres())

@till.get("/sales", access=anyone)
async def sales() -> int:
    """Count what was sold."""
    return 0

system = System("cafe", services=[till])
'''
