"""The other side of B16: writes given objects by cdk8s, as often as it is asked. It runs in an environment of its own.

``python rival_program.py OBJECTS.json``: answers each line of its input with a line: the size of the YAML, or
all of it as JSON when the line is ``show``. An object is made in the cheapest way there is: a construct and a patch.
"""

import json
import sys
from pathlib import Path
from typing import Any

import cdk8s  # type: ignore[import-not-found]

_NAMED = ("apiVersion", "kind")


def write(objects: list[dict[str, Any]]) -> str:
    """Make every object and return their YAML."""
    chart = cdk8s.Chart(app := cdk8s.App(), "chart")
    for number, body in enumerate(objects):
        made = cdk8s.ApiObject(chart, str(number), api_version=body["apiVersion"], kind=body["kind"])
        made.add_json_patch(*(cdk8s.JsonPatch.add(f"/{key}", body[key]) for key in body if key not in _NAMED))
    return str(app.synth_yaml())


def main() -> None:
    """Answer until the input ends."""
    objects = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    for line in sys.stdin:
        text = write(objects)
        print(json.dumps(text if line.strip() == "show" else len(text)), flush=True)


if __name__ == "__main__":
    main()
