"""English articles, plurals and capitals, as far as prompts need them."""

import re
import unicodedata

SILENT_H = ("honest", "honor", "honour", "hour", "heir")
YOU_SOUND = re.compile(
    r"ukr|u[bfgkrstv][aeiou]|uni(?![dmn]|ll|ss)|unanim|u[iy]|eu|ewe|one$|ones$|once$"
)
"""Words that start with a vowel letter but with the sound of "you" or "won"."""

VOWEL_YET = ("uber",)
VOWEL_LETTERS = "AEFHILMNORSX"
"""Letters whose names start with a vowel sound: an MRI, an X-ray."""

SPOKEN_ACRONYMS = {"NASA", "NATO", "SARS", "FIFA", "LAN", "RAM", "ROM", "MERS", "LASER", "SWAT"}
"""Capitals said as one word: a NATO soldier."""

DETERMINERS = ("a", "an", "the")

IRREGULAR = {
    "person": "people", "child": "children", "foot": "feet", "tooth": "teeth", "mouse": "mice",
    "goose": "geese", "ox": "oxen", "knife": "knives", "wife": "wives", "housewife": "housewives",
    "midwife": "midwives", "life": "lives", "thief": "thieves", "wolf": "wolves", "leaf": "leaves",
    "loaf": "loaves", "half": "halves", "shelf": "shelves", "calf": "calves", "scarf": "scarves",
    "hero": "heroes", "potato": "potatoes", "tomato": "tomatoes", "mosquito": "mosquitoes",
    "mango": "mangoes", "echo": "echoes", "stomach": "stomachs", "monarch": "monarchs",
    "quiz": "quizzes", "bus": "buses", "crisis": "crises", "oasis": "oases",
}  # fmt: skip
UNCHANGED = {
    *("sheep", "deer", "fish", "salmon", "bison", "aircraft", "species", "series", "livestock"),
    *("vermin", "police", "people", "cattle", "offspring", "clothes", "trousers", "scissors"),
}
NOT_MEN = ("human", "german", "roman", "shaman", "talisman", "ottoman", "norman", "caiman")
"""Words that end in "man" and take a plain s."""

TAIL = re.compile(
    r"(?<=\w)(?= (?:with|without|of|from|in|on|at|to|for|and|or|out|who|that|using|seeking|living"
    r"|aged|attracted|born|married) )"
    r"|(?<=person)(?= )|(?<=\w)(?=-(?:in|of|at|to|by)-\S+$)",
    re.IGNORECASE,
)
"""Where the head of a noun phrase ends: "person| with a cane", "mother|-in-law"."""


def article(surface: str) -> str:
    """Return the indefinite article that English puts before ``surface``.

    Parameters
    ----------
    surface : str
        A noun or adjective phrase as written inside a sentence.

    Returns
    -------
    str
        "a", "an", or "" where the phrase brings its own determiner.

    Examples
    --------
    >>> [article(word) for word in ("honest person", "European", "MRI", "8-year-old", "the Gulf")]
    ['an', 'a', 'an', 'an', '']
    """
    words = re.findall(r"\w+", _plain(surface))
    if not words or surface.split()[0].lower() in DETERMINERS:
        return ""
    return "an" if _vowel_sound(words[0]) else "a"


def plural(surface: str) -> str:
    """Return the plural of a countable noun phrase.

    Examples
    --------
    >>> plural("person with a guide dog"), plural("mother-in-law"), plural("policewoman")
    ('people with a guide dog', 'mothers-in-law', 'policewomen')
    """
    cut = TAIL.search(surface)
    head, tail = (surface[: cut.start()], surface[cut.start() :]) if cut else (surface, "")
    start = max(head.rfind(" "), head.rfind("-")) + 1
    return head[:start] + _plural_word(head[start:]) + tail


def capitalised(text: str) -> str:
    """Return ``text`` with a capital first letter and the rest as it is.

    Examples
    --------
    >>> capitalised("iPhones are here.")
    'IPhones are here.'
    """
    return text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    """Return letters without accents, so that "Écuadorian" starts with a vowel."""
    split = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in split if not unicodedata.combining(sign))


def _vowel_sound(word: str) -> bool:
    if word[0].isdigit():
        return _vowel_number(word)
    if re.fullmatch(r"[A-Z]{2,}s?|[A-Z]", word) and word not in SPOKEN_ACRONYMS:
        return word[0] in VOWEL_LETTERS
    low = word.lower()
    if low.startswith(SILENT_H + VOWEL_YET):
        return True
    return low[0] in "aeiou" and not YOU_SOUND.match(low)


def _vowel_number(digits: str) -> bool:
    """Tell whether a number is said with a vowel first: eight, eleven, eighteen thousand."""
    number = re.match(r"\d+", digits)
    said = number.group() if number else ""
    return said.startswith("8") or (said[:2] in ("11", "18") and len(said) % 3 == 2)


def _plural_word(word: str) -> str:
    low = word.lower()
    if low in UNCHANGED:
        return word
    if low in IRREGULAR:
        return word[0] + IRREGULAR[low][1:]
    if low.endswith("man") and not low.endswith(NOT_MEN):
        return word[:-2] + "en"
    if re.search(r"[^aeiou]y$", low):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(s|x|z|ch|sh)$", low) else "s")
