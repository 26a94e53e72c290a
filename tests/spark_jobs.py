"""Runs the job on a real Spark, looks at its processes, and reads its output.

    with started(inputs, output, "--at", "2015-10-23", master=CLUSTER) as job:
        job.wait_for_tasks(3)
        kill(job.executors[0])
        run = job.finish()
    read_output(output)

``spark-submit`` starts a JVM, the driver's, which starts the job's Python program. With CLUSTER,
that JVM starts another one for each executor. Each executor starts a daemon in Python, whose
children read the pages: the workers.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from conftest import CACHE, PATIENCE, ROOT, VALIDATORS, free_port, wait_until

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

JOB = ROOT / "crawler" / "spark" / "__init__.py"
CLUSTER = "local-cluster[2,1,1024]"
"""Two executors of one core and 1 GiB each, in JVMs of their own."""
LOCAL = "local[2]"
"""One JVM for all; a task that fails is not tried again."""
TABLES = ("records", "failures", "links", "balance", "files")
# Starting Spark takes up to 20 s on a busy machine.
_SECONDS = 3 * PATIENCE


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
    stdout: str
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


class Job:
    """A job that is running."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path, port: int) -> None:
        self.process = process
        self._folder = folder
        self._port = port
        self._memory: dict[int, int] = {}
        self._seen: dict[int, Process] = {}
        self._ended = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()

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
        stdout, stderr = (self._read(name) for name in ("stdout", "stderr"))
        events = [
            json.loads(line)
            for log in (self._folder / "events").iterdir()
            for line in log.read_text(encoding="utf-8").splitlines()
        ]
        seen = self._seen.values()
        return JobRun(
            exit_code,
            stdout,
            stderr,
            self._memory,
            sum(one.cpu_seconds for one in seen if one.is_python),
            sum(one.cpu_seconds for one in seen),
            events,
        )

    def stop_watching(self) -> None:
        self._ended.set()
        self._watching.join()

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

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            processes = [*descendants(self.process.pid), *_processes([str(self.process.pid)])]
            self._seen |= {one.pid: one for one in processes}
            for pid in _workers(processes):
                with suppress(OSError):
                    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
                    if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
                        self._memory[pid] = int(peak[1])

    def _output(self) -> str:
        return self._read("stdout")[-1000:] + self._read("stderr")[-3000:]

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8", errors="replace")


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
            "spark.ui.port": port,
            "spark.ui.showConsoleProgress": "false",
            **(settings or {}),
        }
        line = [Path(sys.executable).with_name("spark-submit"), "--master", master]
        line += [word for pair in given.items() for word in ("--conf", "=".join(map(str, pair)))]
        line += [JOB, *inputs, "-o", output, *options]
        variables = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "XDG_CACHE_HOME": CACHE,
            **(environment or {}),
        }
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                [str(word) for word in line],
                cwd=folder,
                env=variables,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        job = Job(process, folder, port)
        try:
            yield job
        finally:
            job.stop_watching()
            for pid in [*(one.pid for one in descendants(process.pid)), process.pid]:
                kill(pid)
            process.wait()


def run_job(inputs: Iterable[object], output: object, *options: object, **more: Any) -> JobRun:
    """Run the job to its end, with the arguments of ``started``."""
    with started(inputs, output, *options, **more) as job:
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
