"""The migration by which a notice may be about an account: what stood before stands after, forwards and backwards."""

from alembic import command
from sqlalchemy import insert, select

from engine.store import tables as t
from engine.store.ops.schema import alembic_config
from engine.usecases.people import signin_codes
from tests.cast import Cast

BEFORE = "0016"


def test_notices_and_what_was_sent_of_them_outlive_the_change_both_ways(cast: Cast) -> None:
    cast.to_commune()
    with cast.store.writing("test") as session:
        notice = session.scalars(select(t.Notice.id).order_by(t.Notice.id)).first()
        sent = {"person_id": cast.installed.people["head"], "channel": "email", "urgent": False, "state": "sent"}
        sent |= {"key": "n1:email", "kind": "notice", "attempts": 1, "made_at": cast.now, "next_try_at": cast.now}
        delivery = session.execute(insert(t.Delivery).values(sent).returning(t.Delivery.id)).scalar_one()
        session.execute(insert(t.DeliveryItem).values(delivery_id=delivery, notice_id=notice))
    before = stored(cast)
    signin_codes.make(cast.store, "teacher", "root", cast.now - cast.now, cast.now)
    assert len(stored(cast)["notices"]) > len(before["notices"])
    command.downgrade(alembic_config(cast.store), BEFORE)
    command.upgrade(alembic_config(cast.store), "head")
    assert stored(cast) == before  # what was about accounts is gone, as that schema has no place for it
    signin_codes.make(cast.store, "teacher", "root", cast.now - cast.now, cast.now)
    assert len(stored(cast)["notices"]) > len(before["notices"])


def stored(cast: Cast) -> dict[str, list[tuple[object, ...]]]:
    with cast.store.reading("test") as session:
        return {
            table.__tablename__: [tuple(row) for row in session.execute(select(*table.__table__.c))]
            for table in (t.Notice, t.Delivery, t.DeliveryItem)
        }
