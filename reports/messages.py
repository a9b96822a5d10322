"""What a report says in which language: English stands in the source, the rest in catalogues.

A language is one file, ``reports/catalogues/LANGUAGE.po`` (gettext). ``make catalogues`` brings
every file up to date with the source. Sentences that depend on numbers use `ngettext`; a
sentence is one message with named holes, never glued from parts, as other languages order them
otherwise.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, cached_property, reduce
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_group_symbol

from reports.errors import ReportError

ENGLISH = "en"

STORED = "stored"
"""Context of messages that stand in a result document, worded when the audit was made."""

STOPS = ".。"

SAID_KEPT = 20_000
"""Stored sentences whose translation is remembered, for a service that renders for months."""

_HOLE = re.compile(r"\\\{(\w+)\\\}")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z“]|[a-z]+: )")


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The messages of one language."""

    language: str
    """As in HTML: ``en``, ``zh-Hans``."""

    locale: Locale
    messages: NullTranslations
    stored: Mapping[str, str] = field(default_factory=dict)
    """English pattern of a stored sentence to its translation."""

    @cached_property
    def patterns(self) -> tuple[tuple[str, re.Pattern[str], str], ...]:
        """Stored sentences that have holes: words they must have, pattern and translation.

        The longest come first.
        """
        holed = [(key, words) for key, words in self.stored.items() if "{" in key]
        holed.sort(key=lambda pair: -len(pair[0]))
        return tuple((_longest_words(key), _pattern(key), words) for key, words in holed)

    @cached_property
    def said(self) -> dict[str, str]:
        """Stored sentences that were said before; many are in a report a thousand times."""
        return {}


def _longest_words(message: str) -> str:
    """Return the longest piece between holes: looking for it is cheaper than any pattern."""
    return max(re.split(r"\{\w+\}", message), key=len)


def _pattern(message: str) -> re.Pattern[str]:
    """Read ``{n}`` as a hole for digits, and every other one as a hole for words."""
    return re.compile(_HOLE.sub(_hole, re.escape(message)), re.DOTALL)


def _hole(hit: re.Match[str]) -> str:
    return rf"(?P<{hit[1]}>{'[0-9][0-9.,]*' if hit[1] == 'n' else '.+?'})"


_ENGLISH = Catalogue(language=ENGLISH, locale=Locale.parse("en_GB"), messages=NullTranslations())
_SPOKEN: ContextVar[Catalogue] = ContextVar("reports_catalogue", default=_ENGLISH)
_OURS = Path(__file__).parent / "catalogues"
_FOLDER: ContextVar[Path] = ContextVar("reports_catalogues", default=_OURS)


@contextmanager
def catalogues_in(folder: Path) -> Iterator[None]:
    """Look for catalogues in another folder, such as one of a language of one's own."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def languages() -> tuple[str, ...]:
    """Return every language that a report can be written in, English first."""
    found = (entry.name for entry in _FOLDER.get().iterdir())
    return (ENGLISH, *sorted(name.removesuffix(".po") for name in found if name.endswith(".po")))


def catalogue(language: str) -> Catalogue:
    """Read the catalogue of a language.

    Raises
    ------
    ReportError
        If there is none; the message lists what there is.
    """
    if language == ENGLISH:
        return _ENGLISH
    known = languages()
    if language not in known:
        near = get_close_matches(language, known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ReportError(
            f"The language of a report must be one of {', '.join(known)}; got {language!r}.{hint}"
        )
    return _read(language, _FOLDER.get())


@cache
def _read(language: str, folder: Path) -> Catalogue:
    source = (folder / f"{language}.po").read_bytes()
    read = read_po(io.BytesIO(source), locale=language.replace("-", "_"))
    compiled = io.BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return Catalogue(
        language=language,
        locale=Locale.parse(language, sep="-"),
        messages=GNUTranslations(compiled),
        stored={
            str(message.id): str(message.string)
            for message in read
            if message.context == STORED and message.string
        },
    )


@contextmanager
def speaking(language: str) -> Iterator[Catalogue]:
    """Word everything inside in this language.

    Raises
    ------
    ReportError
        If there is no catalogue of it.
    """
    token = _SPOKEN.set(catalogue(language))
    try:
        yield _SPOKEN.get()
    finally:
        _SPOKEN.reset(token)


def spoken() -> Catalogue:
    """Return the catalogue that is spoken now; English where nobody said."""
    return _SPOKEN.get()


def _(message: str, /, **values: object) -> str:
    """Say a message in the spoken language, its holes filled.

    Examples
    --------
    >>> _("{found} of {all} were found", found=3, all=40)
    '3 of 40 were found'
    """
    said = _SPOKEN.get().messages.gettext(message)
    return said.format_map(values) if values else said


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Say a message whose English has several meanings; the context tells which."""
    said = _SPOKEN.get().messages.pgettext(context, message)
    return said.format_map(values) if values else said


def ngettext(one: str, many: str, n: int, /, **values: object) -> str:
    """Say a message in the grammatical number that ``n`` asks for.

    ``{n}`` in the message is the count with its thousands separated, unless a value of that name
    is given (as `reports.quantities.small` does).

    Examples
    --------
    >>> ngettext("{n} finding", "{n} findings", 1), ngettext("{n} finding", "{n} findings", 3)
    ('1 finding', '3 findings')
    """
    said = _SPOKEN.get().messages.ngettext(one, many, n)
    counted = f"{n:,}".replace(",", get_group_symbol(_SPOKEN.get().locale))
    return said.format_map({"n": counted} | values)


def together(sentences: Iterable[str]) -> str:
    """Set sentences one after the other; empty ones are left out.

    Examples
    --------
    >>> together(["One.", "", "Two."])
    'One. Two.'
    """
    return reduce(_both, filter(None, sentences), "")


def _both(first: str, second: str) -> str:
    if not first:
        return second
    return pgettext("two sentences", "{first} {second}", first=first, second=second)


def N_(message: str) -> str:
    """Mark a message of a table for the catalogues; it is said later, with `_`."""
    return message


def NP_(_context: str, message: str) -> str:
    """Mark a message with its context for the catalogues."""
    return message


def stored(words: str) -> str:
    """Say text that a result document carries in English, where the catalogue knows it.

    Parameters
    ----------
    words : str
        One or several sentences, or a part of one, as stored.

    Returns
    -------
    str
        Its translation; the text itself where there is none of any of its sentences.
    """
    now = _SPOKEN.get()
    if not now.stored:
        return words
    if words not in now.said:
        if len(now.said) >= SAID_KEPT:
            now.said.clear()
        now.said[words] = _said(words, now) or words
    return now.said[words]


def _said(words: str, now: Catalogue) -> str:
    """Say a text sentence by sentence, else as a whole, else clause by clause; else nothing.

    Sentences go first: a hole at the end of one would take in all that follow.
    """
    if words in now.stored:
        return now.stored[words]
    sentences = _BETWEEN_SENTENCES.split(words)
    told = [_one(part, now) or _clauses(part, now) for part in sentences]
    return together(told) if all(told) else _one(words, now)


def _clauses(words: str, now: Catalogue) -> str:
    told = [_one(part, now) for part in words.split("; ")]
    return _("; ").join(told) if all(told) else ""


def _one(words: str, now: Catalogue) -> str:
    """Say one sentence, whether it was stored with its full stop or without; else nothing."""
    bare = words.removesuffix(".")
    if said := _known(words, now):
        return said
    if bare == words:
        return _known(f"{words}.", now).rstrip(STOPS)
    said = _known(bare, now)
    return pgettext("full stop", "{words}.", words=said) if said else ""


def _known(words: str, now: Catalogue) -> str:
    if words in now.stored:
        return now.stored[words]
    for held, pattern, said in now.patterns:
        match = pattern.fullmatch(words) if held in words else None
        if match:
            return said.format_map({k: stored(v) for k, v in match.groupdict().items()})
    return ""
