"""Mistakes with what the gateway offers; each line that says so must be flagged."""

from shoal import Cache, Cors, Gateway, Parts, RateLimit, SecurityHeaders, Service, Tls, Update, Versions, anyone

front = Service("front")
origins = Cors(origins=["https://a.example"])  # expect-error
oldest = Tls(minimum="1.1")  # expect-error
kept = Cache("60")  # expect-error
ended = Cache(60, invalidated_by=["quotes.taken"])  # expect-error
everybody = Gateway(cors="*")  # expect-error
year = SecurityHeaders(transport_security="a year")  # expect-error
newest = Versions(default="latest")  # expect-error
everywhere = RateLimit(requests=1, shared="valkey")  # expect-error
numbered = Update(data=1, id=7)  # expect-error
endless = Parts()  # expect-error


@front.get("/a", version="2", access=anyone)  # expect-error
async def spelt() -> None:
    """Spell a version."""


@front.get("/d", cache=60, access=anyone)  # expect-error
async def brief() -> None:
    """Say only how long."""


@front.get("/b", sunset="2027-01-01", access=anyone)  # expect-error
async def written() -> None:
    """Write a date."""


@front.stream("/c", access=anyone)  # expect-error
async def at_once() -> int:
    """Answer where it should go on."""
    return 1
