"""Reads the fields of a workflow file: their type, their words, their choices and bounds."""

from __future__ import annotations

from engine.core.toml_reader import Reader, duplicates
from engine.core.words import Label, Sentence
from engine.core.workflow.model import FIELD_TYPES, Choice, Field

TYPE = Sentence("type of field")
TENSE = Sentence("side of today")
GROUP = Sentence("group")
CHOOSING = ("choice", "choices")
COUNTING = ("whole", "decimal", "money")
WRITING = ("text", "line")


def field_of(name: str, reader: Reader) -> Field:
    """The field that a table declares."""
    type_ = reader.one_of("type", FIELD_TYPES, TYPE)
    groups = _groups(reader)
    field = Field(
        name=name,
        type=type_,
        label=reader.label("label"),
        help=reader.maybe_label("help"),
        choices=tuple(_choice(table, groups) for table in reader.tables("choices", "code")),
        groups=groups,
        restricted=reader.flag("restricted"),
        max_length=reader.whole("max_length", least=1) if "max_length" in reader else None,
        least=reader.number("least"),
        most=reader.number("most"),
        when=reader.one_of("when", ("past", "future"), TENSE, default="") or None,
    )
    if type_:
        _check(field, reader)
    return field


def _groups(reader: Reader) -> dict[str, Label]:
    outer = reader.table("groups")
    return {code: outer.label(code) for code in outer.data}


def _choice(reader: Reader, groups: dict[str, Label]) -> Choice:
    return Choice(
        code=reader.text("code"),
        label=reader.label("label"),
        unit=reader.maybe_label("unit"),
        restricted=reader.flag("restricted"),
        group=reader.one_of("group", groups, GROUP, default="") or None,
        flag=reader.text("flag", "") or None,
        help=reader.maybe_label("help"),
    )


def _check(field: Field, reader: Reader) -> None:
    """Notes keys that belong to another type of field, missing or equal choices, and bounds that contradict
    each other.
    """
    _only(reader, ("choices", "groups"), field.type in CHOOSING)
    _only(reader, ("least", "most"), field.type in COUNTING)
    _only(reader, ("max_length",), field.type in WRITING)
    _only(reader, ("when",), field.type == "date")
    if field.type in CHOOSING and not field.choices and "choices" not in reader:
        reader.fault("choices", Sentence("A field of type “{type}” needs choices.", type=field.type))
    for code in duplicates(choice.code for choice in field.choices if choice.code):
        reader.fault("choices", Sentence("{name} stands here twice.", name=code))
    if field.least is not None and field.most is not None and field.least > field.most:
        bounds = {"least": field.least, "most": field.most}
        reader.fault("least", Sentence("The least, {least}, is more than the most, {most}.", **bounds))


def _only(reader: Reader, keys: tuple[str, ...], fits: bool) -> None:
    for key in keys:
        if key in reader and not fits:
            reader.fault(key, Sentence("This does not go with a field of this type."))
