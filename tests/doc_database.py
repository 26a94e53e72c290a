"""The database server that the documentation names, ``db.example``, as its commands see it.

It is a server of the tests (databases.py). Roles need passwords, except the superuser, who is
``postgres`` to readers: a stand-in for ``sudo`` runs ``sudo -u postgres COMMAND``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from databases import ROLE, running_server

PASSWORD = "correct-horse-battery-staple"
"""The password that readers type for each role that they create."""
_ACCESS = (f"host all {ROLE} all trust", "host all all all scram-sha-256")
# Without a terminal, createuser --pwprompt reads the password and its repetition from its input.
_SUDO = """#!/bin/sh
shift 2
printf '%s\\n' {password} {password} | PGHOST=127.0.0.1 PGUSER={role} PGDATABASE=postgres exec "$@"
"""


@contextmanager
def database_server(programs: Path) -> Iterator[dict[str, str]]:
    """Run the server, and yield the variables with which clients find it under its name.

    ``programs`` is a folder of the reader's PATH.
    """
    with running_server(access=_ACCESS) as server:
        sudo = programs / "sudo"
        sudo.write_text(_SUDO.format(password=PASSWORD, role=ROLE), encoding="utf-8")
        sudo.chmod(0o755)
        # Without a port of its own, a URL means PGPORT; no name is looked up.
        yield {"PGHOSTADDR": "127.0.0.1", "PGPORT": str(server.port)}
