"""`ralop books`, `ralop import gifts` and `ralop verify`, as an operator types them."""

import json
from pathlib import Path

import click
from click.testing import CliRunner, Result
from sqlalchemy import text

from engine.store.session import Store
from engine.store.simulation import seed, seed_ledger
from engine.usecases.ops.clock import set_clock
from tests.installation import at
from tests.pages import shipped
from web.cli.books import write_books
from web.cli.imports import gifts
from web.cli.verify import verify_chains

LIST = "day,donor,fund,amount\n2026-03-02,Cô Mẫu,Quỹ chung,1000000\n2026-03-02,Ông Thử,Quỹ chung,{second}\n"


def run(store: Store, tmp_path: Path, command: click.Command, *arguments: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url, "RALOP_LANGUAGE": "en"}
    return CliRunner().invoke(command, arguments, env=environment)


def test_a_list_is_tried_out_brought_in_and_written_as_books_and_verify_counts_it(store: Store, tmp_path: Path) -> None:
    shipped()
    with store.writing("test") as session:
        cast = seed.add_cast(session, at("2026-03-01 08:00"))
        seed_ledger.place(session, "fund", "Quỹ chung", cast.units["association"], at("2026-03-01 08:00"))
    set_clock(store, at("2026-03-10 18:00"))
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(LIST.format(second="500000"), encoding="utf-8")
    bad.write_text(LIST.format(second="nhiều"), encoding="utf-8")
    assert run(store, tmp_path, gifts, str(bad)).exit_code != 0
    expected = {"receipts": 2, "gifts": 0, "known": 0, "wrong": 0}
    assert json.loads(run(store, tmp_path, gifts, str(good), "--dry-run").output) == expected
    assert json.loads(run(store, tmp_path, gifts, str(good)).output) == expected
    assert json.loads(run(store, tmp_path, gifts, str(good)).output) == {**expected, "receipts": 0, "known": 2}
    written = tmp_path / "books.beancount"
    shown = run(store, tmp_path, write_books, "--year", "2026").output
    assert run(store, tmp_path, write_books, "--year", "2026", "--output", str(written)).exit_code == 0
    assert written.read_text(encoding="utf-8") == shown
    assert "2026-04-01 balance Assets:Fund:A1  1500000 ~ 0 VND" in shown.splitlines()
    assert run(store, tmp_path, verify_chains).exit_code == 0
    with store.writing("test") as session:
        session.execute(text("UPDATE ledger_balances SET balance = balance - 1"))
    found = run(store, tmp_path, verify_chains)
    assert found.exit_code == 1
    assert "1499999" in found.output.replace(",", "").replace(".", "")
