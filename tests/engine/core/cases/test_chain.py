"""An event's hash is over everything it says, written in one fixed form."""

import datetime as dt
import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.core.cases import chain

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.timezone(dt.timedelta(hours=7)))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
data = st.dictionaries(texts, st.one_of(st.none(), st.booleans(), st.integers(), texts, st.lists(texts)), max_size=4)


@given(texts, st.none() | st.integers(0, 2**40), st.none() | texts, data, st.none() | texts)
def test_the_hash_is_that_of_the_canonical_list(
    kind: str, person: int | None, role: str | None, said: dict[str, Any], text: str | None
) -> None:
    found = chain.event_hash("ab12", 7, 3, kind, AT, person, role, said, text)
    whole = ["ab12", 7, 3, kind, "2026-03-02T01:00:00+00:00", person, role, said, text]
    written = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert found == hashlib.sha256(written.encode()).hexdigest()
    assert found == chain.hash_written("ab12", 7, 3, kind, AT, person, role, chain.canonical(said), text)
