"""Saves pages with the real programs that people save pages with: wget, HTTrack, browsers.

Each function saves URLs below a folder, through the proxy of ``hosted``.
"""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from conftest import PATIENCE, ROOT
from hosted import HostedWeb
from services import CHROMIUM, SINGLE_FILE, require

# Debian's Node.js may be too old for SingleFile.
_OWN_NODE = ROOT / ".ci" / "node" / "bin" / "node"
_NODE = str(_OWN_NODE) if _OWN_NODE.exists() else "node"
_BROWSER_ARGUMENTS = ("--no-sandbox", "--ignore-certificate-errors")


def _run(web: HostedWeb, folder: Path, *line: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # A program may report that something beside the pages, such as a favicon, is missing.
    subprocess.run(
        list(map(str, line)),
        cwd=folder,
        env={**os.environ, **web.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )


def _wget(web: HostedWeb, urls: Sequence[str], folder: Path, *options: str) -> None:
    require("wget")
    _run(web, folder, "wget", "-q", f"--ca-certificate={web.ca_file}", *options, *urls)


def wget_tree(web: HostedWeb, urls: Sequence[str], folder: Path) -> None:
    _wget(web, urls, folder, "--force-directories")


def wget_converted(web: HostedWeb, urls: Sequence[str], folder: Path) -> None:
    """Save with file names that end in .html and links between the files."""
    _wget(web, urls, folder, "--force-directories", "-E", "-k")


def httrack(web: HostedWeb, urls: Sequence[str], folder: Path) -> None:
    require("HTTrack")
    proxy = web.environment["http_proxy"].removeprefix("http://")
    # It makes no tunnels through proxies.
    plain = [url.replace("https://", "http://") for url in urls]
    _run(web, folder, "httrack", *plain, "-O", ".", "-q", "-r1", "-P", proxy)


def single_file(web: HostedWeb, urls: Sequence[str], folder: Path) -> None:
    require("SingleFile", "Chromium")
    program = SINGLE_FILE / "single-file"
    arguments = [*_BROWSER_ARGUMENTS, f"--proxy-server={web.environment['https_proxy']}"]
    listed = ", ".join(f'"{argument}"' for argument in arguments)
    for number, url in enumerate(urls):
        name = f"saved {number}.html"
        # A browser that starts slowly on a busy machine is given up by SingleFile.
        for _ in range(6):
            _run(
                *(web, folder, _NODE, program.resolve(), url, name),
                *(f"--browser-executable-path={CHROMIUM}", f"--browser-args=[{listed}]"),
            )
            if (folder / name).exists():
                break


def mhtml(web: HostedWeb, urls: Sequence[str], folder: Path) -> None:
    """Save as Chromium's "Save as, Webpage, Single File" does."""
    from playwright.sync_api import sync_playwright

    require("Chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=list(_BROWSER_ARGUMENTS),
            proxy={"server": web.environment["https_proxy"]},
        )
        tab = browser.new_context(ignore_https_errors=True).new_page()
        for number, url in enumerate(urls):
            tab.goto(url)
            snapshot = tab.context.new_cdp_session(tab).send("Page.captureSnapshot")
            (folder / f"saved {number}.mhtml").write_bytes(snapshot["data"].encode())
        browser.close()


Save = Callable[[HostedWeb, Sequence[str], Path], None]
PROGRAMS: dict[str, Save] = {
    "wget": wget_tree,
    "SingleFile": single_file,
    "MHTML": mhtml,
}
