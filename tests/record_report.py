"""Take the picture of README.md, docs/report.png: the report of the saved site. Look at it.

python tests/record_report.py
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from conftest import ROOT, SITE, command, environment
from playwright.sync_api import sync_playwright
from services import CHROMIUM

WIDTH, HEIGHT = 1280, 1600

with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    shutil.copytree(SITE, Path(folder, "tests", "site"))
    line = command("crawl", "articles", "-a", "seed=1752038", "-a", "source=tests/site")
    subprocess.run(
        [*line, "-s", "JOBDIR=output/jobs/saved"], cwd=folder, env=environment(), check=True
    )
    line = command("report", "-s", "JOBDIR=output/jobs/saved")
    subprocess.run(line, cwd=folder, env=environment(), check=True)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.goto(Path(folder, "report.html").as_uri())
    page.wait_for_timeout(1_000)
    end = page.locator("#graph-stage").bounding_box()
    assert end is not None
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"] + 8}
    page.screenshot(path=ROOT / "docs" / "report.png", clip=clip)
