"""An edit of a service that serves from another folder says that it is not served."""

from pathlib import Path

from shoal.local.reload import Sources, _take
from shoal.local.reporter import Quiet


class Serving:
    """A service with the code of some folder."""

    def __init__(self, code: Path) -> None:
        self.code, self.reloads = code, 0

    async def reload(self) -> float:
        self.reloads += 1
        return 0.0


class Heard(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def event(self, source: str, text: str) -> None:
        self.said.append(f"{source}: {text}")


async def test_an_edit_is_not_served_where_another_folder_is(tmp_path: Path) -> None:
    project, other = tmp_path / "project", tmp_path / "other"
    file = project / "demo" / "alpha" / "service.py"
    file.parent.mkdir(parents=True)
    file.write_text("alpha = 1\n", "utf-8")
    sources, heard = Sources(project, {"alpha": "demo.alpha.service:alpha"}), Heard()
    promoted, own = Serving(other), Serving(project)
    assert await _take({file}, sources, {"alpha": promoted}, heard)
    assert promoted.reloads == 0
    assert heard.said == [f"alpha: promoted from {other}; this edit of demo/alpha/service.py is not served"]
    await _take({file}, sources, {"alpha": own}, heard)
    assert own.reloads == 1
    assert "edited demo/alpha/service.py" in heard.said[-1]
