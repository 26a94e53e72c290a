"""Start Splash 3.5 on a current Python, patching its dependencies instead of editing its files.

    python3 -m venv --system-site-packages VENV && VENV/bin/pip install -r tests/services/splash.txt
    VENV/bin/python tests/services/splash_server.py --port 8050

Takes the arguments of ``splash``. tests/services/splash.txt lists the system requirements.
"""

import json
import os
import sys
from functools import wraps

# No display is needed. Splash starts an unused engine that refuses to run as root.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

import lupa
import lupa.lua52
from PyQt5.QtCore import QTimer
from splash.server import main


def without_encoding(loads):
    """Accept ``encoding``, as json.loads did until Python 3.8; Splash passes it in each POST."""

    @wraps(loads)
    def wrapped(*args, encoding=None, **options):
        return loads(*args, **options)

    return wrapped


def in_whole_milliseconds(start):
    """Accept floats for integers, as until Python 3.9; Splash computes its waits as floats."""

    @wraps(start)
    def wrapped(timer, *milliseconds):
        return start(timer, *map(int, milliseconds))

    return wrapped


json.loads = without_encoding(json.loads)
QTimer.start = in_whole_milliseconds(QTimer.start)
# Splash's Lua code is written for Lua 5.2, but lupa uses the newest Lua that it includes.
vars(lupa).update(
    {name: thing for name, thing in vars(lupa.lua52).items() if not name.startswith("_")}
)

if __name__ == "__main__":
    sys.argv[1:1] = ["--disable-xvfb", "--browser-engines", "webkit"]
    sys.exit(main())
