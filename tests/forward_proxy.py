"""A real forward proxy that demands a password (proxy.py), and the log of its requests."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from conftest import free_port

USER, PASSWORD = "user", "s3cret-word"


class ForwardProxy(NamedTuple):
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[str]:
        """The lines of its log about requests that it let through."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if "access_log" in line and " None:None" not in line]


@contextmanager
def forward_proxy(folder: Path) -> Iterator[ForwardProxy]:
    proxy = ForwardProxy(free_port(), folder / "proxy.log")
    line = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", str(proxy.port)]
    line += ["--basic-auth", f"{USER}:{PASSWORD}", "--num-workers", "1", "--num-acceptors", "1"]
    with proxy.log.open("wb") as log, subprocess.Popen(line, stdout=log, stderr=log) as process:
        try:
            for _ in range(300):
                if b"Loaded plugin" in proxy.log.read_bytes():
                    break
                time.sleep(0.1)
            yield proxy
        finally:
            process.terminate()
