"""Kill points for the kill tests: the places where a run has just written something or is about
to.
"""

import os
import signal

POINTS = (
    "run begun",
    "before a commit",
    "in a commit",
    "after a commit",
    "feeds named",
    "feed part written",
    "feed parts joined",
    "feed kept",
    "feed replaced",
    "feed in its place",
    "feeds written",
    "run ended",
    "exchange archived",
)
_VARIABLE = "CRAWLER_KILL_AT"
_countdown: dict[str, int] = {}


def point(name: str) -> None:
    """Kill this process at the point that CRAWLER_KILL_AT names: ``NAME``, or ``NAME:N`` for its
    Nth pass.
    """
    setting = os.environ.get(_VARIABLE)
    if setting is None:
        return
    target, _, times = setting.partition(":")
    if target == name:
        _countdown[name] = _countdown.get(name, int(times or 1)) - 1
        if _countdown[name] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
