"""The documents as they stand work: each command of README and docs is run, in the order in which it stands there.

A fenced block `sh` is run line by line. A block whose first line is a path behind `#` is that file, and is written
before what follows. What cannot be run here stands in NOT_RUN with its reason, and is checked as far as it can be.
"""

import configparser
import importlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import chdir, closing
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from engine.core.people.roles import ADMIN
from engine.store.ops import health
from engine.store.session import now_utc, open_store
from engine.usecases.people.accounts import members
from tests import databases
from tests.ports import free_port
from web.cli.main import main
from web.cli.serve import NotFit
from web.site.settings import load_settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "docs/operate/index.md",
    "docs/operate/imports.md",
    "docs/operate/sign-in.md",
    "docs/operate/notices.md",
    "docs/operate/many-machines.md",
    "docs/rules.md",
    "docs/scenarios.md",
    "docs/risk.md",
)
ALSO_NAMED_IN = ("docs/duties.md", "instance/README.md", "web/help/vi/admin.md", "web/help/en/admin.md")
NOT_RUN = {
    "useradd ": "needs root, and changes the accounts of this machine",
    "install -d -o ralop": "needs root and the account",
    "git clone ": "asks a server of the operator's",
    "cd /opt/ralop": "the program lies where the test runs",
    "make setup": "made what runs this test",
    "make demo": "serves for ever; what it calls is run by tests/web/admin/test_demo.py",
    "make test": "is what runs this test",
    "systemctl ": "needs systemd, as root",
    "journalctl ": "needs systemd",
}
ON_THE_DEMO = ("ralop status", "ralop explain")  # they look at an installation with cases, at work
KEPT_RUNNING = ("ralop serve", "ralop worker")
SECONDS = 180


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    document: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}: {self.text[:30]!r}"

    def lines(self) -> list[str]:
        """The commands in it, without remarks."""
        whole = self.text.replace("\\\n", " ").splitlines()
        return [line for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in whole) if line]

    @property
    def file(self) -> str:
        """The path of the file that this block is; "" if it is none."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# ").strip() if re.fullmatch(r"# /\S+", first) else ""


def blocks(document: str) -> list[Block]:
    tokens = MarkdownIt().parse((ROOT / document).read_text(encoding="utf-8"))
    return [Block(document, it.info.strip(), it.content) for it in tokens if it.type == "fence"]


def of_kind(*kinds: str) -> list[Block]:
    return [block for document in DOCUMENTS for block in blocks(document) if block.kind in kinds]


def reason_not_to_run(command: str) -> str:
    return next((reason for start, reason in NOT_RUN.items() if f"{command} ".startswith(start)), "")


@dataclass
class Walk:
    """An operator who goes through the documents; `done` is what was typed and came of it."""

    folder: Path
    environment: dict[str, str]
    postgresql: str = ""
    left: list[str] = field(default_factory=lambda: list(DOCUMENTS))
    done: list[tuple[str, str, int, str]] = field(default_factory=list)

    def adapted(self, text: str) -> str:
        """The text with the folders and ports of this test in the place of the documents'."""
        for path in ("/srv/", "/backup/"):
            text = text.replace(path, f"{self.folder}{path}")
        made = sorted(self.folder.glob("backup/ralop/ralop-*.tar.gz"))
        if made:
            text = re.sub(r"ralop-\d{8}-\d{6}\.tar\.gz", made[-1].name, text)
        return text.replace("--port 5000", f"--port {self.environment['PORT']}").replace("--host 10.0.0.11", "")

    def up_to(self, document: str) -> None:
        """Go on to the end of this document, if that was not reached yet."""
        while self.left and document in self.left:
            self.through(self.left.pop(0))

    def through(self, document: str) -> None:
        if document.endswith("many-machines.md"):
            self.environment["RALOP_DATABASE_URL"] = self.postgresql
        for block in blocks(document):
            if block.kind == "sh":
                for command in block.lines():
                    self.type(document, command)
            elif block.file.startswith("/srv/"):
                path = Path(self.adapted(block.file))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
        self.environment.pop("RALOP_DATABASE_URL", None)

    def type(self, document: str, command: str) -> None:
        if reason_not_to_run(command):
            return
        text = self.adapted(command)
        if given := re.fullmatch(r"export (\w+)=(.*)", text):
            if given[1] != "PATH":
                self.environment[given[1]] = given[2]
            return
        if command.startswith(KEPT_RUNNING):
            code, output = self.served(text)
        elif command.startswith("ralop "):
            code, output = self.called(text, demo=command.startswith(ON_THE_DEMO))
        else:
            code, output = self.run(text)
        self.done.append((document, command, code, output))

    def called(self, text: str, *, demo: bool) -> tuple[int, str]:
        """What `ralop …` says: in this process, since an interpreter takes seconds to start."""
        there = {**self.environment, "RALOP_INSTANCE": f"{self.folder}/demo"} if demo else self.environment
        done = CliRunner().invoke(main, shlex.split(text)[1:], env=there)
        return done.exit_code, f"{done.output}{done.exception or ''}"

    def run(self, text: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def served(self, text: str) -> tuple[int, str]:
        """Start it, see that it works, and end it as ctrl+C does."""
        with self.running(text) as process:
            ready = self.answers("login") if "serve" in text else self.works()
            process.send_signal(signal.SIGTERM)
            return (process.wait(SECONDS) if ready else 99), text

    def works(self) -> bool:
        """Whether a worker is seen in the database before long."""
        end = time.monotonic() + SECONDS
        with closing(open_store(self.environment["RALOP_DATABASE_URL"])) as store:
            while time.monotonic() < end:
                if health.look(store).worker_silent is not None:
                    return True
                time.sleep(0.2)
        return False

    def running(self, text: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(shlex.split(text), cwd=ROOT, env=self.environment)

    def answers(self, page: str) -> bool:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.environment['PORT']}/{page}"):
                    return True
            except (OSError, urllib.error.HTTPError):
                time.sleep(0.2)
        return False


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, postgresql_server: str) -> Iterator[Walk]:
    """An operator before the first document, beside a demo that is served."""
    folder = tmp_path_factory.mktemp("operator")
    for place in ("srv/ralop", "backup/ralop"):
        (folder / place).mkdir(parents=True, mode=0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RALOP_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{databases.path_to_programs()}"
    name = f"ralop_test_documents_{os.getpid()}"
    database = databases.create_postgresql(postgresql_server, name)
    walk = Walk(folder, {**kept, "PATH": path, "PORT": str(free_port()), "LC_ALL": "C.UTF-8"}, database)
    demo = Walk(folder, {**walk.environment, "RALOP_INSTANCE": f"{folder}/demo", "PORT": str(free_port())})
    with demo.running(f"ralop demo --port {demo.environment['PORT']}") as serving:
        try:
            with chdir(ROOT):
                assert demo.answers("healthz")
                yield walk
        finally:
            serving.terminate()
    databases.drop_postgresql(postgresql_server, name)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_command_of_the_document_works_in_its_place(walk: Walk, document: str) -> None:
    walk.up_to(document)
    typed = [it for it in walk.done if it[0] == document]
    expected = [line for it in of_kind("sh") if it.document == document for line in it.lines()]
    left = [line for line in expected if not reason_not_to_run(line) and not line.startswith("export ")]
    assert [command for _, command, _, _ in typed] == left
    assert [(command, output) for _, command, code, output in typed if code] == []


def test_after_the_first_document_there_is_an_administrator_with_a_post_and_nothing_invented(walk: Walk) -> None:
    walk.up_to("docs/operate/index.md")
    store = open_store(f"sqlite:///{walk.folder}/srv/ralop/ralop.db")
    posts = {member.login: member.posts for member in members(store, now_utc().date())}
    store.close()
    assert [(role, code) for role, code, _ in posts["quantri"]] == [(ADMIN, "VN")]
    assert set(posts) == {"quantri", "hanh"}
    first = next(output for _, command, _, output in walk.done if command.startswith("ralop import units rules/"))
    assert re.findall(r"\d+", first) == ["5", "0", "0"]


def test_the_units_that_an_installation_begins_with_are_facts() -> None:
    def rows(name: str) -> list[str]:
        lines = (ROOT / "rules" / "units" / name).read_text(encoding="utf-8").splitlines()
        return [line for line in lines if not line.startswith(("#", "kind,"))]

    real = rows("quang-ngai-communes.csv")
    assert all(re.match(r"(root,VN|province,\d\d|commune,\d{5}),", line) for line in real)
    assert set(real) <= set(rows("quang-ngai-2026.csv"))


def test_what_the_documents_restored_is_what_was_backed_up(walk: Walk) -> None:
    walk.up_to("docs/operate/index.md")
    restored = walk.folder / "srv" / "ralop-restored"
    assert {"ralop.db", "secret_key", "own-units.csv", "rules"} <= {path.name for path in restored.iterdir()}


def test_what_is_not_run_is_at_least_a_command_of_the_shell() -> None:
    left = [line for block in of_kind("sh") for line in block.lines() if reason_not_to_run(line)]
    assert {start for start in NOT_RUN if not any(f"{line} ".startswith(start) for line in left)} == set()
    for line in left:
        assert subprocess.run(["bash", "-n", "-c", line], check=False).returncode == 0
        if line.startswith("make "):
            dry = ["make", "-n", *shlex.split(line)[1:]]
            assert subprocess.run(dry, cwd=ROOT, capture_output=True, check=False).returncode == 0


# --- what is named, not typed -----------------------------------------------------------------------------------------


def named_commands(document: str) -> list[str]:
    tokens = MarkdownIt().enable("table").parse((ROOT / document).read_text(encoding="utf-8"))
    spans = [child.content for token in tokens for child in token.children or () if child.type == "code_inline"]
    return [" ".join(span.split()) for span in spans if span.startswith("ralop ")]


def unknown_part(command: str) -> str:
    """The word of a `ralop …` that no command or option is; "" if there is none."""
    found: click.Command = main
    words = command.split()[1:]
    while words and isinstance(found, click.Group):
        word = words.pop(0)
        if word not in found.commands:
            return word
        found = found.commands[word]
    known = {option for parameter in found.params for option in parameter.opts} | {"--help"}
    return next((word for word in words if word.startswith("-") and word.split("=")[0] not in known), "")


@pytest.mark.parametrize("document", [*DOCUMENTS, *ALSO_NAMED_IN])
def test_each_command_that_is_named_exists_with_its_options(document: str) -> None:
    commands = [re.sub(r"[\[\]…]", " ", command) for command in named_commands(document)]
    assert {command: unknown_part(command) for command in commands if unknown_part(command)} == {}


@pytest.mark.parametrize("made_up", ["ralop backups DIR", "ralop restore FILE --into DIR", "ralop user make x"])
def test_a_command_that_does_not_exist_would_be_found(made_up: str) -> None:
    assert unknown_part(made_up)


def test_each_command_tells_its_help() -> None:
    for block in of_kind("sh"):
        for line in block.lines():
            if line.startswith("ralop "):
                words = [word for word in line.split()[1:3] if re.fullmatch(r"[a-z-]+", word)]
                assert CliRunner().invoke(main, [*words[:1], "--help"]).exit_code == 0


# --- files that the documents show ------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of_kind("toml"), ids=str)
def test_each_toml_file_is_one_and_settings_are_settings(block: Block, tmp_path: Path) -> None:
    tomllib.loads(block.text)
    if block.document.startswith("docs/operate/"):
        (tmp_path / "settings.toml").write_text(block.text, encoding="utf-8")
        load_settings({"RALOP_INSTANCE": str(tmp_path)})


@pytest.mark.parametrize("block", of_kind("ini"), ids=str)
def test_the_unit_of_systemd_calls_a_command_that_exists_and_is_not_started_again_when_it_refuses(block: Block) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block.text)
    assert unknown_part(unit["Service"]["ExecStart"].partition("bin/")[2]) == ""
    assert unit["Service"]["RestartPreventExitStatus"] == str(NotFit.exit_code)
    assert unit["Service"]["UMask"] == "0077"


@pytest.mark.parametrize("block", of_kind("cron"), ids=str)
def test_the_lines_of_cron_are_times_a_user_and_a_command(block: Block) -> None:
    for line in block.lines():
        *when, user, command = line.split(None, 6)
        assert all(re.fullmatch(r"[\d*/,-]+", word) for word in when)
        assert user == "ralop"
        assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0
        if "bin/ralop" in command:
            assert unknown_part(command.partition("bin/")[2]) == ""


@pytest.mark.parametrize("block", of_kind("nginx"), ids=str)
def test_the_blocks_of_nginx_are_closed_and_pass_on_what_trusted_proxies_relies_on(block: Block) -> None:
    lines = block.lines()
    assert sum(line.count("{") - line.count("}") for line in lines) == 0
    assert [line for line in lines if line[-1] not in ";{}"] == []
    for header in ("Host $host", "X-Forwarded-For $proxy_add_x_forwarded_for", "X-Forwarded-Proto $scheme"):
        assert f"proxy_set_header {header};" in block.text


def test_the_documents_say_what_is_missing_for_real_childrens_data() -> None:
    operate = (ROOT / "docs" / "operate" / "index.md").read_text(encoding="utf-8")
    for missing in ("erasure", "retention", "requests", "consent"):
        assert f"| **{missing}** |" in operate
    assert "docs/operate/index.md#before-real-childrens-data" in (ROOT / "README.md").read_text(encoding="utf-8")


# --- what the documents for developers name ---------------------------------------------------------------------------

FOR_DEVELOPERS = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "develop").glob("*.md")),
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "decisions").glob("*.md")),
)
TOP_FOLDERS = ("engine", "web", "tests", "docs", "rules", "workflows", "bench")


def missing_names(text: str, folder: Path) -> list[str]:
    """The paths, dotted modules and links in a document that do not exist, as they are written there."""
    spans = [it for it in re.findall(r"`([^`\n]+)`", text) if re.match(rf"({'|'.join(TOP_FOLDERS)})[./][\w/.*-]+$", it)]
    links = [it.partition("#")[0] for it in re.findall(r"\]\(([^)\s]+)\)", text) if not it.startswith(("http", "#"))]
    return [it for it in spans if not is_named_rightly(it)] + [it for it in links if not (folder / it).exists()]


def is_named_rightly(name: str) -> bool:
    """Whether a path, with `*` or without, is in the repository; or a module, with a name in it or without."""
    if "/" in name:
        return any(ROOT.glob(name.rstrip("/")))
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.is_dir() or path.with_suffix(".py").is_file():
            return length == len(parts) or has_names(".".join(parts[:length]), parts[length:])
    return False


def has_names(module: str, names: list[str]) -> bool:
    found: object = importlib.import_module(module)
    for name in names:
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


@pytest.mark.parametrize("document", FOR_DEVELOPERS)
def test_each_path_and_module_that_a_document_for_developers_names_exists(document: str) -> None:
    path = ROOT / document
    assert missing_names(path.read_text(encoding="utf-8"), path.parent) == []


@pytest.mark.parametrize(
    "wrong",
    ["`engine/house.py`", "`engine.core.house`", "`engine.core.refusals.Conflicts`", "[a](develop/no.md)", "`web/*.c`"],
)
def test_a_name_that_does_not_exist_would_be_found(wrong: str) -> None:
    right = "`engine/core/`, `engine.core.refusals.Conflict`, `rules/*.toml`, [a](develop/add-a-page.md)"
    assert missing_names(right, ROOT / "docs") == []
    assert missing_names(f"{right} {wrong}", ROOT / "docs") == [wrong.strip("`").removeprefix("[a](").rstrip(")")]


@pytest.mark.parametrize("decision", [it for it in FOR_DEVELOPERS if "decisions" in it])
def test_decisions_are_numbered_one_after_the_other(decision: str) -> None:
    number = [it for it in FOR_DEVELOPERS if "decisions" in it].index(decision) + 1
    assert Path(decision).name.startswith(f"{number:04}-")
    assert (ROOT / decision).read_text(encoding="utf-8").startswith(f"# {number}. ")
