"""Forms: made from a workflow's fields, read by the engine, shown by the macros in `templates/macros/forms.html`.

What may be filled in is decided by `engine.core.workflow.form_values` alone, so that a page, a scenario and an import
agree. A form here knows how to ask: which control, which keyboard, which hint; and it keeps what was typed when the
engine refuses it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from babel.support import NullTranslations
from flask_wtf import FlaskForm
from wtforms import Field as Control
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from engine.core.refusals import Invalid
from engine.core.words import Label, Sentence, catalogue
from engine.core.workflow.model import Choice, Field
from web.site.languages import language, said

MOST_RADIOS = 8  # more choices than that go into a list to select from
YES, NO = "yes", "no"


class Form(FlaskForm):
    """A form with our own words for what WTForms finds wrong, and errors that the engine's refusals bring."""

    class Meta(FlaskForm.Meta):
        """WTForms has no Vietnamese; its messages stand in the one catalogue."""

        def get_translations(self, form: Any) -> NullTranslations:
            return catalogue(language())

    def refuse(self, refused: Invalid) -> None:
        """Show what the engine did not take: each sentence at its field, those of no field here at the form."""
        for name, sentence in refused.fields.items():
            if name in self:
                control = self[name]
                control.errors = cast("Any", [*control.errors, sentence])
            else:
                cast("list[Any]", self.form_errors).append(sentence)

    @property
    def faults(self) -> list[tuple[str, Sentence | str]]:
        """Everything wrong, in the order of the fields, with the id of the control to go to ("" for none)."""
        at_form: list[tuple[str, Sentence | str]] = [("", error) for error in self.form_errors]
        return at_form + [(_target(control), error) for control in self for error in control.errors]


def _target(control: Control) -> str:
    """The id of the control, or of the first of a group."""
    return f"{control.id}-0" if isinstance(control, RadioField | Several) else str(control.id)


def new_key() -> str:
    """An idempotency key for a form that is about to be filled in."""
    return uuid.uuid4().hex


class Several(SelectMultipleField):
    """Checkboxes; nothing needs to be held down while choosing."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ActForm(Form):
    """A form for an act on a case. `key`: sent twice, it is done once. `version`: what the person was looking at."""

    key = HiddenField()
    version = HiddenField()
    asked: tuple[Field, ...] = ()

    def __init__(self, *, version: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.is_submitted():
            self.key.data = new_key()
            self.version.data = "" if version is None else str(version)

    @property
    def values(self) -> dict[str, Any]:
        """What was filled in, as typed, for the engine's use cases."""
        return {it.name: self[it.name].data for it in self.asked}

    @property
    def folded(self) -> tuple[str, ...]:
        """The questions that stand behind a fold, so that a phone shows the button soon: what need not be answered,
        where something must be and the rest is long."""
        rest = [it for it in self.asked if not self._needed(it.name)]
        long = len(rest) > 1 or any(len(it.choices) > MOST_RADIOS for it in rest)
        return tuple(it.name for it in rest) if long and len(rest) < len(self.asked) else ()

    @property
    def unfold(self) -> bool:
        """Whether the fold is open: something behind it is wrong, or is filled in already."""
        return any(self[name].errors or self[name].data for name in self.folded)

    def _needed(self, name: str) -> bool:
        return bool(cast("Ask", self[name].description).needed)

    @property
    def once(self) -> str | None:
        """The idempotency key."""
        return (self.key.data or "")[:64] or None

    def anew(self) -> str:
        """Give the form a new key: what was filled in is another entry than the one that was sent with the old key."""
        key = new_key()
        self.key.data = key
        return key

    @property
    def seen(self) -> int | None:
        """The version of the case that the person was looking at; None if the page did not say."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def act_form(
    fields: Iterable[Field],
    needs: Collection[str],
    *,
    version: int | None = None,
    prefill: Mapping[str, Any] | None = None,
) -> ActForm:
    """The form that asks for these fields in the language of this page, bound to this request.

    Args:
        fields: in the order in which they are asked (`workflow.asked(step)`).
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
    """The unbound control for one field. Nothing is `required` for the browser: it would not say so in our words."""
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
    "companion_phone": {"inputmode": "tel", "autocomplete": "off", "class": "short"},  # by its name, not its type
    "date": {"inputmode": "numeric", "autocomplete": "off", "class": "short"},
    "whole": {"inputmode": "numeric", "autocomplete": "off", "class": "short"},
    "decimal": {"inputmode": "decimal", "autocomplete": "off", "class": "short"},
    "money": {"inputmode": "numeric", "autocomplete": "off", "class": "short"},
}


def _as_typed(value: Any) -> Any:
    """Nothing chosen stays nothing, instead of the text "None"."""
    if isinstance(value, bool):
        return YES if value else NO
    return value


def _choices(asked: Field) -> dict[str, str]:
    """Codes and words; those of one group stand together, the groups in their own order."""
    order = list(asked.groups)
    choices = sorted(asked.choices, key=lambda it: order.index(it.group) if it.group in order else len(order))
    return {it.code: _words(it) for it in choices}


def _words(choice: Choice) -> str:
    """The words of a choice, with its unit where it is counted in one: "Gạo (kg)"."""
    return f"{said(choice.label)} ({said(choice.unit)})" if choice.unit else said(choice.label)
