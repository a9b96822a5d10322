"""Care with words: characters that deceive are shown, terms that hurt are masked."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from reports.messages import ENGLISH, N_, spoken, stored

MASK_FROM = 3
"""Terms of harm concepts are masked from this severity on."""

MASK_LEGEND = N_(
    "Terms of harms of high and critical severity, and contested terms, are masked: the first "
    "letter stays and an asterisk stands for each further one. The full terms are in result.json."
)

STORED_LEGEND = N_(
    "Text that was stored with the audit and has no translation is shown in the language in which "
    "it was stored."
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
    # Most text has nothing to replace, and nothing that deceives counts as printable.
    if text.isprintable():
        return text
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


class InEnglish(str):
    """A text that was stored in English, in a report that speaks another language."""

    __slots__ = ()


def kept(original: str, changed: str) -> str:
    """Return changed words, still marked as English where the original was."""
    return InEnglish(changed) if isinstance(original, InEnglish) else changed


def as_spoken(words: str) -> str:
    """Say a stored text in the spoken language, or mark it as English where it cannot be said.

    Examples
    --------
    >>> as_spoken("There were no controls.")
    'There were no controls.'
    """
    said = stored(words)
    unsaid = said == words and spoken().language != ENGLISH and PROSE.search(words)
    return InEnglish(words) if unsaid else said


PROSE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
"""What tells a text from a name or a number."""


def shown(value: object) -> object:
    """Make one template value visible; markup that a macro has made stays as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    if isinstance(value, InEnglish):
        return Markup('<span lang="en">{}</span>').format(visible(value))
    return visible(value)


def masked(term: str) -> str:
    """Keep the first letter of each word and star the rest.

    Examples
    --------
    >>> masked("grey wanderer")
    'g*** w*******'
    """
    return re.sub(r"\w+", lambda word: word[0][0] + "*" * (len(word[0]) - 1), term)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """Masks terms in sentences that somebody else wrote, and leaves concepts' names readable."""

    pattern: re.Pattern[str]
    """Any term or name; where both start at one place, the longer one."""

    names: frozenset[str]

    def within(self, text: str) -> str:
        """Mask every whole occurrence of a term, except where it is a concept's name.

        Examples
        --------
        >>> masking(["thug"], ["Thugs and such"]).within("No “thug”; Thugs and such holds")
        'No “t***”; Thugs and such holds'
        """
        return self.pattern.sub(self._shown, text)

    def quoted(self, text: str) -> str:
        """Mask terms between quotation marks: outside them the word is ordinary language.

        Examples
        --------
        >>> masking(["sexual"], []).quoted("Sexual orientation, without “sexual”")
        'Sexual orientation, without “s*****”'
        """
        return QUOTED.sub(lambda quote: self.within(quote[0]), text)

    def _shown(self, hit: re.Match[str]) -> str:
        return hit[0] if hit[0] in self.names else masked(hit[0])


def masking(terms: Iterable[str], names: Iterable[str]) -> Masking:
    """Prepare the masking of some terms; names count only as they are spelled."""
    hidden, kept = {term for term in terms if term}, frozenset(name for name in names if name)
    either = sorted(hidden | kept, key=lambda word: (-len(word), word))
    words = "|".join(
        re.escape(word) if word in kept else f"(?i:{re.escape(word)})" for word in either
    )
    # Without words the pattern is one that matches nowhere.
    return Masking(
        pattern=re.compile(rf"(?<!\w)(?:{words})(?!\w)" if words else "(?!)"), names=kept
    )
