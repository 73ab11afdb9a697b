"""The service behind the edge, in a process of its own: ``python -m tests.hostile.application SOCKET``."""

import asyncio
import sys

from tests.mesh.hostile import endless


async def main() -> None:
    """Serve until killed, and take as many connections at once as a service does."""
    server = await asyncio.start_unix_server(endless, sys.argv[1], backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
