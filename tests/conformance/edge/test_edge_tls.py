"""The same rows over TLS, and those that are about TLS."""

import json
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from pathlib import Path

import pytest

from tests.conformance.edge.sample import SECURE
from tests.conformance.edge.scene import base_of, sampled

pytestmark = [pytest.mark.live, pytest.mark.asyncio]

ROOT = Path(__file__).parents[3]


async def test_an_edge_with_tls_does_as_the_table_says(tmp_path: Path) -> None:
    async with sampled(SECURE) as (world, tokens):
        (tmp_path / "tokens.json").write_text(json.dumps(tokens))
        command = (sys.executable, "-m", "tests.conformance.edge", "--base", base_of(world))
        given = ("--tokens", str(tmp_path / "tokens.json"), "--authority", world.layout.trust())
        process = await create_subprocess_exec(*command, *given, cwd=ROOT, stdout=PIPE)
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b" 0 differ" in said
