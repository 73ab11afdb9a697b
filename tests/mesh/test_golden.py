"""A small system's configuration, to be read; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal.mesh.compile import compile_mesh, compile_static
from shoal.mesh.layout import Address, Layout, Pipe, layout_for
from shoal.model.artifact import Artifact
from tests.mesh.samples import PAIR, TINY, planned, ring

GOLDEN = Path(__file__).parent.parent / "golden" / "mesh" / "pair"


def compiled() -> tuple[Artifact, ...]:
    plan = planned(PAIR)
    return compile_mesh(plan, layout_for(plan, root="/run/pair"))


def test_artifacts_are_the_golden_ones() -> None:
    made = {artifact.path: artifact.text for artifact in compiled()}
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        for path, text in made.items():
            (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / path).write_text(text, "utf-8")
    kept = {str(f.relative_to(GOLDEN)): f.read_text("utf-8") for f in GOLDEN.rglob("*") if f.is_file()}
    assert sorted(made) == sorted(kept), "a golden is missing, or an orphan"
    for path, text in made.items():
        assert text == kept[path], path


def test_same_plan_same_bytes() -> None:
    plan = planned(TINY)
    layout = layout_for(plan, root="/r")
    assert compile_mesh(plan, layout) == compile_mesh(planned(TINY), layout_for(plan, root="/r"))
    assert compile_static(plan, layout) == compile_static(planned(TINY), layout)


def test_artifacts_come_named_before_naming_and_below_the_root() -> None:
    paths = [artifact.path for artifact in compiled()]
    assert len(paths) == len(set(paths))
    folders = list(dict.fromkeys(path.rpartition("/")[0] for path in paths))
    assert folders == ["sds", "eds", "cds", "rds", "lds", ""]
    assert not [path for path in paths if path.startswith("/") or ".." in path]


def test_no_key_is_in_any_artifact() -> None:
    assert not [artifact.path for artifact in compiled() if "PRIVATE KEY" in artifact.text]


def test_size_grows_with_the_services_and_not_with_their_pairs() -> None:
    small, large = (
        sum(len(a.text) for a in compile_mesh(plan, layout_for(plan, root="/r")))
        for plan in (planned(ring(10)), planned(ring(100)))
    )
    assert large < small * 11


def test_every_listener_inside_is_a_pipe_and_the_edge_is_on_loopback() -> None:
    layout: Layout = layout_for(planned(PAIR), root="/r")
    inside: list[Address] = [hop(n) for n in layout.services for hop in (layout.inbound, layout.outbound)]
    assert all(isinstance(address, Pipe) for address in inside)
