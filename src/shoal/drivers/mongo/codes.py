"""What MongoDB's error codes mean (``src/mongo/base/error_codes.yml`` of the server)."""

TAKEN, EXISTS, NO_TRANSACTION = 11000, 48, 251
"""A unique value, or a collection, is there already; a transaction is not known."""

COLLIDES = frozenset({112, 239, 246})
"""Of what merely met another's change: a write, a snapshot that is gone or not there yet."""

PASSING = frozenset({6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436})
"""Of a server that goes away or is not the first of its set: trying again helps."""
