"""One bucket of tokens in Valkey: asked and taken from in one step, by Valkey's clock.

Kept is how many tokens are missing, and since when; as they come back that number falls, and with its last the key
expires. So a caller who has been away costs nothing, and gateways need no common clock.
"""

import hashlib
import math

from shoal.drivers.valkey.link import Link
from shoal.errors import EngineError
from shoal.local.limiter.messages import Entry, Question, Status
from shoal.local.limiter.settings import Bucket

TAKE = """
local per_token, size, hits = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local missing, since = 0, now
local kept = redis.call('GET', KEYS[1])
if kept then
  local first, second = string.match(kept, '^(%S+) (%S+)$')
  missing, since = tonumber(first), tonumber(second)
  missing = math.max(0, missing - math.max(0, now - since) / per_token)
end
local passed = missing + hits <= size + 1e-9
if passed then
  missing = missing + hits
end
if passed or now < since then
  local life = math.ceil(missing * per_token / 1000) + 1
  redis.call('SET', KEYS[1], string.format('%.17g %.0f', missing, now), 'PX', string.format('%.0f', life))
end
local left = math.max(0, math.floor(size - missing + 1e-9))
local wait = left > 0 and 0 or (missing - size + 1) * per_token
return {passed and 1 or 0, left, string.format('%.0f', math.ceil(wait))}
"""
"""What is done at a time `now`, in microseconds."""

SCRIPT = f"local clock = redis.call('TIME')\nlocal now = clock[1] * 1000000 + clock[2]{TAKE}"

_DIGEST = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
_MICROSECONDS = 1_000_000

COMMANDS = ("+eval", "+evalsha", "+get", "+set", "+time")
"""What the user needs that asks."""

PREFIX = "shoal.limits:"
"""How every key begins; no system has a name with a dot, so no service's part of a cache begins like that."""


async def take(link: Link, question: Question, entries: tuple[Entry, ...], bucket: Bucket) -> Status:
    """Take tokens out of the bucket of `entries`, if it has so many.

    Raises:
        EngineError: Valkey is away, or refuses.
    """
    per_token = bucket.per * _MICROSECONDS / bucket.requests
    told = (1, key(question.domain, entries), repr(per_token), bucket.size, question.hits)
    try:
        found = await link.call("EVALSHA", _DIGEST, *told)
    except EngineError as error:
        if "NOSCRIPT" not in str(error):
            raise
        found = await link.call("EVAL", SCRIPT, *told)
    return read(found, bucket)


def read(found: object, bucket: Bucket) -> Status:
    """Understand what the script gives; raises `EngineError` for what it cannot have given."""
    match found:
        case [int(passed), int(left), bytes(wait)]:
            reset = math.ceil(int(wait) / _MICROSECONDS)
            return Status(passed=bool(passed), size=bucket.size, left=left, reset=reset)
    raise EngineError(f"Valkey gave {found!r} for a bucket")


def key(domain: str, entries: tuple[Entry, ...]) -> str:
    """Name a bucket: the operation to be read by people, its caller as a digest of bounded length."""
    (_, operation), *caller = entries
    told = b"".join(b"%d:%b" % (len(part), part) for entry in caller for part in map(str.encode, entry))
    whose = hashlib.blake2b(told, digest_size=16).hexdigest() if caller else "everyone"
    return f"{PREFIX}{domain}:{operation}:{whose}"
