"""Commands on a real pseudo-terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path
from typing import IO

from conftest import environment


def open_terminal(columns: int) -> tuple[int, int]:
    """Open a pseudo-terminal of this width; return the descriptors of its two ends.

    What is written to the second can be read from the first.
    """
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return controller, terminal


def run_on_terminal(
    line: list[str],
    folder: Path,
    columns: int = 80,
    stdout: int | IO[bytes] | None = None,
    **variables: str,
) -> tuple[str, int]:
    """Run a command line in a folder; return the output of the terminal, and the exit code.

    Its output goes to ``stdout`` instead, if that is given. Keyword arguments are added to the
    environment.
    """
    controller, terminal = open_terminal(columns)
    inherited = {k: v for k, v in environment().items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        line,
        cwd=folder,
        env={**inherited, "TERM": "xterm-256color", **variables},
        stdin=terminal,
        stdout=terminal if stdout is None else stdout,
        stderr=terminal,
    )
    os.close(terminal)
    return read_all(controller), process.wait()


def read_all(controller: int) -> str:
    """Return everything that a terminal gets until its last user closes it, and close it."""
    shown = b""
    # On Linux, reading from a terminal without users fails.
    with suppress(OSError):
        while piece := os.read(controller, 65_536):
            shown += piece
    os.close(controller)
    return shown.decode()
