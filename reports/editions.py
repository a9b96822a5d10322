"""To whom, in which language and how far decided a result is told."""

from dataclasses import dataclass
from typing import Literal

from reports.messages import ENGLISH

Audience = Literal["full", "shareable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What a rendering is asked to be; the result itself never changes."""

    language: str = ENGLISH
    """A catalogue of `reports.messages.languages`."""

    audience: Audience = "full"
    """``shareable``: no picture, and terms masked wherever they are of severity 3 or more."""

    final: bool = False
    """Whether every human field must be filled; else the report bears the word draft."""


FULL = Edition()
"""The report that every audit gets."""
