"""To whom, in which language and how far decided a result is told."""

from dataclasses import dataclass
from typing import Literal

from reports.changes import Changes
from reports.errors import EvidenceMissingError
from reports.governance import NOTHING_SAID, Governance
from reports.messages import ENGLISH

Audience = Literal["full", "shareable", "public"]

AUDIENCES: tuple[Audience, ...] = ("full", "shareable", "public")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What a rendering is asked to be; the result itself never changes."""

    language: str = ENGLISH
    """A catalogue of `reports.messages.languages`."""

    audience: Audience = "full"
    """``shareable``: no picture, no list of terms, nothing attached. ``public``: one page of it."""

    final: bool = False
    """Whether every human field must be filled; else the report bears the word draft."""

    governance: Governance = NOTHING_SAID
    changes: Changes | None = None
    """What differs from an earlier audit, where one was named."""

    def check(self) -> None:
        """Refuse a final edition whose human fields are empty.

        Raises
        ------
        EvidenceMissingError
            Naming every field that is missing.
        """
        if not self.final or self.governance.complete:
            return
        missing = [field.path for field in self.governance.missing()]
        if not self.governance.signatures:
            missing.append("a [[signature]]")
        raise EvidenceMissingError(
            "A final report needs what only people can say; the governance file lacks "
            f"{', '.join(missing)}. Fill them in (`clip-audit report AUDIT --governance-template` "
            "prints a file), or leave --final out for a draft."
        )

    def file_name(self, name: str) -> str:
        """Put audience and language into the name of a file.

        Examples
        --------
        >>> Edition(language="zh-Hans", audience="public").file_name("report.pdf")
        'report.public.zh-Hans.pdf'
        """
        stem, dot, extension = name.partition(".")
        told = "" if self.audience == "full" else f".{self.audience}"
        spoken = "" if self.language == ENGLISH else f".{self.language}"
        return f"{stem}{told}{spoken}{dot}{extension}"


FULL = Edition()
"""The report that every audit gets."""
