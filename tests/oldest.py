"""`python -m tests.oldest`: the oldest versions that setup.cfg allows of what the program needs, for pip.

`make test-oldest` installs these and runs the tests with them. Tools for tests are not held: they are not shipped.
"""

from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement

SETUP = Path(__file__).parent.parent / "setup.cfg"


def needed() -> list[Requirement]:
    """The libraries that the program needs, with their ranges."""
    parser = ConfigParser(interpolation=None)
    parser.read(SETUP, encoding="utf-8")
    return [Requirement(line) for line in parser["options"]["install_requires"].split("\n") if line.strip()]


def oldest(requirement: Requirement) -> str:
    """The lower end of its range; raises ValueError if there is none."""
    bounds = [it.version for it in requirement.specifier if it.operator == ">="]
    if len(bounds) != 1:
        raise ValueError(f"{requirement} has no lower bound")
    return bounds[0]


def constraints() -> str:
    """One line a library: `name==oldest version`."""
    return "".join(f"{it.name}=={oldest(it)}\n" for it in needed())


if __name__ == "__main__":
    print(constraints(), end="")
