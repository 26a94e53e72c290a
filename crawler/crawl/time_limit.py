"""Do something, but not for long: Python code that runs too long is interrupted from inside.

A timer of the system sends SIGALRM, whose handler raises in the code that runs. That reaches loops
and regular expressions, but no other C code: an lxml call ends first. Only the main thread can be
interrupted, and only where nobody else uses that signal; ``is_possible`` tells.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

# An exception that is raised inside a destructor is lost, so that more than one may be needed.
_AGAIN = 0.1
_IMPORTS = "<frozen importlib._bootstrap>"


class TimeLimitReached(BaseException):
    """The time is over. No Exception, so that the code that is interrupted does not catch it."""


def is_possible() -> bool:
    """Whether ``within`` can be used here and now."""
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    )


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns; raises TimeLimitReached if that takes longer."""
    over = False

    def interrupt(_: int, frame: FrameType | None) -> None:
        if not over and not _is_importing(frame):
            raise TimeLimitReached

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        try:
            return work()
        finally:
            over = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported: some cannot be, if they were left half imported."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTS:
            return True
        frame = frame.f_back
    return False
