"""Sentences that name concepts and groups by reference, told in a reader's words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from audit.results import AuditResult
from reports.care import as_spoken, kept
from reports.messages import _
from reports.names import PHOTO_PREFIX, Names
from reports.quantities import MINUS, full_sentence, per_cent

CROSSED = re.compile(r" & | x ")
"""Signs that join two columns, or two values, of a crossed group."""


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Replaces references by names and groups by their values, and masks terms."""

    names: Names
    columns: frozenset[str]
    """Group columns, as in ``column=value``."""

    def sentence(self, text: str, *own: str) -> str:
        """Word somebody else's sentence; ``own`` are the references that it is about."""
        return full_sentence(typeset(self.phrase(text, *own)))

    def phrase(self, text: str, *own: str) -> str:
        """Word a name, group or setting, without making it a sentence.

        Masked terms stay hidden anywhere, between quotation marks or not: such text is made from
        terms, so the same word is hardly ever ordinary language.
        """
        return as_spoken(self.names.hidden_within(self.translated(text, *own)))

    def translated(self, text: str, *own: str) -> str:
        """Put names for references and values for groups; nothing is masked yet."""
        known = _pattern({ref for ref in own if ref in self._all_references})
        named = known.sub(self._quoted_name, self._references.sub(self._quoted_name, text))
        crossed = self._crossings.sub(" × ", named)
        members = self._members.sub(lambda hit: self.names.concept("/".join(hit.groups())), crossed)
        return self._prefixes.sub("", members).replace(PHOTO_PREFIX, "")

    def all_of(self, family: str) -> str:
        """Name all groups of a column, a crossing or an identity family; empty without one."""
        if family in self.names.families:
            return _("All of {family}", family=self.names.families[family])
        columns = family.replace(PHOTO_PREFIX, "").replace(" & ", " × ")
        return _("All groups by {columns}", columns=columns) if columns else ""

    def name(self, ref: str) -> str:
        """Name whatever stands on one side of a comparison: a concept, a group or words."""
        return self.harm(ref) if ref in self._all_references else self.phrase(ref)

    def harm(self, ref: str) -> str:
        """Name a harm, whether it is known as a concept or as a family."""
        return self.names.concept(ref) if ref in self.names.concepts else self.names.family(ref)

    def _quoted_name(self, hit: re.Match[str]) -> str:
        return f"“{self.harm(hit[1])}”"

    @cached_property
    def _all_references(self) -> frozenset[str]:
        return frozenset({*self.names.concepts, *self.names.families})

    @cached_property
    def _references(self) -> re.Pattern[str]:
        # A reference that looks like a plain word may be one: only its own records tell.
        return _pattern({ref for ref in self._all_references if re.search(r"[/_]", ref)})

    @cached_property
    def _members(self) -> re.Pattern[str]:
        """Match ``column=value`` where the group is a concept and has a name of its own."""
        refs = [ref for ref in self.names.concepts if ref.partition("/")[0] in self.columns]
        ends = "|".join(re.escape(ref.partition("/")[2]) for ref in _longest_first(refs))
        return re.compile(rf"(?<!\w)({self._any_column})=({ends})(?!\w)" if ends else "(?!)")

    @cached_property
    def _prefixes(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{self._any_column})=" if self._any_column else "(?!)")

    @cached_property
    def _crossings(self) -> re.Pattern[str]:
        pattern = rf" [&x] (?=(?:{self._any_column})=)"
        return re.compile(pattern if self._any_column else "(?!)")

    @cached_property
    def _any_column(self) -> str:
        return "|".join(re.escape(column) for column in _longest_first(self.columns))


def readings_of(result: AuditResult, names: Names) -> Readings:
    """Prepare the wording of one result."""
    return Readings(names=names, columns=frozenset(_columns(result)))


def _columns(result: AuditResult) -> Iterable[str]:
    yield from (column for column, *_rest in result.inputs.groups if column)
    for rate in result.rates:
        yield from (part for part in CROSSED.split(rate.column) if part)
    for record in result.catalogue:
        for part in record.group.split(" & "):
            column, equals, _ = part.partition("=")
            if equals and column:
                yield column


def typeset(text: str) -> str:
    """Write shares and negative numbers as everywhere in the report.

    Examples
    --------
    >>> typeset("-0.3 and 12% of x-1").replace("\N{NO-BREAK SPACE}", "_")
    '−0.3 and 12_% of x-1'
    """
    negative = re.sub(r"(?<![\w-])-(?=\d)", MINUS, text)
    return kept(text, re.sub(r"(\d) ?%", lambda hit: per_cent(hit[1]), negative))


def _pattern(refs: Iterable[str]) -> re.Pattern[str]:
    """Match a reference with the quotation marks around it; of two that fit, the longer one."""
    words = "|".join(re.escape(ref) for ref in _longest_first(refs))
    return re.compile(rf"[“\"‘`]?(?<![\w/=])({words})(?![\w/=])[”\"’`]?" if words else "(?!)")


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(filter(None, words), key=lambda word: (-len(word), word))
