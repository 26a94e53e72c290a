"""Runs the pages of the documentation in sandboxes.

    with sandbox(page, tmp_path) as here:
        for result in here.run(page): …

A sandbox is the home of a reader. The hosts that the pages name are served on this machine
(doc_sites.py), through a proxy that the environment names, so that the commands run as they are
shown. Only politeness towards these hosts is turned off. A page that uses a database finds a
PostgreSQL server (doc_database.py).
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import gettempdir
from threading import Timer
from typing import NamedTuple

from doc_database import database_server
from doc_pages import (
    READERS_FOLDER,
    ROOT,
    Command,
    Comparison,
    Example,
    Page,
    Saved,
    Shown,
    Statements,
    Step,
)
from doc_sites import sites
from hosted import Site, hosted
from spark_jobs import QUICK_JAVA

# How long a command may take, in seconds. Spark takes long to start on a busy machine.
PATIENCE = 240
STATUS = "echo $?"
# The folder of a reader's clone, in the reader's home.
CLONE = "neighbourhood-crawler"
_SETTINGS = """from crawler.settings import *

TLS_CA_FILE = {ca_file!r}
AUTOTHROTTLE_ENABLED = False
DOWNLOAD_DELAY = RETRY_BACKOFF = WAYBACK_DELAY = WAYBACK_BACKOFF = 0
"""
# Like the script that pip makes for the entry point. It knows its environment, as cron does not.
_SCRIPT = """#!{python}
import os, sys
os.environ.update({variables!r})
sys.path[:0] = {paths!r}
from crawler.console import main
sys.exit(main())
"""
_END = "end-of-step"
_CRASH = "Traceback (most recent call last)"
# Runs statements that are sent as JSON, and sends their output.
_INTERPRETER = """
import contextlib, io, json, sys, traceback
variables = {"__name__": "__main__"}
for line in sys.stdin:
    source, mode = json.loads(line)
    output, failed = io.StringIO(), False
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            exec(compile(source, "<page>", mode), variables)
        except Exception as error:
            failed = True
            print("Traceback (most recent call last):", "  ...", sep="\\n")
            print("".join(traceback.format_exception_only(error)), end="")
    print(json.dumps([output.getvalue(), failed]), flush=True)
"""


class NotRun(NamedTuple):
    """Commands that no sandbox can run."""

    pattern: str
    """A regular expression of the whole command."""
    reason: str
    tested_by: str
    """The file that tests them, from the root of the repository."""


class Server(NamedTuple):
    """A command that runs until it is stopped, which is at the end of the page."""

    pattern: str
    port: int


_INSTALLS = "installs into the reader's environment, from the network"
NOT_RUN = (
    NotRun(r"pip install .*", _INSTALLS, ".ci/run"),
    NotRun(r"python3 -m venv \S+", _INSTALLS, ".ci/run"),
    NotRun(r"\. \S+/bin/activate", "there is no such environment", ".ci/run"),
    NotRun(r"python benchmarks/(.|\n)*", "takes long, and other programs", "tests/test_docs.py"),
    NotRun(r"crontab -e", "opens an editor", "tests/test_cron.py"),
    NotRun(r"docker run (.|\n)*scrapinghub/splash .*", "needs Docker", "tests/test_rendering.py"),
    NotRun(r"docker (build|run|compose) (.|\n)*", "needs Docker", ".ci/run"),
    NotRun(r"sudo apt-get install (.|\n)*", "installs packages of the system", ".ci/run"),
    NotRun(r"\S*python3? (.|\n)*\.splash", "needs packages of the system", ".ci/run"),
    NotRun(r"\.splash/bin/.*", "needs packages of the system", "tests/test_rendering.py"),
    NotRun(r"(.|\n)*(--render splash|SPLASH_URL=\S+)", "needs Splash", "tests/test_rendering.py"),
    NotRun(r"(.|\n)*WAYBACK_URL=\S+", "needs pywb", "tests/test_wayback.py"),
    NotRun(r"packed/bin/.*", _INSTALLS, ".ci/run"),
    NotRun(
        r"(.|\n)*spark-submit (.|\n)*://(.|\n)*", "needs S3 or a cluster", "tests/test_spark.py"
    ),
    NotRun(r"curl -O https://data.commoncrawl.org/.*", "needs the network", "tests/test_spark.py"),
)
SERVERS = (
    Server(r"neighbourhood serve (?!--help).*", 8000),
    Server(r"datasette .*", 8001),
)


@dataclass(frozen=True)
class Result:
    """A step that was run."""

    step: Step
    output: list[str]
    problem: str | None = None
    """What is wrong, if anything is."""
    is_mended_by_output: bool = False
    """Whether the page is right again once it shows ``output``."""


class Shell:
    """A bash that keeps its variables and its folder between commands."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._status = 0
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Its commands are stopped with it.
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Run a command and return its output and its exit code.

        Raises AssertionError if it takes too long, or ends the shell.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(
            f"(exit {self._status})\n"
            f"eval {shlex.quote(command)} < /dev/null 2>&1\n"
            f"printf '\\n%s %d\\n' {_END} $?\n"
        )
        stdin.flush()
        lines: list[str] = []
        watch = Timer(PATIENCE, self._kill)
        watch.start()
        try:
            for line in stdout:
                if line.startswith(f"{_END} "):
                    self._status = int(line.split()[1])
                    return "".join(lines).removesuffix("\n"), self._status
                lines.append(line)
        finally:
            watch.cancel()
        raise AssertionError(
            f"{command!r} ended the shell, or took more than {PATIENCE} s: {''.join(lines)}"
        )

    def serve(self, command: str, port: int, log: Path) -> tuple[str, int]:
        """Start a server, wait until it answers, and return its output so far."""
        self.run(f"{command} > {shlex.quote(str(log))} 2>&1 &")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return log.read_text(encoding="utf-8"), 0
            time.sleep(0.05)
        return log.read_text(encoding="utf-8"), 1

    def stop(self) -> None:
        self._kill()
        self._process.communicate()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


class Interpreter:
    """A Python that keeps its variables between statements."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _INTERPRETER],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, source: str, mode: str) -> tuple[str, bool]:
        """Run a statement (mode "single") or several (mode "exec").

        Returns what they print, with errors in the form of doctest, and whether one failed.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps([source, mode]) + "\n")
        stdin.flush()
        output, failed = json.loads(stdout.readline())
        return output, failed

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


class Sandbox:
    """A folder to run a page in, and the home of its reader."""

    def __init__(self, home: Path, folder: Path, environment: dict[str, str], logs: Path) -> None:
        self.home, self.folder, self.environment = home, folder, environment
        self._logs = logs
        self._comparison = Comparison(datetime.now(UTC), home)
        self._shell = Shell(folder, environment)
        self._interpreter: Interpreter | None = None

    def run(self, page: Page) -> Iterator[Result]:
        """Run the steps of a page, and compare their output with that in the page."""
        steps = page.steps
        for step, following in zip(steps, (*steps[1:], None), strict=True):
            if isinstance(step, Saved):
                target = self.folder / step.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(step.text, encoding="utf-8")
                yield Result(step, [])
                continue
            if isinstance(step, Command):
                if not_run(step):
                    yield Result(step, [])
                    continue
                output, exit_code = self._run_command(step)
                is_expected = following is not None and following.text == STATUS
                failed = exit_code != 0 and not is_expected
                problem = f"exit code {exit_code}" if failed else None
            else:
                mode = "exec" if isinstance(step, Statements) else "single"
                output, failed = self._python.run(step.text, mode)
                # Examples show their errors.
                problem = "an error" if failed and isinstance(step, Statements) else None
            yield self._result(step, output, problem)

    def _run_command(self, command: Command) -> tuple[str, int]:
        if server := server_of(command):
            return self._shell.serve(command.text, server.port, self._logs / f"{server.port}.log")
        return self._shell.run(command.text)

    def _result(self, step: Step, output: str, problem: str | None) -> Result:
        got = self._comparison.for_readers(output)
        if problem:
            return Result(step, got, "\n".join((problem, *got)))
        if isinstance(step, Shown) and (step.output or isinstance(step, Example)):
            difference = self._comparison.difference(step.output, got)
            return Result(step, got, difference, is_mended_by_output=True)
        if _CRASH in output:
            return Result(step, got, output)
        return Result(step, got)

    @property
    def _python(self) -> Interpreter:
        if self._interpreter is None:
            folder, _ = self._shell.run("pwd")
            self._interpreter = Interpreter(Path(folder.strip()), self.environment)
        return self._interpreter

    def stop(self) -> None:
        self._shell.stop()
        if self._interpreter:
            self._interpreter.stop()


def not_run(command: Command) -> NotRun | None:
    """Return the entry of the table that the command matches."""
    return next((entry for entry in NOT_RUN if re.fullmatch(entry.pattern, command.text)), None)


def server_of(command: Command) -> Server | None:
    """Return the entry of ``SERVERS`` that the command matches."""
    return next((server for server in SERVERS if re.fullmatch(server.pattern, command.text)), None)


def has_servers(page: Page) -> bool:
    return any(isinstance(step, Command) and server_of(step) for step in page.steps)


def uses_database(page: Page) -> bool:
    return any(isinstance(step, Command) and "LEDGER_URL" in step.text for step in page.steps)


@contextmanager
def sandbox(page: Page, folder: Path, hosts: Mapping[str, Site] | None = None) -> Iterator[Sandbox]:
    """Make a sandbox in an empty folder. The default of ``hosts`` is those of doc_sites.py."""
    home = folder / READERS_FOLDER.strip("/")
    clone, logs = home / CLONE, folder / "logs"
    programs = clone / ".venv" / "bin"
    for made in (programs, logs):
        made.mkdir(parents=True)
    # A page in a clone may change the program.
    program = clone if page.is_in_a_clone else ROOT
    if page.is_in_a_clone:
        _copy_repository(clone)
    database = database_server(programs) if uses_database(page) else nullcontext({})
    with (
        _ports(page),
        hosted(hosts or sites(), folder / "certificates") as web,
        database as database_variables,
    ):
        settings = _SETTINGS.format(ca_file=str(web.ca_file))
        (folder / "settings_of_docs.py").write_text(settings, encoding="utf-8")
        variables = {
            **web.environment,
            **database_variables,
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONPATH": os.pathsep.join([str(folder), str(program)]),
            "PYTHONUNBUFFERED": "1",
            "SCRAPY_SETTINGS_MODULE": "settings_of_docs",
            "XDG_CACHE_HOME": str(folder / "cache"),
            **QUICK_JAVA,
            # A browser that opens nothing.
            "BROWSER": "true",
        }
        script = programs / "neighbourhood"
        script.write_text(
            _SCRIPT.format(
                python=sys.executable, variables=variables, paths=[str(folder), str(program)]
            ),
            encoding="utf-8",
        )
        script.chmod(0o755)
        path = [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
        environment = {
            **variables,
            "PATH": os.pathsep.join(path),
            "HOME": str(home),
            "TMPDIR": gettempdir(),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        here = Sandbox(home, clone if page.is_in_a_clone else home, environment, logs)
        try:
            yield here
        finally:
            here.stop()


def _copy_repository(target: Path) -> None:
    """Copy what a reader's clone has and commands of pages use."""
    for name in ("scrapy.cfg", "pyproject.toml", "README.md", "LICENSE", "compose.yaml"):
        shutil.copy(ROOT / name, target)
    ignored = shutil.ignore_patterns("__pycache__", "output")
    for name in ("crawler", "docs", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, target / name, ignore=ignored, symlinks=True)


class PortError(Exception):
    """A port that a page of the docs shows is not free."""


@contextmanager
def _ports(page: Page) -> Iterator[None]:
    """Wait until no other page uses the ports of servers.

    Raises PortError if some other program uses one.
    """
    if not has_servers(page):
        yield
        return
    with Path(gettempdir(), "ports-of-doc-pages.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        for server in SERVERS:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                    raise PortError(f"port {server.port} is in use by another program")
        yield
