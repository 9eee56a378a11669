"""What the fuzzer begins with meets all that it watches for, so that a finding is a finding; see tests/fuzz."""

import pytest

from tests.fuzz.readers import READERS, Broken, read_cells, seeds


@pytest.mark.parametrize("reader", READERS)
def test_all_that_the_fuzzer_begins_with_is_sound(reader: str) -> None:
    given = list(seeds(reader))
    assert given
    for data in given:
        READERS[reader](data)


def test_a_reader_that_keeps_a_personal_id_number_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = b"pupil_code\tname\tclass\taddress\nHS001\tY Ng\xe1\xbb\x8dc\t6A\tCCCD 062214000123"
    read_cells(kept)
    monkeypatch.setattr("engine.core.files.pupils.without_ids", lambda text: text)
    with pytest.raises(Broken, match="personal id number"):
        read_cells(kept)
