"""Ends every command in the same way: says in the language of the terminal what went wrong, without a traceback.

The exit code is 0 if all is done, 1 if the request is refused or something was found, 2 if the command, a file or the
database is wrong. For a fault of the program itself the message names the file with the traceback.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import click

from engine.core.calendar import UnreadableValue
from engine.core.refusals import Invalid, Refused
from engine.core.words import Faulty, Sentence
from engine.store.database.refusals import DatabaseRefused, in_words
from web.cli.check import language_here

REFUSED, UNUSABLE = 1, 2
CONTROLS = {"Cc", "Cs"}  # categories of characters that no name and no path here has

OS_ERRORS: dict[int, Sentence] = {
    errno.ENOENT: Sentence("There is no such file or folder."),
    errno.EISDIR: Sentence("This is a folder, not a file."),
    errno.ENOTDIR: Sentence("A part of this path is no folder."),
    errno.EACCES: Sentence("You have no right to this."),
    errno.EPERM: Sentence("You have no right to this."),
    errno.EROFS: Sentence("Nothing can be written here."),
    errno.ENOSPC: Sentence("The disk is full."),
    errno.EADDRINUSE: Sentence("Another program listens there already."),
    errno.EADDRNOTAVAIL: Sentence("This machine has no such address."),
}


class Program(click.Group):
    """The command and all its subcommands; faults end in words (`main`), arguments are text (`parse_args`)."""

    def main(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs it, and ends the process with 0, 1 or 2."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        _speak_whatever_the_terminal_takes()
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except BrokenPipeError:
            _let_go_of_the_pipe()
            code = REFUSED
        except (click.exceptions.Abort, KeyboardInterrupt):
            click.echo(Sentence("Stopped.").in_(language_here()), err=True)
            code = REFUSED
        except Exception as error:  # noqa: BLE001 - the one place where every failure ends
            code = _end(error)
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuses arguments with characters that no name and no path has."""
        for number, text in enumerate(args, 1):
            wrong = next((char for char in text if unicodedata.category(char) in CONTROLS), None)
            if wrong is not None:
                sentence = Sentence(
                    "Argument {number} holds a character that is no text: {code}.",
                    number=number,
                    code=f"U+{ord(wrong):04X}",
                )
                raise click.UsageError(sentence.in_(language_here()), ctx)
        return super().parse_args(ctx, args)


def _speak_whatever_the_terminal_takes() -> None:
    """Writes a letter that the terminal's encoding does not have as its number, so that it ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_the_pipe() -> None:
    """Stops writing when the reader of the output has gone, also when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())


def _end(error: Exception) -> int:
    """Says what went wrong; returns the exit code."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        _say(_of_click(error))
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        return error.exit_code
    lines, code = explained(error)
    _say(lines)
    return code


def _say(lines: Iterable[Sentence | str]) -> None:
    language = language_here()
    text = "\n".join(line.in_(language) if isinstance(line, Sentence) else line for line in lines)
    click.echo(Sentence("Error: {why}", why=text).in_(language), err=True)


def explained(error: Exception) -> tuple[list[Sentence | str], int]:
    """Returns what went wrong, line by line, and the exit code."""
    language = language_here()
    match error:
        case Invalid():
            found: list[Sentence | str] = [f"{name}: {why.in_(language)}" for name, why in error.fields.items()]
        case Refused() | UnreadableValue():
            found = [error.sentence]
        case Faulty():
            found = [fault.in_(language) for fault in error.faults]
        case OSError():
            found = [_of_system(error)]
        case _:
            found = [in_words(error) or _our_fault(error)]
    refused = isinstance(error, Refused | UnreadableValue) and not isinstance(error, DatabaseRefused)
    return found, REFUSED if refused else UNUSABLE


def _of_system(error: OSError) -> Sentence:
    why: Sentence | str = OS_ERRORS.get(error.errno or 0) or error.strerror or str(error)
    return Sentence("{what}: {why}", what=error.filename, why=why) if error.filename else Sentence("{why}", why=why)


def _our_fault(error: Exception) -> Sentence:
    """Explains a fault of the program: where its traceback is, for the people who correct it."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="ralop-", suffix=".txt", encoding="utf-8", errors="backslashreplace", delete=False
    ) as file:
        traceback.print_exception(error, file=file)
    return Sentence(
        "The program itself failed ({kind}). Send {file} to whoever looks after it.",
        kind=type(error).__name__,
        file=file.name,
    )


# --- what click finds wrong -------------------------------------------------------------------------------------------


def _of_click(error: click.ClickException) -> list[Sentence | str]:
    """Turns click's English messages into our sentences."""
    match error:
        case click.NoSuchOption():
            found: Sentence | str = Sentence("There is no option {name}.", name=error.option_name)
        case click.exceptions.NoSuchCommand():
            found = Sentence(
                "There is no command {name}; there are: {known}.", name=error.command_name, known=_commands(error.ctx)
            )
        case click.MissingParameter():
            found = Sentence("Missing: {name}.", name=_called(error))
        case click.BadParameter(param=click.Parameter(type=click.Choice() as kind)):
            found = Sentence("{name}: choose one of {known}.", name=_called(error), known=list(map(str, kind.choices)))
        case click.BadParameter():
            found = Sentence("{name}: {why}", name=_called(error), why=error.message)
        case click.BadOptionUsage():
            found = Sentence("The option {name} is not used rightly.", name=error.option_name)
        case _:
            found = error.format_message()
    return [found]


def _called(error: click.BadParameter) -> str:
    """Returns the name of the parameter on the command line."""
    hint = error.param_hint or (error.param.get_error_hint(error.ctx) if error.param and error.ctx else "")
    return hint if isinstance(hint, str) else " / ".join(hint)


def _commands(ctx: click.Context | None) -> list[str]:
    return sorted(ctx.command.commands) if ctx and isinstance(ctx.command, click.Group) else []
