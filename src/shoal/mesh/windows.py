"""How much may be under way to one who reads slowly, and so how much memory one request takes.

Envoy holds for each stream of HTTP/2 as much as its window allows, 16 MiB by default: a hundred requests whose clients
read nothing would fill its memory. A connection's window is shared by its streams: were it smaller than all of
theirs, those who do not read would stop the others between the listeners, where all requests share few connections.
"""

BUFFER = 32 * 1024
"""Bytes held for one connection in each direction."""

STREAM = 64 * 1024
"""Bytes that may be under way for one request or its answer."""

CLIENT = {"initial_stream_window_size": STREAM, "initial_connection_window_size": 16 * STREAM}
"""Windows towards clients: one who does not read stops at most itself."""

HOP = {"initial_stream_window_size": STREAM, "initial_connection_window_size": 2**31 - 1}
"""Windows between listeners: the streams' own are the only bound."""

REPEATED = 1024 * 1024
"""Bytes of a body that are kept until a replica has taken the request, to send it to another."""
