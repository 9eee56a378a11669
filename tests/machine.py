"""Whether this machine has all that the tests need: looked for, installed where we may, and tried before they begin.

`python -m tests.machine` starts Playwright, opens a page in a real browser, draws the letters of Vietnamese there, and
starts a PostgreSQL. What is missing it installs through apt, as root or through a sudo that asks for no password. What
is missing in the end it says in a sentence each, which names the package, and ends with 1.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
from playwright.sync_api import Error, Page, sync_playwright

from tests import chromium, databases

# Debian's packages: what starts Playwright's own program, and what has the letters of Vietnamese.
LIBRARIES = {"libatomic.so.1": "libatomic1", "libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1"}
FONT = "fonts-dejavu-core"
LOADING = re.compile(r"error while loading shared libraries: ([^\s:]+)")
MOST = 300  # characters of what a program said

# A letter that no font here has is drawn as what no font has: a box.
LETTERS = """() => {
  const drawn = (text) => {
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    pen.font = "32px sans-serif";
    pen.fillText(text, 10, 40);
    return canvas.toDataURL();
  };
  return [..."ắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữựđ"].every((letter) => drawn(letter) !== drawn("\\u{10fffe}"));
}"""
HEADING = "Trẻ em đến lớp"
PAGE = f"<!doctype html><html lang=vi><meta charset=utf-8><title>Ra Lớp</title><h1>{HEADING}</h1>"


@dataclass(frozen=True)
class Missing:
    """What is missing, as a sentence, and the Debian packages that bring it, if they are known."""

    sentence: str
    packages: tuple[str, ...] = ()


def check_chromium() -> Missing | None:
    """Whether there is a browser."""
    if chromium.find() is not None:
        return None
    return Missing(chromium.ASKED_FOR, () if os.environ.get("CHROMIUM") else ("chromium", FONT))


def check_playwright(command: tuple[str, ...] = (sys.executable, "-m", "playwright", "--version")) -> Missing | None:
    """Whether the program starts that drives the browser."""
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    return _not_started("Playwright, which drives the browser,", ran.stderr + ran.stdout) if ran.returncode else None


def check_browser() -> Missing | None:
    """Whether the browser opens a page that comes over the line, and has the letters for it."""
    try:
        with sync_playwright() as playwright, _served() as address:
            browser = chromium.launch(playwright)
            page = browser.new_page()
            page.goto(address)
            found = _look(page)
            browser.close()
    except (Error, OSError) as failed:
        return _not_started(f"Chromium ({chromium.find()})", str(failed))
    return found


def _look(page: Page) -> Missing | None:
    if not page.evaluate(LETTERS):
        sentence = f"No font here has the letters of Vietnamese. Install one (Debian: apt install {FONT})."
        return Missing(sentence, (FONT,))
    if (shown := page.get_by_role("heading").inner_text()) != HEADING:
        return Missing(f"Chromium ({chromium.find()}) opens a page and shows {shown!r} where it says {HEADING!r}.")
    return None


def check_postgresql() -> Missing | None:
    """Whether a PostgreSQL starts and answers; nothing is started where the environment names one."""
    data = databases.new_directory()
    given = databases.given_server()
    try:
        with psycopg.connect(given or databases.start_postgresql(data)) as connection:
            connection.execute("SELECT 1")
    except (OSError, psycopg.Error, subprocess.SubprocessError, RuntimeError) as failed:
        said = [str(failed), getattr(failed, "stderr", ""), *_log(data)]
        where = f"PostgreSQL ({'RALOP_TEST_POSTGRESQL' if given else data})"
        return _not_started(where, "\n".join(str(it) for it in said if it))
    finally:
        databases.stop_postgresql(data)
    return None


def _log(data: Path) -> Iterator[str]:
    if (log := data / "log").is_file():
        yield log.read_text("utf-8", errors="replace")


def _not_started(what: str, said: str) -> Missing:
    """What to do about a program that does not start, from what it said."""
    if library := LOADING.search(said):
        if package := LIBRARIES.get(library[1]):
            sentence = f"{what} does not start: {library[1]} is missing. Install it (Debian: apt install {package})."
            return Missing(sentence, (package,))
        return Missing(f"{what} does not start: the library {library[1]} is missing. Install the package that has it.")
    return Missing(f"{what} does not start. It said: {' '.join(said.split())[:MOST] or 'nothing'}")


@contextmanager
def _served() -> Iterator[str]:
    """The address of a page on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def missing() -> list[Missing]:
    """All that is missing here. The browser is opened once it is there, and what drives it, too."""
    found = [check_chromium(), check_playwright()]
    if not any(found):
        found = [check_browser()]
    return [it for it in (*found, check_postgresql()) if it]


def as_root() -> tuple[str, ...] | None:
    """What to put before a command so that root does it; None where we may not."""
    if os.geteuid() == 0:
        return ()
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "--non-interactive", "true"], capture_output=True, check=False).returncode == 0:
        return (sudo, "--non-interactive")
    return None


def install(packages: tuple[str, ...]) -> bool:
    """Try to install packages through apt; what apt says is shown. False where we may not, or apt could not."""
    before = as_root()
    if shutil.which("apt-get") is None or before is None:
        return False
    print(f"Missing here, installed through apt: {', '.join(packages)}", file=sys.stderr, flush=True)
    apt = (*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--assume-yes")
    run = partial(subprocess.run, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    run((*apt, "update"))
    return run((*apt, "install", "--no-install-recommends", *packages)).returncode == 0


def main() -> int:
    """Look, install what is missing, look again; 0 when nothing is missing in the end."""
    found, tried = missing(), set[str]()
    while wanted := tuple(package for it in found for package in it.packages if package not in tried):
        tried.update(wanted)
        found = missing() if install(wanted) else found
    for it in found:
        print(it.sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
