"""The program installs as what setup.cfg says, and its top-level names are nobody else's."""

import ast
import sys
import tomllib
from configparser import ConfigParser
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.oldest import constraints, needed, oldest

ROOT = Path(__file__).parent.parent
OURS = ("engine", "web", "workflows", "rules")

# CastInstallation under another distribution's name, on purpose: what the code imports -> what setup.cfg asks for.
BROUGHT_BY = {"atheris": "atheris"}  # an extra of its own, which need not be installed


def setup_cfg() -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def required(text: str) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in text.splitlines() if line.strip()}


def imported(package: str) -> set[str]:
    """The top-level modules that a package's files import, wherever in the file."""
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {*OURS, "bench", "tests"}


def undeclared(packages: tuple[str, ...], declared: set[str]) -> set[str]:
    owners = packages_distributions()
    names = {name for package in packages for name in imported(package)}
    return {
        name
        for name in names
        if BROUGHT_BY.get(name) not in declared
        and not {canonicalize_name(owner) for owner in owners.get(name, [])} & declared
    }


@pytest.mark.parametrize("name", OURS)
def test_no_other_installed_distribution_owns_our_top_level_name(name: str) -> None:
    assert set(packages_distributions().get(name, ["ralop"])) == {"ralop"}


def test_pyproject_holds_no_table_that_would_silence_setup_cfg() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "project" not in pyproject
    assert "pytest" not in pyproject["tool"]


def test_the_installed_program_asks_for_what_setup_cfg_asks_for() -> None:
    declared = required(setup_cfg()["options"]["install_requires"])
    installed = {
        canonicalize_name(requirement.name)
        for requirement in map(Requirement, distribution("ralop").requires or [])
        if requirement.marker is None
    }
    assert installed == declared


def test_every_library_that_the_program_imports_is_declared() -> None:
    declared = required(setup_cfg()["options"]["install_requires"])
    assert undeclared(OURS, declared) == set()


def test_every_library_that_tests_and_benches_import_is_declared() -> None:
    options = setup_cfg()
    extras = options["options.extras_require"]
    declared = required(options["options"]["install_requires"] + extras["dev"] + extras["fuzz"])
    assert undeclared(("tests", "bench"), declared) == set()


def test_every_library_of_the_program_has_an_oldest_version_that_it_works_with() -> None:
    assert {it.name: oldest(it) for it in needed() if not oldest(it)} == {}
    assert constraints().count("==") == len(required(setup_cfg()["options"]["install_requires"]))


def test_a_library_without_an_oldest_version_would_be_found() -> None:
    with pytest.raises(ValueError, match="no lower bound"):
        oldest(Requirement("flask <4"))
    assert oldest(Requirement("flask >=3.1,<4")) == "3.1"


def test_the_folder_of_tests_is_not_installed() -> None:
    include = setup_cfg()["options.packages.find"]["include"].split()
    assert not any(name.startswith(("tests", "bench")) for name in include)
