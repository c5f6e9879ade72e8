"""OHIF as a radiologist's browser shows it: its ready build, a real Orthanc behind it, Chromium in front of it.

Nothing of this is installed by the test requirements; docs/how-to/ohif.md says where the parts come from.
"""

from __future__ import annotations

import base64
import http.server
import mimetypes
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from orthanc_server import PASSWORD, OrthancServer, require_orthanc

DIST = "KIDNEYSEG_OHIF_DIST"
CONFIGURATION = b"""window.config = {
  routerBasename: null, extensions: [], modes: [], customizationService: {}, showStudyList: true,
  maxNumberOfWebWorkers: 1, investigationalUseDialog: { option: 'never' }, defaultDataSourceName: 'orthanc',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'orthanc',
    configuration: {
      friendlyName: 'Orthanc', name: 'orthanc', qidoRoot: '/dicom-web', wadoRoot: '/dicom-web',
      wadoUriRoot: '/dicom-web', imageRendering: 'wadors', thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true, bulkDataURI: { enabled: true }, omitQuotationForMultipartRequest: true,
    },
  }],
};"""
# software rendering: the machines of tests have no graphics card
ARGUMENTS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
NO_TOUR = ".shepherd-modal-overlay-container, .shepherd-element { display: none !important }"
PATIENCE_MS = 240_000


def require_ohif() -> tuple[Path, str]:
    """Skips the test where a part is missing; returns the folder of the build and the browser's program."""
    require_orthanc()
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
    folder, browser = os.environ.get(DIST), shutil.which("chromium") or shutil.which("google-chrome")
    if not folder:
        pytest.skip(f"{DIST} does not name the folder of an OHIF build (see docs/how-to/ohif.md)")
    if not (Path(folder) / "index.html").is_file():
        pytest.skip(f"the folder that {DIST} names holds no index.html")
    if browser is None:
        pytest.skip("chromium is not installed here")
    return Path(folder), browser


@contextmanager
def opened(files: list[Path], study: str, scratch: Path) -> Iterator[Viewer]:
    """Shows a study in OHIF as long as the context lasts."""
    dist, browser = require_ohif()
    from playwright.sync_api import sync_playwright

    orthanc = OrthancServer(scratch / "orthanc")
    orthanc.start()
    try:
        orthanc.send(*files)
        server = _front(dist, orthanc.rest)
        try:
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=browser, args=list(ARGUMENTS))
                page = chromium.new_page(viewport={"width": 1200, "height": 800})
                yield Viewer(page, f"http://127.0.0.1:{server.server_port}/viewer?StudyInstanceUIDs={study}")
                chromium.close()
        finally:
            server.shutdown()
    finally:
        orthanc.kill()


class Viewer:
    """One browser window with one study.

    Attributes:
        page: the window.
        faults: what went wrong in the page's own program since it was opened.
    """

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(address)
        self.wait("window.cornerstone?.getEnabledElements?.()[0]?.viewport?.getCurrentImageId?.()")
        page.add_style_tag(content=NO_TOUR)

    def ask(self, script: str, value: object = None) -> Any:
        """Runs a JavaScript function in the page and returns its answer."""
        return self.page.evaluate(script, value)

    def wait(self, condition: str) -> None:
        self.page.wait_for_function(condition)

    def open(self, description: str) -> None:
        """Opens a series from the list, as a double click does."""
        self.page.get_by_text(description).first.dblclick()

    def confirm(self) -> None:
        """Answers the question whether to load it."""
        self.page.get_by_text("Yes", exact=True).first.click()


def _front(dist: Path, upstream: str) -> http.server.ThreadingHTTPServer:
    """Serves the build, and DICOMweb from the same address, as a hospital's web server does."""
    login = "Basic " + base64.b64encode(f"kidneyseg:{PASSWORD}".encode()).decode()

    class Front(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:  # noqa: N802
            if self.path.startswith("/dicom-web"):
                self._answer(*self._pass_on())
            elif self.path == "/app-config.js":
                self._answer(200, "text/javascript", CONFIGURATION)
            else:
                path = dist / self.path.split("?")[0].lstrip("/")
                path = path if path.is_file() else dist / "index.html"
                kind = "application/wasm" if path.suffix == ".wasm" else mimetypes.guess_type(path.name)[0]
                self._answer(200, kind or "application/octet-stream", path.read_bytes())

        def _pass_on(self) -> tuple[int, str, bytes]:
            # Orthanc makes addresses of bulk data from the host that it was asked under
            headers = {"Accept": self.headers["Accept"], "Host": self.headers["Host"], "Authorization": login}
            try:
                with urllib.request.urlopen(urllib.request.Request(upstream + self.path, headers=headers)) as answer:
                    return answer.status, answer.headers["Content-Type"], answer.read()
            except urllib.error.HTTPError as error:
                return error.code, "text/plain", error.read()

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
