"""`{{ value|legible }}` for everything that a party wrote (`portal.legible`)."""

from django import template

from portal.legible import legible

register = template.Library()
register.filter("legible", legible)
