"""Streams and consumers of a system, as the operator's task reads them (`shoal.runtime.declaring`). Pure."""

import json

from shoal.model.messages import KEPT, LARGEST_MESSAGE
from shoal.model.plan import Plan


def declarations(plan: Plan, indent: int | None = None) -> str:
    """Write them as JSON, on one line unless it is indented."""
    document = {
        "streams": [
            {
                "name": s.name,
                "subjects": list(s.subjects),
                **({"age": 0.0} if s.letters else {"age": KEPT, "largest": LARGEST_MESSAGE}),
            }
            for s in plan.streams
        ],
        "consumers": [
            {"stream": c.stream, "name": c.durable, "subjects": list(c.subjects), "ack_wait": c.ack_wait}
            for s in plan.services
            if s.broker is not None
            for c in s.broker.consumers
        ],
    }
    return json.dumps(document, indent=indent, separators=None if indent else (",", ":"))
