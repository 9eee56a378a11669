"""The Nu Html Checker over every page of the inventory, in both languages: `make pages` installs it and runs this.

It needs Java. What it says is printed, and the run ends with 1 if it said anything. On a machine without Java
tests/web/test_html.py still holds every page against a strict parser.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing, redirect_stdout
from pathlib import Path

from engine.store.session import open_store
from tests import databases
from tests.browser.inventory import by_person, fill
from tests.cast import make_cast
from tests.web.test_html import answered

CHECKER = Path(".venv/npm/node_modules/vnu-jar/build/dist/vnu.jar")


def main() -> int:
    """Write all pages down and have them checked; the exit code of the checker."""
    if not shutil.which("java"):
        print("The HTML checker needs Java: install it (Debian: apt install default-jre-headless).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        with redirect_stdout(io.StringIO()):  # what is logged of each request
            written = write_pages(Path(folder))
        checker = ["java", "-jar", str(CHECKER), "--Werror", "--also-check-css", "--skip-non-html", folder]
        code = subprocess.run(checker, check=False).returncode
    print(f"{written} pages: {'nothing to mend' if code == 0 else 'see above'}")
    return code


def write_pages(folder: Path) -> int:
    """Every page of the inventory in both languages as a file; how many."""
    url = f"sqlite:///{folder / 'ralop.db'}"
    databases.migrate(url)
    written = 0
    with closing(open_store(url)) as store:
        filled = fill(make_cast(store), folder)
        for language in ("vi", "en"):
            filled.read_in(language)
            for who, pages in by_person():
                browser = filled.cast.browser(who) if who else filled.cast.site.client()
                browser.set_cookie("language", language)
                for page in pages:
                    name = f"{language} {who} {filled.address(page)} {'sent' if page.press else ''}".replace("/", "-")
                    (folder / f"{name[:120]} {written}.html").write_text(answered(browser, filled, page).text, "utf-8")
                    written += 1
    return written


if __name__ == "__main__":
    sys.exit(main())
