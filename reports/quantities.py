"""Numbers in words' clothing: rounding, signs, intervals and the undefined."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import get_decimal_symbol, get_group_symbol

from audit.results import Number, Undefined
from reports.care import InEnglish, kept
from reports.messages import ENGLISH, STOPS, _, pgettext, spoken
from reports.messages import together as together

MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"


def undefined_word() -> str:
    """Return what stands in the place of a number that could not be had."""
    return _("undefined")


def defined(value: Number) -> float | None:
    """Return the value, or None where it could not be had."""
    return None if isinstance(value, Undefined) else value


def undefined(value: Number) -> bool:
    """Tell whether a value could not be had."""
    return isinstance(value, Undefined)


def number(value: Number, digits: int = 1) -> str:
    """Round with a true minus sign; never prints a negative zero.

    Examples
    --------
    >>> number(8.149), number(-0.04), number(Undefined(undefined="no terms"))
    ('8.1', '0.0', 'undefined')
    """
    if isinstance(value, Undefined):
        return undefined_word()
    rounded = f"{value:,.{digits}f}"
    if float(rounded.replace(",", "")) == 0:
        rounded = rounded.lstrip("-")
    return _grouped(rounded).replace("-", MINUS)


def _grouped(written: str) -> str:
    """Put the signs of the spoken language for thousands and decimals."""
    locale = spoken().locale
    signs = {",": get_group_symbol(locale), ".": get_decimal_symbol(locale)}
    return "".join(signs.get(letter, letter) for letter in written)


def limit(value: float) -> str:
    """Write a number that somebody chose, with no digits that they did not choose.

    Examples
    --------
    >>> limit(6.0), limit(2.5)
    ('6', '2.5')
    """
    return _grouped(f"{value:g}").replace("-", MINUS)


def signed(value: Number, digits: int = 1) -> str:
    """Round and always write the sign, except of zero."""
    plain = number(value, digits)
    positive = not isinstance(value, Undefined) and value > 0 and plain.strip("0.,")
    return f"+{plain}" if positive else plain


def cosine(value: Number) -> str:
    """Round a difference of cosines to four places."""
    return number(value, 4)


def interval(low: Number, high: Number, digits: int = 1) -> str:
    """Write both limits; empty where one is undefined, as then the value itself says so."""
    if isinstance(low, Undefined) or isinstance(high, Undefined):
        return ""
    return _("{low} to {high}", low=number(low, digits), high=number(high, digits))


def percent(value: Number, digits: int = 1) -> str:
    """Write a share in per cent.

    Examples
    --------
    >>> percent(0.1234).replace(SPACE, " ")
    '12.3 %'
    """
    if isinstance(value, Undefined):
        return undefined_word()
    return per_cent(number(100 * value, digits))


def per_cent(written: str) -> str:
    """Put the sign of per cent after a number."""
    return _("{number}\N{NO-BREAK SPACE}%", number=written)


def percent_interval(low: Number, high: Number, digits: int = 1) -> str:
    """Write an interval of shares in per cent; empty where it is undefined."""
    if isinstance(low, Undefined) or isinstance(high, Undefined):
        return ""
    return per_cent(interval(100 * low, 100 * high, digits))


def points(value: Number, digits: int = 1) -> str:
    """Write a difference of shares in percentage points."""
    if isinstance(value, Undefined):
        return undefined_word()
    return signed(100 * value, digits)


def p_value(value: Number) -> str:
    """Write a p-value; below 0.001 only that."""
    if isinstance(value, Undefined):
        return undefined_word()
    return f"<{SPACE}{_grouped('0.001')}" if value < 0.001 else _grouped(f"{value:.3f}")


def p_equals(value: Number) -> str:
    """Write a p-value after the letter p, with its sign."""
    written = p_value(value)
    return written if written.startswith("<") else f"= {written}"


def count(value: int) -> str:
    """Write a count with thousands separated."""
    return _grouped(f"{value:,}")


def plural(amount: int, one: str, many: str = "") -> str:
    """Write an amount with its noun, for pages and exports that are in English only.

    Examples
    --------
    >>> plural(1, "finding"), plural(3, "category", "categories")
    ('1 finding', '3 categories')
    """
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


SMALL = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def small(amount: int) -> str:
    """Write a small amount as a word where the language does so in running text.

    Examples
    --------
    >>> small(2), small(40)
    ('two', '40')
    """
    if spoken().language == ENGLISH and amount < len(SMALL):
        return SMALL[amount]
    return count(amount)


def day(moment: datetime) -> str:
    """Write a date the same in every time zone.

    Examples
    --------
    >>> day(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    '23 November 2026'
    """
    return day_of(moment.astimezone(UTC).date())


def day_of(written: date) -> str:
    """Write a date in full."""
    return str(format_date(written, "long", locale=spoken().locale))


def moment_in_words(moment: datetime) -> str:
    """Write a date with its time in UTC."""
    return _("{day}, {time} UTC", day=day(moment), time=f"{moment.astimezone(UTC):%H:%M:%S}")


def listed(words: Sequence[str]) -> str:
    """Join words for a sentence.

    Examples
    --------
    >>> listed(["text", "photo", "rendered"])
    'text, photo and rendered'
    """
    return str(format_list(list(words), locale=spoken().locale)) if words else ""


def listed_plainly(words: Iterable[str]) -> str:
    """Join words by commas."""
    return pgettext("between two words of a list", ", ").join(words)


def natural(words: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts 3-9 before 10-19, and numbers before words.

    Examples
    --------
    >>> sorted(["10-19", "more than 70", "3-9"], key=natural)
    ['3-9', '10-19', 'more than 70']
    """
    parts = re.findall(r"\d+|\D+", words)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)


def full_sentence(words: str) -> str:
    """Give words that somebody else wrote a capital, a full stop and no code marks.

    Examples
    --------
    >>> full_sentence("only scores were given; `clip-audit run` reads the model")
    'Only scores were given; clip-audit run reads the model.'
    """
    plain = sentence(words.strip().replace("`", ""))
    if not plain or plain[-1] in ENDS:
        return kept(words, plain)
    if isinstance(words, InEnglish):
        return InEnglish(f"{plain}.")
    return pgettext("full stop", "{words}.", words=plain)


ENDS = ".!?:…。！？："
"""Signs that a sentence ends with already."""


def without_stop(words: str) -> str:
    """Take the full stop off, for words that become a part of something else."""
    return kept(words, words.rstrip(STOPS))


def sentence(words: str) -> str:
    """Give a sentence its capital, leaving the rest alone."""
    return words[:1].upper() + words[1:]


def cut(words: str, most: int) -> str:
    """Cut a text at a space before it outgrows its room.

    Examples
    --------
    >>> cut("one two three", 9), cut("one two three", 20)
    ('one two …', 'one two three')
    """
    if len(words) <= most:
        return words
    return kept(words, f"{words[: most - 1].rpartition(' ')[0] or words[: most - 2]} …")
