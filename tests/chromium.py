"""The browser that tests and screenshots drive: found, or installed, or asked for in a sentence.

`python -m tests.chromium` makes sure that there is one: it looks at the environment variable CHROMIUM and along PATH,
then tries apt, as root or through a sudo that asks for no password; failing that, it says what to install and exits
with 1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")  # the font has the letters of Vietnamese
ASKED_FOR = (
    "No Chromium was found, and it could not be installed from here. The tests in a real browser need one: "
    "install it (Debian: apt install chromium) or name it: CHROMIUM=/path/to/chromium make test"
)


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


def install() -> None:
    """Try to install Chromium through apt; what apt says is shown. Nothing happens where we may not."""
    if shutil.which("apt-get") is None or os.environ.get("CHROMIUM"):
        return
    as_root: tuple[str, ...] = () if os.geteuid() == 0 else ("sudo", "--non-interactive")
    if as_root and shutil.which("sudo") is None:
        return
    print("Chromium is missing: installing it through apt.", file=sys.stderr)
    quietly = (*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--assume-yes")
    subprocess.run((*quietly, "update"), stdout=sys.stderr, check=False)
    subprocess.run((*quietly, "install", "--no-install-recommends", *PACKAGES), stdout=sys.stderr, check=False)


def main() -> int:
    """Find the browser or install it; 0 when there is one in the end."""
    if find() is None:
        install()
    try:
        required()
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
