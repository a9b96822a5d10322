"""The one place where templates are opened and where markup is declared safe."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.care import shown


@cache
def environment() -> Environment:
    """Return the templates' environment: everything escaped, nothing missing in silence."""
    return Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def own_style(css: str) -> Markup:
    """Declare style rules that this package wrote to be safe; nothing of a result goes here.

    Raises
    ------
    ValueError
        If the rules could end the style element.
    """
    if "<" in css:
        raise ValueError("Style rules must not contain '<'; take it out of the style sheet.")
    return Markup(css)
