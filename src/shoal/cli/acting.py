"""Commands that change a running system are noted beside what its run recorded."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from shoal.cli.program import Global

F = TypeVar("F", bound=Callable[..., Any])


def acts(does: str, *told: str) -> Callable[[F], F]:
    """Note what a command does, and what becomes of it; `shoal actions` and the page *Actions* show it.

    It stands beneath ``@click.pass_obj``. Of a dry run nothing is noted, nor where no run is recorded.

    Args:
        does: Verb and thing, such as ``purge letters``.
        told: Parameters that are noted with it: names of things, never what is put into them.
    """

    def around(command: F) -> F:
        @functools.wraps(command)
        def noted(context: "Global", /, *values: Any, **named: Any) -> Any:
            from shoal.cli.output import say
            from shoal.dashboard.store import actions, runs
            from shoal.errors import HostError

            if named.get("dry_run"):
                return command(context, *values, **named)
            file = actions.place(runs.folder_of(context.root))
            action: actions.Action | None = None
            try:
                with actions.acting(None, "shell", does, actions.object_of(named, told)) as action:
                    return command(context, *values, **named)
            finally:
                if file is not None and action is not None:
                    try:
                        actions.note(file, action)
                    except HostError as error:
                        say(f"warning: {error}")

        return noted  # type: ignore[return-value]  # it takes and gives what the command does

    return around
