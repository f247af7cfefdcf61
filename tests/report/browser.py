"""A headless Chromium, driven by the W3C WebDriver protocol through the standard library."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--no-first-run", "--window-size=1300,900",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window; a context manager."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = (*ARGUMENTS, *arguments)

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(prefix="mapopt-browser-")
        self._driver = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        line = next(line for line in self._driver.stdout if "successfully on port" in line)
        port = re.search(r"on port (\d+)", line)[1]
        self._url = f"http://127.0.0.1:{port}"
        options = {"binary": CHROMIUM, "args": [*self._arguments, f"--user-data-dir={self._profile.name}"]}
        logs = {"browser": "ALL", "performance": "ALL"}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": logs}
        self._session = ""
        self._session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._session:
                self._call("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(10)
            self._driver.stdout.close()
            self._profile.cleanup()

    def _call(self, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
        prefix = f"/session/{self._session}" if self._session else ""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + prefix + path, data, method=verb)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, page: Path, anchor: str = "") -> None:
        """Open a file; what earlier pages logged is forgotten."""
        self.console()
        self.requests()
        self._call("POST", "/url", {"url": page.as_uri() + (f"#{anchor}" if anchor else "")})

    def run(self, script: str) -> Any:
        """Run a function body, which may await; return its value."""
        wrapped = f"const done = arguments[0]; (async () => {{ {script} }})().then(done, (e) => done(`error: ${{e}}`));"
        return self._call("POST", "/execute/async", {"script": wrapped, "args": []})

    def until(self, condition: str) -> Any:
        """Wait at most twenty seconds until an expression is true, and return it."""
        return self.run(
            f"for (let n = 0; n < 400; n++) {{ const found = ({condition}); if (found) return found; "
            "await new Promise((go) => setTimeout(go, 50)); } return null;"
        )

    def press(self, *keys: str) -> None:
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def point(self, x: int, y: int) -> None:
        move = {"type": "pointerMove", "duration": 0, "x": x, "y": y, "origin": "viewport"}
        self._call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [move]}]})

    def console(self) -> list[str]:
        """What the page wrote to the console, errors included, since the last call."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last call."""
        entries = self._call("POST", "/se/log", {"type": "performance"})
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def media(self, name: str) -> None:
        """Show the page as it is on this medium: ``print``, or empty for the screen."""
        body = {"cmd": "Emulation.setEmulatedMedia", "params": {"media": name}}
        self._call("POST", "/goog/cdp/execute", body)

    def pdf(self) -> str:
        """The page as it is printed, in base 64."""
        return self._call("POST", "/print", {"orientation": "landscape"})
