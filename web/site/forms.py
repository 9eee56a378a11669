"""Makes forms from a workflow's fields. The engine reads them; the macros in `templates/macros/forms.html` show them.

Only `engine.core.workflow.form_values` decides what may be filled in, so that pages, scenarios and imports agree. A
form here knows how to ask: which control, which keyboard, which hint. It keeps what was typed when the engine refuses
it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from babel.support import NullTranslations
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms import Field as Control
from wtforms.widgets import CheckboxInput, ListWidget

from engine.core.cases.dates import CONFIRM
from engine.core.refusals import Invalid, Questioned
from engine.core.words import Label, Sentence, catalogue
from engine.core.workflow.model import Choice, Field
from web.site.languages import language, said

MOST_RADIOS = 8  # more choices become a list to select from
YES, NO = "yes", "no"


class Form(FlaskForm):
    """A form with our own words for what WTForms finds wrong, and with errors from the engine's refusals.

    `questioned`: the engine asks whether something unlikely that was filled in is right.
    """

    questioned = False

    class Meta(FlaskForm.Meta):
        """WTForms has no Vietnamese; its messages are in the shared catalogue."""

        def get_translations(self, form: Any) -> NullTranslations:
            return catalogue(language())

    def refuse(self, refused: Invalid) -> None:
        """Shows what the engine refused: each sentence at its field, those without a field at the form."""
        for name, sentence in refused.fields.items():
            if name in self:
                control = self[name]
                control.errors = cast("Any", [*control.errors, sentence])
            else:
                cast("list[Any]", self.form_errors).append(sentence)

    @property
    def faults(self) -> list[tuple[str, Sentence | str]]:
        """Returns everything wrong, in the order of the fields, with the id of the control to go to ("" for none)."""
        at_form: list[tuple[str, Sentence | str]] = [("", error) for error in self.form_errors]
        return at_form + [(_target(control), error) for control in self for error in control.errors]


def _target(control: Control) -> str:
    """Returns the id of the control, or of the first of a group."""
    return f"{control.id}-0" if isinstance(control, RadioField | Several) else str(control.id)


def new_key() -> str:
    """Returns an idempotency key for a new form."""
    return uuid.uuid4().hex


class Several(SelectMultipleField):
    """Checkboxes: people need not hold down a key while they choose."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ActForm(Form):
    """A form for an act on a case. `key`: sending it twice does it once. `version`: the version that the person saw.
    `confirm`: the answer to a question about what is unlikely; the box comes with the question.
    """

    key = HiddenField()
    version = HiddenField()
    confirm = BooleanField()
    asked: tuple[Field, ...] = ()

    def __init__(self, *, version: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.is_submitted():
            self.key.data = new_key()
            self.version.data = "" if version is None else str(version)

    @property
    def values(self) -> dict[str, Any]:
        """Returns what was filled in, as typed, for the use cases."""
        filled = {it.name: self[it.name].data for it in self.asked}
        return {**filled, CONFIRM: True} if self.confirm.data else filled

    def refuse(self, refused: Invalid) -> None:
        """Shows what the engine refused; with a question comes the box that answers it."""
        self.questioned = isinstance(refused, Questioned)
        super().refuse(refused)

    @property
    def folded(self) -> tuple[str, ...]:
        """Returns the questions in the folded part, so that a phone soon shows the button.

        These are the optional questions, if the form also has required ones and the rest is long.
        """
        rest = [it for it in self.asked if not self._needed(it.name)]
        long = len(rest) > 1 or any(len(it.choices) > MOST_RADIOS for it in rest)
        return tuple(it.name for it in rest) if long and len(rest) < len(self.asked) else ()

    @property
    def unfold(self) -> bool:
        """Returns whether the folded part is open: something in it is wrong, or already filled in."""
        return any(self[name].errors or self[name].data for name in self.folded)

    def _needed(self, name: str) -> bool:
        return bool(cast("Ask", self[name].description).needed)

    @property
    def once(self) -> str | None:
        """Returns the idempotency key."""
        return (self.key.data or "")[:64] or None

    def anew(self) -> str:
        """Gives the form a new key: its content is another entry than what was sent with the old key."""
        key = new_key()
        self.key.data = key
        return key

    @property
    def seen(self) -> int | None:
        """Returns the version of the case that the person saw; None if the page did not say."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def act_form(
    fields: Iterable[Field],
    needs: Collection[str],
    *,
    version: int | None = None,
    prefill: Mapping[str, Any] | None = None,
) -> ActForm:
    """Makes the form that asks for these fields in the language of this page, bound to this request.

    Args:
        fields: in the order of the form (`workflow.asked(step)`).
        needs: the names of those that must be filled in.
        version: of the case, as the page shows it.
        prefill: values to begin with, by field name.
    """
    asked = tuple(fields)
    controls = {it.name: _control(it, it.name in needs) for it in asked}
    made = cast("type[ActForm]", type("ActFormOf", (ActForm,), {**controls, "asked": asked}))
    return made(version=version, data=dict(prefill or {}))


@dataclass(frozen=True, slots=True)
class Ask:
    """How the macros ask for a field. `groups` and `helps` are words by the code of a choice."""

    kind: str
    needed: bool
    hint: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)


def _ask(asked: Field, needed: bool) -> Ask:
    return Ask(
        asked.type,
        needed,
        said(asked.help) if asked.help else "",
        groups={it.code: said(asked.groups[it.group]) for it in asked.choices if it.group and it.group in asked.groups},
        helps={it.code: said(it.help) for it in asked.choices if it.help},
    )


def _control(asked: Field, needed: bool) -> Any:
    """Makes the unbound control for one field.

    It is never `required` for the browser, whose message would have other words.
    """
    common: dict[str, Any] = {"label": said(asked.label), "description": _ask(asked, needed)}
    picked = {"validate_choice": False, "coerce": _as_typed, **common}
    match asked.type:
        case "yes_no":
            return RadioField(choices={YES: said(Label("Có", "Yes")), NO: said(Label("Không", "No"))}, **picked)
        case "choice" if len(asked.choices) <= MOST_RADIOS:
            return RadioField(choices=_choices(asked), **picked)
        case "choice":
            return SelectField(choices={"": "—", **_choices(asked)}, **picked)
        case "choices":
            return Several(choices=_choices(asked), **picked)
        case "text":
            return TextAreaField(render_kw={"rows": 4}, **common)
        case _:
            return StringField(render_kw=KEYBOARDS.get(asked.name, KEYBOARDS.get(asked.type)), **common)


KEYBOARDS: Mapping[str, dict[str, str]] = {
    # Recognised by its name, not its type.
    "companion_phone": {"inputmode": "tel", "autocomplete": "off", "class": "short"},
    "date": {"inputmode": "numeric", "autocomplete": "off", "class": "short"},
    "whole": {"inputmode": "numeric", "autocomplete": "off", "class": "short"},
    "decimal": {"inputmode": "decimal", "autocomplete": "off", "class": "short"},
    "money": {"inputmode": "numeric", "autocomplete": "off", "class": "short"},
}


def _as_typed(value: Any) -> Any:
    """Keeps None as it is, instead of the text "None"."""
    if isinstance(value, bool):
        return YES if value else NO
    return value


def _choices(asked: Field) -> dict[str, str]:
    """Returns codes and words; those of one group are together, the groups in their own order."""
    order = list(asked.groups)
    choices = sorted(asked.choices, key=lambda it: order.index(it.group) if it.group in order else len(order))
    return {it.code: _words(it) for it in choices}


def _words(choice: Choice) -> str:
    """Returns the words of a choice, with its unit if it has one: "Gạo (kg)"."""
    return f"{said(choice.label)} ({said(choice.unit)})" if choice.unit else said(choice.label)
