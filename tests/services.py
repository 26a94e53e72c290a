"""The programs and permissions that tests need besides Python packages."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

_CI = Path(__file__).parent.parent / ".ci"
SPLASH = Path(os.environ.get("SPLASH", _CI / "splash" / "bin"))
PYWB = Path(os.environ.get("PYWB", _CI / "pywb" / "bin"))
SINGLE_FILE = Path(os.environ.get("SINGLE_FILE", _CI / "single-file" / "node_modules" / ".bin"))
"""The folders of the programs in environments of their own."""
CHROMIUM = Path("/usr/bin/chromium")
XDEBUG = ("php", "-n", "-d", "zend_extension=xdebug.so", "-d", "xdebug.mode=develop")
"""The command of a PHP whose var_dump is Xdebug's."""
# That of Spark 4.
_LEAST_JAVA = 17
NAMESPACES = ("unshare", "--mount", "--net")
"""The start of a command line whose program has file systems and networks of its own."""


def _succeeds(*line: object) -> bool:
    try:
        return not subprocess.run(list(map(str, line)), capture_output=True, check=False).returncode
    except OSError:
        return False


def _has_xdebug() -> bool:
    return _succeeds(*XDEBUG, "-r", "exit(extension_loaded('xdebug') ? 0 : 1);")


def _may_make_devices() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return _succeeds("mknod", Path(folder, "null"), "c", 1, 3)


def faketime_library() -> Path | None:
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@cache
def postgresql_program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL's server, which Debian keeps out of PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parts[-2])
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, debian[::-1])]))


def _has_spark() -> bool:
    """Return whether PySpark is installed, and the Java that it would start is new enough.

    The tests look at its processes in ways that only Linux has.
    """
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else "java"
    try:
        output = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    version = re.search(r'version "(\d+)', output.stderr)
    is_new = version is not None and int(version[1]) >= _LEAST_JAVA
    return is_new and find_spec("pyspark") is not None and sys.platform == "linux"


class Service(NamedTuple):
    """How to find out whether a service is there, and how to get it."""

    is_available: Callable[[], object]
    install: str


def _program(name: str, package: str = "") -> Service:
    return Service(lambda: shutil.which(name), f"apt-get install {package or name}")


_ROOT = "run the tests as root, in a container with --privileged"
SERVICES = {
    "PHP": _program("php", "php-cli"),
    "Xdebug": Service(_has_xdebug, "apt-get install php-xdebug"),
    "cron": Service(
        lambda: (
            shutil.which("cron") and shutil.which("pgrep") and os.access("/etc/cron.d", os.W_OK)
        ),
        "apt-get install cron procps, and run the tests as root",
    ),
    "faketime": Service(faketime_library, "apt-get install faketime"),
    "strace": Service(
        lambda: _succeeds("strace", "-o", os.devnull, "true"), "apt-get install strace"
    ),
    "curl": _program("curl"),
    "wget": _program("wget"),
    "HTTrack": _program("httrack"),
    "ip": _program("ip", "iproute2"),
    "git": _program("git"),
    "jq": _program("jq"),
    "sqlite3": _program("sqlite3"),
    "PostgreSQL": Service(
        lambda: postgresql_program("initdb"), "apt-get install --no-install-recommends postgresql"
    ),
    "Spark": Service(_has_spark, "pip install '.[spark]'; apt-get install default-jre-headless"),
    "Chromium": Service(CHROMIUM.exists, "apt-get install chromium"),
    "SingleFile": Service((SINGLE_FILE / "single-file").exists, "see .ci/run"),
    "MkDocs": Service(lambda: find_spec("mkdocs"), "pip install '.[docs]'"),
    "pywb": Service((PYWB / "wayback").exists, "see .ci/run"),
    "Splash": Service((SPLASH / "python").exists, "see .ci/run"),
    "mounts": Service(
        lambda: _succeeds(*NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"), _ROOT
    ),
    "device files": Service(_may_make_devices, _ROOT),
}


@cache
def _is_available(name: str) -> bool:
    return bool(SERVICES[name].is_available())


def require(*names: str) -> None:
    """Skip the test if a service that it needs is missing, or fail it in CI."""
    for name in names:
        if not _is_available(name):
            skip(f"{name} is missing: {SERVICES[name].install}")


def skip(reason: str) -> NoReturn:
    """Skip the test for lack of something on this machine, or fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def report() -> list[str]:
    """Return lines that name the missing services and say how to get them."""
    missing = [name for name in SERVICES if not _is_available(name)]
    if not missing:
        return ["services: all available"]
    end = "fail (CI=true)" if os.environ.get("CI") == "true" else "are skipped"
    return [
        f"services: {len(missing)} of {len(SERVICES)} are missing; the tests that need them {end}",
        *(f"  {name:<18} {SERVICES[name].install}" for name in missing),
        *(["  .ci/run installs all of them on Debian"] if len(missing) > 1 else []),
    ]
