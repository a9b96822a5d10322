"""The one place where templates are opened and where markup is declared safe."""

from base64 import b64encode
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.care import shown
from reports.messages import _, ngettext, pgettext


@cache
def environment() -> Environment:
    """Return the templates' environment: everything escaped, nothing missing in silence."""
    opened = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Called at render time, these look up the language that is spoken then.
    opened.globals.update({"_": _, "ngettext": ngettext, "pgettext": pgettext})
    opened.filters["as_source"] = as_source
    return opened


PICTURE = "data:image/jpeg;base64,"
"""How the address of every picture of a report begins."""


def as_source(content: bytes) -> Markup:
    """Turn the bytes of a JPEG into an address that opens nothing else.

    Examples
    --------
    >>> str(as_source(b"JPEG"))
    'data:image/jpeg;base64,SlBFRw=='
    """
    return Markup(PICTURE + b64encode(content).decode("ascii"))


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


def own_script(name: str) -> Markup:
    """Read a script of this package for a page; nothing of a result goes into it.

    Raises
    ------
    ValueError
        If its text could end the script element, or begin a comment in it.
    """
    source, _, _ = environment().loader.get_source(environment(), name)  # type: ignore[union-attr]
    if "</" in source or "<!--" in source:
        raise ValueError(f"A script must contain neither '</' nor '<!--'; take it out of {name}.")
    return Markup(source)


def script_source(script: Markup) -> Markup:
    """Return what a content security policy says to allow exactly this script.

    Examples
    --------
    >>> str(script_source(Markup("go()")))
    "'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='"
    """
    digest = sha256(script.encode()).digest()
    return Markup(f"'sha256-{b64encode(digest).decode('ascii')}'")
