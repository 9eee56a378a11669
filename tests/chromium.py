"""The browser that tests and screenshots drive: found, opened, or asked for in a sentence.

`tests.machine` installs it where there is none, and tries it.
"""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.databases import short_temporary

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ASKED_FOR = (
    "No Chromium was found. The tests in a real browser need one: "
    "install it (Debian: apt install chromium fonts-dejavu-core) or name it: CHROMIUM=/path/to/chromium make test"
)
# Root may not use Chromium's sandbox, nor others where the machine forbids it; it sees no pages but ours. And a
# container's /dev/shm is small.
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage")


def find() -> Path | None:
    """The browser's program, or None. One that is named in CHROMIUM but is not there counts as none."""
    named = os.environ.get("CHROMIUM")
    candidates = (named,) if named else NAMES
    return next((Path(path) for name in candidates if (path := shutil.which(name))), None)


def required() -> Path:
    """The browser's program; raises FileNotFoundError, whose text says what to install, where there is none."""
    if (path := find()) is None:
        raise FileNotFoundError(ASKED_FOR)
    return path


def launch(playwright: Playwright) -> Browser:
    """The browser, running. It puts a socket into the temporary directory, whose path must be short enough for one.

    Raises FileNotFoundError where there is no browser, and Playwright's Error where it does not start.
    """
    place = str(short_temporary())
    home = os.environ.get("HOME") or place  # without one it writes into the working directory
    environment: dict[str, str | float | bool] = {**os.environ, "TMPDIR": place, "HOME": home}
    return playwright.chromium.launch(executable_path=required(), args=list(ARGUMENTS), env=environment)
