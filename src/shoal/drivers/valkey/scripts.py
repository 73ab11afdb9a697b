"""What Valkey does in one step. A script has the rights of its user, and the keys it names lie in one slot."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the digest under which the server keeps it."""

    text: str
    digest: str


def _script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


SWAP = _script("""
if redis.call('GET', KEYS[1]) ~= (ARGV[1] == '1' and ARGV[2]) then return 0 end
if ARGV[3] == '1' then redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) else redis.call('DEL', KEYS[1]) end
return 1
""")
"""Whether a value is expected, and it; whether one is written, it, and its milliseconds."""

ADD = _script("""
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum
""")

FILL = _script("""
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
""")

ACQUIRE = _script("""
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local clock = redis.call('TIME')
local token = clock[1] * 1000000 + clock[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if token <= last then token = last + 1 end
local told = string.format('%.0f', token)
redis.call('SET', KEYS[2], told, 'PX', ARGV[2])
redis.call('SET', KEYS[1], told, 'PX', ARGV[1])
return told
""")
"""Tokens are the server's microseconds, so that they grow also when it has lost everything it held."""

RENEW = _script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")

RELEASE = _script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
""")
