"""Starts Splash 3.5 on today's Python: what has changed around it since 2020 is put back, none of its files is edited.

    python3 -m venv --system-site-packages VENV && VENV/bin/pip install -r tests/services/splash.txt
    VENV/bin/python tests/services/splash_server.py --port 8050

It takes the arguments of ``splash``. tests/services/splash.txt says what it needs of the system.
"""

import json
import os
import sys
from functools import wraps

# No screen is needed. Splash brings an engine up that it then does not use, and which refuses to run as root.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

import lupa
import lupa.lua52
from PyQt5.QtCore import QTimer
from splash.server import main


def without_encoding(loads):
    """json.loads took an ``encoding`` until Python 3.8; Splash gives it one with every POST."""

    @wraps(loads)
    def wrapped(*args, encoding=None, **options):
        return loads(*args, **options)

    return wrapped


def in_whole_milliseconds(start):
    """Floats were taken for whole numbers until Python 3.9; Splash computes its waits as floats."""

    @wraps(start)
    def wrapped(timer, *milliseconds):
        return start(timer, *map(int, milliseconds))

    return wrapped


json.loads = without_encoding(json.loads)
QTimer.start = in_whole_milliseconds(QTimer.start)
# What Splash brings in Lua is written for 5.2; lupa now takes the newest Lua that it has.
vars(lupa).update(
    {name: thing for name, thing in vars(lupa.lua52).items() if not name.startswith("_")}
)

if __name__ == "__main__":
    sys.argv[1:1] = ["--disable-xvfb", "--browser-engines", "webkit"]
    sys.exit(main())
