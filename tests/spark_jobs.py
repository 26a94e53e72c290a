"""Runs the job on a real Spark, looks at its processes, and reads its output.

    with started(inputs, output, "--at", "2015-10-23", master=CLUSTER) as job:
        job.wait_for_tasks(3)
        kill(job.executors[0])
        run = job.finish()
    read_output(output)

    with running_driver() as driver:
        run = driver.run_job(inputs, output, "--at", "2015-10-23")

``spark-submit`` starts a JVM, the driver's, which starts the job's Python program. With CLUSTER,
that JVM starts another one for each executor. Each executor starts a daemon in Python, whose
children read the pages: the workers.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from conftest import CACHE, PATIENCE, ROOT, VALIDATORS, free_port, wait_until

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

JOB = ROOT / "crawler" / "spark" / "__init__.py"
CLUSTER = "local-cluster[2,1,1024]"
"""Two executors of one core and 1 GiB each, in JVMs of their own."""
LOCAL = "local[2]"
"""One JVM for all; a task that fails is not tried again."""
QUICK_JAVA = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""Environment variables with which a JVM starts with less work, and would be slow in the end."""
TABLES = ("records", "failures", "links", "balance", "files")
# Starting Spark takes up to 20 s on a busy machine.
_SECONDS = 3 * PATIENCE
_SECONDS_BETWEEN_LOOKS = 0.5
# Only those who wait for tasks ask Spark's web interface.
_NO_INTERFACE = {"spark.ui.enabled": "false"}


class Process(NamedTuple):
    """A process; ``cpu_seconds`` are those that it has used so far."""

    pid: int
    parent: int
    cpu_seconds: float
    command: str

    @property
    def is_python(self) -> bool:
        """Whether it is the daemon of an executor, or one of its workers."""
        return "pyspark.daemon" in self.command


@dataclass
class JobRun:
    """A job that has ended, and what its processes used."""

    exit_code: int
    stderr: str
    worker_kilobytes: dict[int, int]
    """The most memory of each Python worker while it was watched: its resident set."""
    worker_cpu_seconds: float
    """The CPU seconds of all Python workers and the daemons that started them."""
    cpu_seconds: float
    """Those of all processes, also the JVMs and the driver."""
    events: list[dict[str, Any]] = field(repr=False)
    """Spark's own log of the job (spark.eventLog)."""

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that ended, also those that failed."""
        return [event for event in self.events if event["Event"] == "SparkListenerTaskEnd"]

    @property
    def lost_tasks(self) -> int:
        """The number of tasks that ended with their executor or worker."""
        return sum(task["Task End Reason"]["Reason"] != "Success" for task in self.tasks)


class _Watch:
    """Notes the memory and CPU time of a process and its descendants until it is stopped."""

    def __init__(self, pid: int) -> None:
        self.memory: dict[int, int] = {}
        """The most kilobytes of each Python worker."""
        self._pid = pid
        self._before = {one.pid: one.cpu_seconds for one in self._processes()}
        self._seen: dict[int, Process] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def cpu_seconds(self, *, of_python: bool = False) -> float:
        """Return the CPU seconds of all processes, or only of the workers and their daemons."""
        return sum(
            one.cpu_seconds - self._before.get(one.pid, 0)
            for one in self._seen.values()
            if one.is_python or not of_python
        )

    def _processes(self) -> list[Process]:
        return [*descendants(self._pid), *_processes([str(self._pid)])]

    def _look(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
            processes = self._processes()
            self._seen |= {one.pid: one for one in processes}
            for pid in _workers(processes):
                with suppress(OSError):
                    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
                    if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
                        self.memory[pid] = int(peak[1])


class _Program:
    """A program that was submitted to Spark: its process, and the folder of its output."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self.process = process
        self._folder = folder

    def _output(self) -> str:
        return self._read("stdout")[-1000:] + self._read("stderr")[-3000:]

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8", errors="replace")

    def _logs(self) -> set[Path]:
        """Return Spark's logs of events, one for each application."""
        return set((self._folder / "events").iterdir())


def _run_of(exit_code: int, stderr: str, watch: _Watch, logs: Iterable[Path]) -> JobRun:
    return JobRun(
        exit_code,
        stderr,
        watch.memory,
        watch.cpu_seconds(of_python=True),
        watch.cpu_seconds(),
        [json.loads(line) for log in logs for line in log.read_text(encoding="utf-8").splitlines()],
    )


class Job(_Program):
    """A job that is running."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, port: int) -> None:
        super().__init__(process, folder)
        self._port = port
        self._watch = _Watch(process.pid)

    @property
    def executors(self) -> list[int]:
        """The JVMs of the executors; none without CLUSTER."""
        return [
            one.pid
            for one in descendants(self.process.pid)
            if "CoarseGrainedExecutorBackend" in one.command
        ]

    @property
    def workers(self) -> list[int]:
        """The Python processes that run the tasks."""
        return _workers(descendants(self.process.pid))

    def wait_for_tasks(self, count: int, stage: str = "") -> None:
        """Wait until so many tasks are complete: of all stages, or those whose names hold this."""
        wait_until(
            lambda: self._completed(stage) >= count or self.process.poll() is not None,
            self._output,
            _SECONDS,
        )
        assert self.process.poll() is None, f"the job ended too soon: {self._output()}"

    def finish(self) -> JobRun:
        """Wait until the job ends."""
        try:
            exit_code = self.process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the job does not end: {self._output()}") from None
        finally:
            self.stop_watching()
        return _run_of(exit_code, self._read("stderr"), self._watch, self._logs())

    def stop_watching(self) -> None:
        self._watch.stop()

    def _completed(self, stage: str) -> int:
        """Return how many tasks are complete, as Spark's own web interface says."""
        from urllib.request import urlopen

        address = f"http://127.0.0.1:{self._port}/api/v1/applications"
        with suppress(OSError, ValueError):
            with urlopen(address, timeout=5) as answer:
                [application] = json.load(answer)
            with urlopen(f"{address}/{application['id']}/stages", timeout=5) as answer:
                return sum(
                    one["numCompleteTasks"] for one in json.load(answer) if stage in one["name"]
                )
        return 0


class Driver(_Program):
    """A driver that runs one job after the other, each in a Spark application of its own.

    Each has new Python workers, too, but no new JVM.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, jobs: TextIO) -> None:
        super().__init__(process, folder)
        self._jobs = jobs

    def run_job(self, inputs: Iterable[object], output: object, *options: object) -> JobRun:
        """Run a job to its end."""
        before, logs = self._read("stderr"), self._logs()
        watch = _Watch(self.process.pid)
        words = [str(word) for word in (*inputs, "-o", output, *options)]
        try:
            print(json.dumps(words), file=self._jobs, flush=True)
            answer = self._jobs.readline()
        except TimeoutError:
            raise AssertionError(f"the job does not end: {self._output()}") from None
        finally:
            watch.stop()
        assert answer, f"the driver has ended: {self._output()}"
        stderr = self._read("stderr").removeprefix(before)
        return _run_of(int(answer), stderr, watch, self._logs() - logs)


@contextmanager
def running_driver(environment: Mapping[str, str]) -> Iterator[Driver]:
    """Run a driver for jobs of one core, with these variables in the environment of all."""
    with (
        tempfile.TemporaryDirectory(prefix="driver-") as folder,
        socket.socket(socket.AF_UNIX) as server,
    ):
        server.bind(f"{folder}/jobs")
        server.listen()
        server.settimeout(_SECONDS)
        words = [ROOT / "tests" / "spark_driver.py", server.getsockname()]
        variables = {**QUICK_JAVA, **environment}
        with (
            _submitted(words, "local[1]", variables, _NO_INTERFACE) as (process, written),
            server.accept()[0] as connection,
            connection.makefile("rw", encoding="utf-8") as jobs,
        ):
            connection.settimeout(_SECONDS)
            yield Driver(process, written, jobs)


@contextmanager
def started(
    inputs: Iterable[object],
    output: object,
    *options: object,
    master: str = LOCAL,
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Job]:
    """Start the job; at the end, kill what is left of it. ``settings`` are Spark's."""
    port = free_port()
    words = [JOB, *inputs, "-o", output, *options]
    given = {"spark.ui.port": port, **(settings or {})}
    with _submitted(words, master, environment or {}, given) as (process, folder):
        job = Job(process, folder, port)
        try:
            yield job
        finally:
            job.stop_watching()


@contextmanager
def _submitted(
    words: Iterable[object],
    master: str,
    environment: Mapping[str, str],
    settings: Mapping[str, object],
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """Submit a program with its arguments; at the end, kill its remaining processes.

    Yield the process of ``spark-submit``, and a folder with the files ``stdout`` and ``stderr`` and
    a log of the events of each application in ``events``.
    """
    with tempfile.TemporaryDirectory(prefix="spark-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for part in ("events", "local"):
            (folder / part).mkdir()
        given = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "512m",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": (folder / "events").as_uri(),
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.compress": "false",
            "spark.local.dir": folder / "local",
            "spark.log.level": "WARN",
            "spark.ui.showConsoleProgress": "false",
            **settings,
        }
        line = [Path(sys.executable).with_name("spark-submit"), "--master", master]
        line += [word for pair in given.items() for word in ("--conf", "=".join(map(str, pair)))]
        variables = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "XDG_CACHE_HOME": CACHE,
            **environment,
        }
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                [str(word) for word in (*line, *words)],
                cwd=folder,
                env=variables,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            yield process, folder
        finally:
            for pid in [*(one.pid for one in descendants(process.pid)), process.pid]:
                kill(pid)
            process.wait()


def run_job(inputs: Iterable[object], output: object, *options: object, **more: Any) -> JobRun:
    """Run the job to its end, with the arguments of ``started`` but the settings."""
    with started(inputs, output, *options, settings=_NO_INTERFACE, **more) as job:
        return job.finish()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[Process]:
    """Return the children of a process, their children, and so on."""
    processes = _processes(one.name for one in Path("/proc").glob("[0-9]*"))
    children: dict[int, list[Process]] = {}
    for one in processes:
        children.setdefault(one.parent, []).append(one)
    found, parents = [], [pid]
    while parents:
        more = children.get(parents.pop(), [])
        found += more
        parents += [one.pid for one in more]
    return found


def _processes(pids: Iterable[str]) -> list[Process]:
    """Return those of these processes that still run."""
    found = []
    for pid in pids:
        with suppress(OSError):
            # The name of the program, in brackets, may have spaces.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2]
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            values = fields.split()
            seconds = (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
            # A process that has ended and was not waited for yet has no command.
            if command:
                found.append(Process(int(pid), int(values[1]), seconds, command))
    return found


def _workers(processes: Iterable[Process]) -> list[int]:
    daemons = [one for one in processes if one.is_python]
    pids = {one.pid for one in daemons}
    return [one.pid for one in daemons if one.parent in pids]


@dataclass
class Output:
    """The tables that a job wrote, row by row."""

    records: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    links: list[dict[str, Any]]
    balance: list[dict[str, Any]]
    files: list[dict[str, Any]]
    is_whole: bool
    """Whether there is a file _SUCCESS."""

    @property
    def by_id(self) -> dict[str, dict[str, Any]]:
        """The records and failures, as their JSON has them, checked against the schema."""
        rows = [json.loads(row["json"]) for row in (*self.records, *self.failures)]
        for record in rows:
            VALIDATORS[record["kind"]].validate(record)
        found = {record["id"]: record for record in rows}
        assert len(found) == len(rows)
        return found


def read_output(folder: object, files: "FileSystem | None" = None) -> Output:
    """Read the tables of a job. Tables without rows need not have files."""
    from pyarrow import dataset
    from pyarrow.fs import FileType, LocalFileSystem

    files = files or LocalFileSystem()
    tables: dict[str, list[dict[str, Any]]] = {}
    for name in TABLES:
        path = f"{folder}/{name}"
        exists = files.get_file_info(path).type == FileType.Directory
        tables[name] = (
            dataset.dataset(path, filesystem=files, format="parquet", partitioning="hive")
            .to_table()
            .to_pylist()
            if exists
            else []
        )
    success = files.get_file_info(f"{folder}/_SUCCESS")
    return Output(**tables, is_whole=success.type == FileType.File)


def comparable(
    records: Mapping[str, dict[str, Any]], where: str = "", here: str = ""
) -> dict[str, dict[str, Any]]:
    """Return records without the time at which a failure was noted.

    The address ``where`` of the archives, if given, is replaced by ``here`` in all of their texts.
    """
    text = json.dumps(dict(records))
    found: dict[str, dict[str, Any]] = json.loads(text.replace(where, here) if where else text)
    for record in found.values():
        record.pop("failed_at", None)
    return found
