"""Close the door from outside while what is inside goes on, so that nobody is cut off."""

import json
from pathlib import Path

from shoal import files
from shoal.errors import HostError
from shoal.local.probe import get, until
from shoal.mesh.bootstrap import LISTENERS
from shoal.mesh.edge import EDGE
from shoal.mesh.layout import Layout
from shoal.model.artifact import Artifact

_ACTIVE = f"http.{EDGE}.downstream_rq_active"


async def close(mesh: Layout, admin: Path) -> None:
    """Take the edge's listener away and wait until its last request has its answer; bound it with a timeout."""
    file = Path(mesh.root) / LISTENERS
    try:
        document = json.loads(file.read_bytes())
        document["resources"] = [r for r in document["resources"] if r["name"] != EDGE]
        files.write(file.parent, [Artifact(path=file.name, text=json.dumps(document))])
    except (OSError, ValueError, LookupError, HostError):
        return  # then the services' own draining has to do

    async def idle() -> bool | None:
        answer = await get(admin, f"/stats?filter=^{_ACTIVE}$")
        return answer.body.split()[-1:] in ([], [b"0"]) or None

    await until(idle)
