"""Care with words: characters that deceive are shown, terms that hurt are masked."""

import re
import unicodedata
from collections.abc import Iterable

from markupsafe import Markup

MASK_FROM = 3
"""Terms of harm concepts are masked from this severity on."""

MASK_LEGEND = (
    "Terms of harms of high and critical severity, and contested terms, are masked: the first "
    "letter stays and an asterisk stands for each further one. The full terms are in result.json."
)

QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’|`[^`]*`")

JOINERS = "\u200c\u200d"
"""Zero-width joiners that ordinary spelling needs."""

DECEIVING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""Replace control, direction and other invisible characters by their code point.

    Examples
    --------
    >>> visible("a\u202eb\x00c\nd")
    'a[U+202E]b[U+0000]c d'
    """
    return "".join(visible_character(character) for character in text)


def visible_character(character: str) -> str:
    """Return the character itself, or what stands for it."""
    if character in "\n\t\r":
        return " "
    code = ord(character)
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if noncharacter or (character not in JOINERS and unicodedata.category(character) in DECEIVING):
        return f"[U+{code:04X}]"
    return character


def shown(value: object) -> object:
    """Make one template value visible; markup that a macro has made stays as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value)


def masked(term: str) -> str:
    """Keep the first letter of each word and star the rest.

    Examples
    --------
    >>> masked("grey wanderer")
    'g*** w*******'
    """
    return re.sub(r"\w+", lambda word: word[0][0] + "*" * (len(word[0]) - 1), term)


def masking_pattern(terms: Iterable[str], names: Iterable[str]) -> re.Pattern[str] | None:
    """Compile what `mask_within` looks for: terms to hide, names to keep; None without terms."""
    hidden = "|".join(re.escape(term) for term in sorted(terms, key=by_length) if term)
    kept = "|".join(re.escape(name) for name in sorted(names, key=by_length) if name)
    if not hidden:
        return None
    found = rf"(?P<hidden>(?i:(?<!\w)(?:{hidden})(?!\w)))"
    return re.compile(rf"(?P<kept>(?<!\w)(?:{kept})(?!\w))|{found}" if kept else found)


def by_length(word: str) -> tuple[int, str]:
    """Sort longest first, then by spelling: the longest of two matches wins, in every run."""
    return -len(word), word


def mask_within(text: str, pattern: re.Pattern[str] | None) -> str:
    """Mask every whole occurrence of a term, except inside a concept's name.

    Examples
    --------
    >>> pattern = masking_pattern(["thug"], ["Thugs and such"])
    >>> mask_within("Without “thug”, Thugs and such holds", pattern)
    'Without “t***”, Thugs and such holds'
    """
    if pattern is None:
        return text
    return pattern.sub(lambda hit: masked(hit[0]) if hit["hidden"] else hit[0], text)


def mask_quoted(text: str, pattern: re.Pattern[str] | None) -> str:
    """Mask terms between quotation marks only: outside them the same word is ordinary language.

    Examples
    --------
    >>> mask_quoted("Sexual orientation, without “sexual”", masking_pattern(["sexual"], []))
    'Sexual orientation, without “s*****”'
    """
    return QUOTED.sub(lambda quote: mask_within(quote[0], pattern), text)
