"""The ledger of support: accounts, entries, balances that the database guards; needs that are counted"""

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import FAR_DAY, Id, Instant

revision = "0028"
down_revision = "0027"

MOST_HELD, MOST_MOVED = 2**62, 10**15
TABLES = ("ledger_entries", "ledger_commodities", "ledger_accounts")

# --- SQLite -----------------------------------------------------------------------------------------------------------

_ANSWERS = """(
    NEW.kind = 'reverse' AND NOT EXISTS (
        SELECT 1 FROM ledger_entries AS before
        WHERE before.id = NEW.of_id AND before.kind <> 'reverse' AND before.from_id = NEW.to_id
        AND before.to_id = NEW.from_id AND before.commodity = NEW.commodity AND before.quantity = NEW.quantity
    )
) OR (
    NEW.kind = 'give' AND NEW.of_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM ledger_entries AS before
        WHERE before.id = NEW.of_id AND before.kind = 'ask' AND before.to_id = NEW.from_id
        AND before.commodity = NEW.commodity AND before.quantity = NEW.quantity
        AND before.entered_by_id <> NEW.entered_by_id
    )
)"""
# REPLACE deletes what is in its way, and no trigger hears of it: so nothing may be in the way.
SQLITE = (
    """CREATE TRIGGER ledger_entries_once BEFORE INSERT ON ledger_entries BEGIN
        SELECT RAISE(ABORT, 'ledger_entries is append-only') WHERE EXISTS (
            SELECT 1 FROM ledger_entries WHERE id = NEW.id OR key = NEW.key OR of_id = NEW.of_id
            OR (case_id = NEW.case_id AND case_seq = NEW.case_seq)
        );
        SELECT RAISE(ABORT, 'a quantity is a whole number') WHERE typeof(NEW.quantity) <> 'integer';
        SELECT RAISE(ABORT, 'an answer is not to what it names') WHERE $ANSWERS;
    END""".replace("$ANSWERS", _ANSWERS),
    """CREATE TRIGGER ledger_entries_move AFTER INSERT ON ledger_entries BEGIN
        SELECT RAISE(ABORT, 'ck_ledger_balances_enough')
        WHERE (SELECT bounded FROM ledger_accounts WHERE id = NEW.from_id)
        AND NOT EXISTS (
            SELECT 1 FROM ledger_balances WHERE account_id = NEW.from_id AND commodity = NEW.commodity
        );
        UPDATE ledger_balances SET balance = balance - NEW.quantity
        WHERE account_id = NEW.from_id AND commodity = NEW.commodity;
        INSERT INTO ledger_balances (account_id, commodity, balance)
        SELECT id, NEW.commodity, NEW.quantity FROM ledger_accounts WHERE id = NEW.to_id AND bounded
        ON CONFLICT (account_id, commodity) DO UPDATE SET balance = balance + excluded.balance;
    END""",
    """CREATE TRIGGER ledger_accounts_once BEFORE INSERT ON ledger_accounts
    WHEN EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'ledger_accounts is never replaced'); END""",
    """CREATE TRIGGER ledger_accounts_same BEFORE UPDATE ON ledger_accounts
    WHEN OLD.id <> NEW.id OR OLD.kind <> NEW.kind OR OLD.bounded <> NEW.bounded OR OLD.donor_id IS NOT NEW.donor_id
    BEGIN SELECT RAISE(ABORT, 'an account stays what it is'); END""",
    """CREATE TRIGGER ledger_commodities_once BEFORE INSERT ON ledger_commodities
    WHEN EXISTS (SELECT 1 FROM ledger_commodities WHERE code = NEW.code)
    BEGIN SELECT RAISE(ABORT, 'ledger_commodities is append-only'); END""",
    *(
        f"""CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
        for table, acts in (
            ("ledger_entries", ("UPDATE", "DELETE")),
            ("ledger_commodities", ("UPDATE", "DELETE")),
            ("ledger_accounts", ("DELETE",)),
            ("ledger_balances", ("DELETE",)),
        )
        for act in acts
    ),
)

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

_TAKE = """
        UPDATE ledger_balances SET balance = balance - NEW.quantity
        WHERE account_id = NEW.from_id AND commodity = NEW.commodity;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'ck_ledger_balances_enough' USING ERRCODE = 'check_violation';
        END IF;
"""
POSTGRESQL = (
    f"""CREATE FUNCTION ledger_entries_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.of_id IS NOT NULL AND ({_ANSWERS}) THEN
            RAISE EXCEPTION 'an answer is not to what it names' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
    # In account order: two entries that cross wait for each other in a queue, not in a circle.
    """CREATE FUNCTION ledger_entries_move() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        takes boolean := (SELECT bounded FROM ledger_accounts WHERE id = NEW.from_id);
        gives boolean := (SELECT bounded FROM ledger_accounts WHERE id = NEW.to_id);
    BEGIN
        IF takes AND NEW.from_id < NEW.to_id THEN $TAKE END IF;
        IF gives THEN
            INSERT INTO ledger_balances AS kept (account_id, commodity, balance)
            VALUES (NEW.to_id, NEW.commodity, NEW.quantity)
            ON CONFLICT (account_id, commodity) DO UPDATE SET balance = kept.balance + excluded.balance;
        END IF;
        IF takes AND NEW.from_id > NEW.to_id THEN $TAKE END IF;
        RETURN NULL;
    END $$""".replace("$TAKE", _TAKE),
    """CREATE FUNCTION ledger_accounts_same() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'an account stays what it is' USING ERRCODE = 'check_violation';
    END $$""",
    """CREATE TRIGGER ledger_entries_once BEFORE INSERT ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_entries_once()""",
    """CREATE TRIGGER ledger_entries_move AFTER INSERT ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_entries_move()""",
    """CREATE TRIGGER ledger_accounts_same BEFORE UPDATE ON ledger_accounts FOR EACH ROW
    WHEN (OLD.id <> NEW.id OR OLD.kind <> NEW.kind OR OLD.bounded <> NEW.bounded
    OR OLD.donor_id IS DISTINCT FROM NEW.donor_id)
    EXECUTE FUNCTION ledger_accounts_same()""",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE {acts} OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        for table, acts in (
            ("ledger_entries", "UPDATE OR DELETE"),
            ("ledger_commodities", "UPDATE OR DELETE"),
            ("ledger_accounts", "DELETE"),
            ("ledger_balances", "DELETE"),
        )
    ),
)
FUNCTIONS = ("ledger_entries_once", "ledger_entries_move", "ledger_accounts_same")

# --- what was given before -------------------------------------------------------------------------------------------

# As in rules/support.toml at the time of this revision; what is not here is counted in whole units.
STEPS = {"rice": 1000, "tutoring": 10, "labour": 10, "other": 100}
FINEST = 6  # decimals
TOGETHER = 1_000

NEEDS = (("kind", "VARCHAR(40)"), ("quantity", "BIGINT"), ("met", "BIGINT DEFAULT '0' NOT NULL"), ("needed_by", "DATE"))


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    _make_tables()
    for name, kind in NEEDS:
        op.execute(f"ALTER TABLE needs ADD COLUMN {name} {kind.replace('BIGINT', 'INTEGER') if sqlite else kind}")
    op.add_column("needs", sa.Column("raised_at", Instant(), nullable=True))
    for statement in SQLITE if sqlite else POSTGRESQL:
        op.execute(statement)
    _carry_over()
    _count_again()


def _make_tables() -> None:
    op.create_table(
        "ledger_commodities",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_ledger_commodities"),
    )
    op.create_table(
        "ledger_accounts",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("bounded", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("association_id", Id, nullable=True),
        sa.Column("donor_id", Id, nullable=True),
        sa.Column("purpose", sa.String(length=300), nullable=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("opened_by_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["association_id"], ["units.id"], name="fk_ledger_accounts_association_id"),
        sa.ForeignKeyConstraint(["donor_id"], ["ledger_accounts.id"], name="fk_ledger_accounts_donor_id"),
        sa.ForeignKeyConstraint(["opened_by_id"], ["people.id"], name="fk_ledger_accounts_opened_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_accounts"),
    )
    op.create_index("ix_ledger_accounts_association_id", "ledger_accounts", ["association_id", "kind", "name"])
    op.create_table(
        "ledger_balances",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("commodity", sa.String(length=40), nullable=False),
        sa.Column("balance", Id, nullable=False),
        sa.CheckConstraint(f"balance BETWEEN 0 AND {MOST_HELD}", name=op.f("ck_ledger_balances_enough")),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_accounts.id"], name="fk_ledger_balances_account_id"),
        sa.ForeignKeyConstraint(["commodity"], ["ledger_commodities.code"], name="fk_ledger_balances_commodity"),
        sa.PrimaryKeyConstraint("account_id", "commodity", name="pk_ledger_balances"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("from_id", Id, nullable=False),
        sa.Column("to_id", Id, nullable=False),
        sa.Column("commodity", sa.String(length=40), nullable=False),
        sa.Column("quantity", Id, nullable=False),
        sa.Column("value", Id, nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.Column("entered_by_id", Id, nullable=True),
        sa.Column("role", sa.String(length=24), nullable=True),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("case_seq", sa.Integer(), nullable=True),
        sa.Column("of_id", Id, nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_ledger_entries_moves")),
        sa.CheckConstraint(f"quantity BETWEEN 1 AND {MOST_MOVED}", name=op.f("ck_ledger_entries_quantity")),
        sa.CheckConstraint(
            "kind <> 'reverse' OR (of_id IS NOT NULL AND reason IS NOT NULL)", name=op.f("ck_ledger_entries_reversal")
        ),
        sa.CheckConstraint("of_id IS NULL OR kind IN ('reverse', 'give')", name=op.f("ck_ledger_entries_answer")),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_ledger_entries_{column}")
            for column, target in (
                ("from_id", "ledger_accounts.id"),
                ("to_id", "ledger_accounts.id"),
                ("commodity", "ledger_commodities.code"),
                ("entered_by_id", "people.id"),
                ("case_id", "cases.id"),
                ("of_id", "ledger_entries.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.UniqueConstraint("key", name="uq_ledger_entries_key"),
        sa.UniqueConstraint("of_id", name="uq_ledger_entries_of_id"),
    )
    op.create_index("ix_ledger_entries_from_id", "ledger_entries", ["from_id", "happened_on", "id"])
    op.create_index("ix_ledger_entries_to_id", "ledger_entries", ["to_id", "happened_on", "id"])
    op.create_index("uq_ledger_entries_case", "ledger_entries", ["case_id", "case_seq"], unique=True)


def _carry_over() -> None:
    """Each line of `support` that counts becomes an entry: a gift from outside the books to what was given."""
    line = op.get_bind()
    accounts, commodities, entries, support, events = (
        sa.Table(name, sa.MetaData(), autoload_with=line)
        for name in ("ledger_accounts", "ledger_commodities", "ledger_entries", "support", "events")
    )
    steps = _steps_of(line, support)
    if not steps:
        return
    op.bulk_insert(commodities, [{"code": code, "steps": found} for code, found in sorted(steps.items())])
    given: dict[int | None, tuple[int, int]] = {}
    query = (
        sa.select(support, events.c.at, events.c.role)
        .join(events, (events.c.case_id == support.c.case_id) & (events.c.seq == support.c.seq))
        .where(support.c.replaced_seq.is_(None))
        .order_by(support.c.case_id, support.c.seq)
    )
    for rows in line.execute(query).mappings().partitions(TOGETHER):
        for row in rows:
            if row["association_id"] not in given:
                given[row["association_id"]] = _two_accounts(line, accounts, row["association_id"], row["at"])
        line.execute(sa.insert(entries), list(_entries(rows, given, steps)))


def _count_again() -> None:
    """Needs that were counted before the schema went back to an older one are counted as their events say."""
    line = op.get_bind()
    needs, events = (sa.Table(name, sa.MetaData(), autoload_with=line) for name in ("needs", "events"))
    first = events.alias()
    entry = sa.cast(events.c.data, sa.Text)
    query = (
        sa.select(needs.c.case_id, needs.c.seq, entry, events.c.at)
        .join(events, (events.c.case_id == needs.c.case_id) & (events.c.seq == needs.c.seq))
        .where(entry.like('%"needed"%'))
    )
    for case, seq, text, at in line.execute(query).all():
        data = json.loads(text)
        said = data["needed"]
        raised = sa.select(first.c.at).where(first.c.case_id == case, first.c.seq == data.get("entry", seq))
        line.execute(
            sa.update(needs)
            .where(needs.c.case_id == case, needs.c.seq == seq)
            .values(
                kind=said.get("kind"),
                quantity=said.get("quantity"),
                needed_by=dt.date.fromisoformat(said["needed_by"]) if said.get("needed_by") else None,
                raised_at=line.execute(raised).scalar() or at,
            )
        )


def _steps_of(line: sa.Connection, support: sa.Table) -> dict[str, int]:
    """For each kind its steps in a unit: finer than usual where something finer was logged, so that nothing is lost."""
    steps, counts = dict[str, int](), support.c.replaced_seq.is_(None)
    for kind, quantity in line.execute(sa.select(support.c.kind, support.c.quantity).where(counts).distinct()):
        decimals = min(max(-int(Decimal(quantity).normalize().as_tuple().exponent), 0), FINEST)
        steps[kind] = max(steps.get(kind, STEPS.get(kind, 1)), 10**decimals)
    return steps


def _two_accounts(line: sa.Connection, accounts: sa.Table, association: int | None, at: dt.datetime) -> tuple[int, int]:
    made = [
        line.execute(
            sa.insert(accounts)
            .values(kind=kind, bounded=False, name="", association_id=association, until=FAR_DAY, opened_at=at)
            .returning(accounts.c.id)
        ).scalar_one()
        for kind in ("outside", "given")
    ]
    return made[0], made[1]


def _entries(rows: Any, given: dict[int | None, tuple[int, int]], steps: dict[str, int]) -> Iterator[dict[str, object]]:
    for row in rows:
        quantity = int((Decimal(row["quantity"]) * steps[row["kind"]]).to_integral_value())
        source, target = given[row["association_id"]]
        yield {
            "key": f"support-{row['case_id']}-{row['seq']}",
            "kind": "give",
            "from_id": source,
            "to_id": target,
            "commodity": row["kind"],
            "quantity": max(1, min(quantity, MOST_MOVED)),
            "value": row["value"],
            "happened_on": row["given_on"],
            "entered_at": row["at"],
            "entered_by_id": row["logged_by_id"],
            "role": row["role"],
            "case_id": row["case_id"],
            "case_seq": row["seq"],
        }


def downgrade() -> None:
    for table in ("ledger_entries", "ledger_balances", "ledger_accounts", "ledger_commodities"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        for function in FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}()")
    for name in ("raised_at", *(name for name, _ in reversed(NEEDS))):
        op.execute(f"ALTER TABLE needs DROP COLUMN {name}")
