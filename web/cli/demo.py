"""`ralop demo`: fills an empty installation with invented people and their cases, and serves it."""

from __future__ import annotations

from importlib.resources import files

import click

from engine.core.refusals import Conflict
from engine.core.words import Sentence
from engine.simulation.demo import NOW, PASSWORD, DemoFiles, build_demo
from engine.simulation.demo_names import rows
from engine.store.ops.settings import DEMO, get_setting
from engine.usecases.context import Context
from engine.usecases.ops.clock import set_clock
from engine.usecases.people.accounts import members
from web.cli.console import language_here
from web.cli.parameter_types import PORT
from web.cli.serve import opened_context, serve, working_here
from web.site.settings import instance_folder


def demo_files() -> DemoFiles:
    """Returns the demo's files, which are part of the package `rules`."""

    def text(*path: str) -> str:
        return files("rules").joinpath(*path).read_text(encoding="utf-8")

    return DemoFiles(
        units=text("units", "quang-ngai-2026.csv"),
        schools=text("demo", "schools.csv"),
        presence=text("demo", "presence.csv"),
        visits=text("demo", "visits.csv"),
        surnames=text("demo", "names", "surnames.csv"),
        given=text("demo", "names", "given.csv"),
        local=text("demo", "names", "local.csv"),
        refused=text("demo", "names", "refused.csv"),
        people=text("demo", "people.csv"),
        demo_cases=text("demo", "stories.csv"),
    )


@click.command("demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, default=5000, show_default=True, help="The port to listen on.")
@click.option("--no-serve", is_flag=True, help="Only fill the database.")
@click.pass_context
def demo(command: click.Context, host: str, port: int, no_serve: bool) -> None:
    """Fill an empty database with a demo, or go on with the one there is; tell the accounts, and serve it."""
    with working_here(instance_folder().absolute()):
        _settings, context, _clock = opened_context()
        try:
            _fill(context)
            _tell_accounts(context)
        finally:
            context.store.close()
    if not no_serve:
        command.invoke(serve, host=host, port=port)


def _fill(context: Context) -> None:
    language = language_here()
    with context.store.reading("is this a demo") as session:
        if get_setting(session, DEMO).get("on"):
            click.echo(Sentence("The demo is there already; its time goes on.").in_(language))
            return
    click.echo(Sentence("Building the demo …").in_(language))
    try:
        report = build_demo(context, demo_files())
    except Conflict as conflict:
        raise click.ClickException(conflict.sentence.in_(language)) from conflict
    set_clock(context.store, NOW)
    counts = {"pupils": report.pupils, "cases": report.cases, "overdue": report.overdue}
    click.echo(Sentence("Pupils: {pupils}. Cases: {cases}, of which overdue: {overdue}.", **counts).in_(language))


def _tell_accounts(context: Context) -> None:
    """Prints the accounts with fixed logins, their posts, and the common password."""
    language = language_here()
    logins = {row["login"] for row in rows(demo_files().people)} - {""}
    today = context.definitions.calendar("51").local(NOW).date()
    for member in members(context.store, today):
        if member.login in logins:
            posts = "; ".join(
                f"{context.definitions.roles.labels[role].in_(language)}, {name}" for role, _, name in member.posts
            )
            click.echo(f"  {member.login:<14} {member.name:<22} {posts}")
    click.echo(Sentence("Everybody is invented. Password of all accounts: {password}", password=PASSWORD).in_(language))
