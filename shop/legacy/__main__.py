"""Run the old application on ``$HOST:$PORT``, with its files in ``$STATE``: a thread for each request."""

import os
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from shop.legacy.application import Application


class Server(ThreadingMixIn, WSGIServer):
    """Serves requests side by side."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Says nothing of each request: the proxy does."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until the process ends."""
    state = Path(os.environ["STATE"])
    state.mkdir(parents=True, exist_ok=True)
    address = (os.environ["HOST"], int(os.environ["PORT"]))
    with make_server(*address, Application(state), Server, Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
