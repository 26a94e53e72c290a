"""Kill points for the kill tests: where a run has just written something or is about to."""

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
    "latest prepared",
    "latest changed",
    "feeds written",
    "run ended",
    "exchange archived",
)
_VARIABLE = "CRAWLER_KILL_AT"
_countdown: dict[str, int] = {}


def point(name: str) -> None:
    """Kill this process if CRAWLER_KILL_AT names this point.

    Its value is ``NAME``, or ``NAME:N`` to kill the process when it reaches the point the Nth time.
    """
    setting = os.environ.get(_VARIABLE)
    if setting is None:
        return
    target, _, times = setting.partition(":")
    if target == name:
        _countdown[name] = _countdown.get(name, int(times or 1)) - 1
        if _countdown[name] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
