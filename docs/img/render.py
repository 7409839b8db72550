"""Take the documentation's screenshots of the notebook and the report, from simulated data.

Needs the results of ``make demo``, the extras ``notebook`` and ``dev``, and Chromium with
its driver (Debian: ``apt-get install chromium chromium-driver``)::

    python docs/img/render.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
_WIDTH = 1180


def main() -> None:
    """Write the pictures beside this file."""
    browser = _browser()
    try:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "notebook.html"
            page.write_text(_notebook_html(), encoding="utf-8")
            _shoot(browser, page, HERE / "worklist.png", "Lista de trabajo", 790)
            _shoot(browser, page, HERE / "reasons.png", "Un paciente", 960)
            _shoot(browser, page, HERE / "notebook.png", "Cronología", 1830)
        _shoot(
            browser,
            ROOT / "demo" / "out" / "report.html",
            HERE / "report.png",
            "Informe de la ejecución",
            1330,
            above=64,
        )
    finally:
        browser.quit()


def _notebook_html() -> str:
    notebook = nbformat.read(ROOT / "notebooks" / "clinician_review.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": ROOT}}).execute()
    html, _ = HTMLExporter(
        exclude_input_prompt=True, exclude_output_prompt=True
    ).from_notebook_node(notebook)
    return str(html)


def _browser() -> WebDriver:
    driver = shutil.which("chromedriver")
    if driver is None:
        raise SystemExit("chromedriver is not installed: apt-get install chromium chromium-driver")
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu"):
        options.add_argument(argument)
    # A driver named by its path: Selenium then asks nobody on the network for one.
    return webdriver.Chrome(options=options, service=Service(driver))


def _shoot(
    browser: WebDriver, page: Path, image: Path, heading: str, height: int, above: int = 24
) -> None:
    """Save ``height`` pixels of a page, from ``above`` pixels over a heading on."""
    size = {"width": _WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.resolve().as_uri())
    top = browser.find_element(
        By.XPATH, f"//*[self::h1 or self::h2 or self::h3][starts-with(., '{heading}')]"
    )
    browser.execute_script(f"window.scrollTo(0, arguments[0] - {above});", top.location["y"])
    browser.save_screenshot(str(image))


if __name__ == "__main__":
    main()
