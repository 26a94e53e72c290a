"""A PostgreSQL server of the tests' own, databases in it, and connections that can be cut.

The server's locale sorts texts differently from their bytes. It is never one that the system runs.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from services import postgresql_program

# Stops the server and deletes its folder when the tests end, however they end: their end of the
# pipe is closed then.
_WATCHDOG = 'read -r _; "$1" stop -D "$2/data" -m immediate; rm -rf "$2"'
_LOCALE = ("--locale-provider=icu", "--icu-locale=en-US", "--locale=C", "--encoding=UTF8")
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "deadlock_timeout": "50ms",
    "log_min_messages": "warning",
}
ROLE = "crawler"
"""The superuser of the server. It needs no password."""
PROTECTED = "protected"
"""The only role that needs a password, if a test creates it."""
_ACCESS = (
    f"host all {PROTECTED} 127.0.0.1/32 scram-sha-256",
    "host all all 127.0.0.1/32 trust",
    "local all all trust",
)


class Server:
    """A running PostgreSQL server."""

    def __init__(self, folder: Path, port: int, user: Mapping[str, Any]) -> None:
        self.port = port
        self._folder = folder
        self._user = user
        self._numbers = count(1)

    def control(self, action: str, *options: str) -> None:
        """Run ``pg_ctl``; wait until the server has started or stopped.

        A ``restart`` with ``-m immediate`` is one without a shutdown, as after a power cut.
        """
        log = self._folder / "log"
        line = [postgresql_program("pg_ctl"), action, "-w", "-D", self._folder / "data", "-l", log]
        done = subprocess.run(
            [*line, *options], check=False, stdout=subprocess.DEVNULL, **self._user
        )
        assert done.returncode == 0, log.read_text(encoding="utf-8")[-3000:]

    def url(self, database: str, *, role: str = ROLE, port: int | None = None) -> str:
        """Return a database's LEDGER_URL, perhaps through the port of a proxy."""
        return f"postgresql+psycopg://{role}@127.0.0.1:{port or self.port}/{database}"

    def connect(self, database: str = "postgres", *, role: str = ROLE) -> psycopg.Connection[Any]:
        """Connect to a database; each statement is a transaction of its own."""
        address = f"host=127.0.0.1 port={self.port} user={role} dbname={database}"
        return psycopg.connect(address, autocommit=True)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @contextmanager
    def new_role(self, name: str, password: str = "") -> Iterator[str]:
        """Create a role without rights, and drop it at the end. It may own nothing by then."""
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        try:
            yield name
        finally:
            self.execute(f"DROP ROLE {name}")

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """Create an empty database, and drop it at the end. Yield its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_server(access: Iterable[str] = _ACCESS, **settings: object) -> Iterator[Server]:
    """Run a server of a new, empty cluster. It ends with this process, even if that is killed.

    ``access`` are the lines of pg_hba.conf. ``settings`` of the server replace those for tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = _unprivileged_user(folder)
    pg_ctl = postgresql_program("pg_ctl")
    watchdog = subprocess.Popen(
        ["sh", "-c", _WATCHDOG, "sh", pg_ctl, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # An interrupt from the keyboard is for the tests alone.
        start_new_session=True,
        **user,
    )
    try:
        line = [postgresql_program("initdb"), "-D", folder / "data", "-U", ROLE, "--auth=trust"]
        subprocess.run(
            [*line, "--no-sync", *_LOCALE], check=True, stdout=subprocess.DEVNULL, **user
        )
        server = Server(folder, _free_port(), user)
        settings = {
            **_SETTINGS,
            "port": server.port,
            "unix_socket_directories": folder,
            **settings,
        }
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        rules = "".join(f"{line}\n" for line in access)
        (folder / "data" / "pg_hba.conf").write_text(rules, encoding="utf-8")
        server.control("start")
        yield server
    finally:
        watchdog.communicate()


def _unprivileged_user(folder: Path) -> dict[str, Any]:
    """Give a folder to a user other than root, as whom PostgreSQL does not run.

    Return the arguments with which subprocess starts a program as that user, in that folder.
    """
    if os.getuid() != 0:
        return {"cwd": folder}
    names = {user.pw_name for user in pwd.getpwall()}
    name = "postgres" if "postgres" in names else "nobody"
    group = pwd.getpwnam(name).pw_gid
    shutil.chown(folder, name, group)
    return {"cwd": folder, "user": name, "group": group, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class CuttingProxy:
    """A TCP proxy before a server, whose connections can be cut or fall silent.

    ``port`` is its own. ``watch`` is called with each piece of data and whether it is from the
    server, before the data is passed on; it may call ``cut``, and the data is then lost.
    """

    def __init__(self, server_port: int) -> None:
        self.watch: Callable[[bytes, bool], None] = lambda data, from_server: None
        self.is_open = threading.Event()
        """While it is not set, new connections are refused."""
        self.speaks = threading.Event()
        """While it is not set, nothing is passed on, and no connection is closed."""
        self.connections = 0
        """How many connections there have been."""
        self._server_port = server_port
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.is_open.set()
        self.speaks.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "CuttingProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self.speaks.set()

    def cut(self) -> None:
        """Cut all connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _hang_up(*pair)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if not self.is_open.is_set():
                    client.close()
                    continue
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port))
        except OSError:
            client.close()
            return
        self.connections += 1
        with self._lock:
            self._pairs.append((client, server))
        threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            answers = threading.Thread(target=self._pass_on, args=(server, client), daemon=True)
            answers.start()
            self._pass_on(client, server)
            answers.join()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        """Pass data on in one direction until either end hangs up; then both have."""
        with suppress(OSError):
            from_server = source.getpeername()[1] == self._server_port
            while data := source.recv(65_536):
                self.speaks.wait()
                self.watch(data, from_server)
                target.sendall(data)
        _hang_up(source, target)


def _hang_up(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
