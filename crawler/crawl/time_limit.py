"""A time limit for Python code: code that runs too long is interrupted from inside.

A system timer sends SIGALRM, whose handler raises an exception in the running code. This interrupts
loops and regular expressions, but no other C code: an lxml call finishes first. Only the main
thread can be interrupted, and only if nothing else uses the signal; see ``is_possible``.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

# An exception raised inside a destructor is lost, so more than one may be needed.
_REPEAT_SECONDS = 0.1
_IMPORTLIB_FILE = "<frozen importlib._bootstrap>"


class TimeLimitReached(BaseException):
    """The time limit was exceeded.

    Not an Exception, so that the interrupted code does not catch it.
    """


def is_possible() -> bool:
    """Return whether ``within`` can be used in the current thread and process."""
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    )


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return the result of ``work``.

    Raises TimeLimitReached if that takes longer than ``seconds``.
    """
    over = False

    def interrupt(_: int, frame: FrameType | None) -> None:
        if not over and not _is_importing(frame):
            raise TimeLimitReached

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT_SECONDS)
    try:
        try:
            return work()
        finally:
            over = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _is_importing(frame: FrameType | None) -> bool:
    """Return whether a module is being imported.

    Some modules cannot be imported again after their import was interrupted.
    """
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTLIB_FILE:
            return True
        frame = frame.f_back
    return False
