"""Django's bound fields in the dress of GOV.UK Frontend, for `templates/parts/field.html`."""

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()

# First match wins: a radio group is also a Select's cousin, a file input also an Input.
KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.RadioSelect, "radios"),
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Textarea, "govuk-textarea"),
    (forms.Select, "govuk-select"),
    (forms.FileInput, "govuk-file-upload"),
)


@register.filter
def kind(field: BoundField) -> str:
    """`radios`, `checkboxes`, `checkbox`, or the GOV.UK class of the single control."""
    return next((name for widget, name in KINDS if isinstance(field.field.widget, widget)), "govuk-input")


@register.filter
def classed(field: BoundField, css_class: str) -> SafeString:
    """The control with its class, the error class when it has errors, and no placeholder (it vanishes while typing)."""
    names = [css_class, field.field.widget.attrs.get("class", "")]
    if field.errors and css_class.startswith("govuk-") and "checkboxes" not in css_class:
        names.append(f"{css_class}--error")
    field.field.widget.attrs.pop("placeholder", None)
    attrs = {"class": " ".join(n for n in names if n)}
    if described_by := described(field):
        attrs["aria-describedby"] = described_by
    return field.as_widget(attrs=attrs)


@register.filter
def described(field: BoundField) -> str:
    """The ids of hint and error, in the order in which they stand on the page."""
    ids = [f"{field.auto_id}_helptext"] if field.help_text else []
    return " ".join([*ids, f"{field.auto_id}_error"] if field.errors else ids)


@register.filter
def anchor(field: BoundField) -> str:
    """The id that the error summary jumps to: for a group, its first option."""
    if kind(field) in {"radios", "checkboxes"}:
        return f"{field.auto_id}_0"
    return field.id_for_label
