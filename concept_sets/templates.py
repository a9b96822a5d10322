"""The sentences that terms are put into."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from concept_sets.concept import PartOfSpeech
from concept_sets.entry import Entry, near
from concept_sets.load import ID, ID_MEANING, VERSION
from concept_sets.strict_yaml import read_yaml

FIELDS = {"t": "the term", "a": "its article", "ts": "its plural"}
"""What a template may hold in braces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """One text per part of speech and slot, and the unmarked anchors."""

    version: str
    slots: tuple[str, ...]
    """Names of the slots; every part of speech has all of them."""

    texts: Mapping[PartOfSpeech, Mapping[str, str]]
    """Part of speech to slot to text with the fields ``{t}``, ``{a}`` and ``{ts}``."""

    purposes: Mapping[str, Mapping[str, str]]
    """Named further sets of slots that take any part of speech, such as ``emotion``."""

    anchors: tuple[str, ...]
    """Prompts about nobody in particular."""

    digest: str
    """``sha256:`` of the canonical content, independent of layout and comments."""


def read_templates(path: Path) -> Templates:
    """Read a templates file.

    Raises
    ------
    ConceptSetError
        If a part of speech lacks a slot, a slot or field is unknown, or a template lacks its
        term; the sentence names file, line and slot.
    """
    top = read_yaml(path)
    fields = top.fields(("version", "slots", "templates", "purposes", "anchors"))
    for key in ("version", "slots", "templates", "anchors"):
        if key not in fields:
            raise top.error(f"the key {key!r} is missing.")
    slots = tuple(item.match(ID, ID_MEANING) for item in fields["slots"].items())
    if len(set(slots)) < len(slots):
        raise fields["slots"].error("must name each slot once.")
    texts = _texts(fields["templates"], slots)
    purposes = _purposes(fields["purposes"]) if "purposes" in fields else {}
    version = fields["version"].match(VERSION, "a version of three numbers such as 1.0.0")
    anchors = tuple(item.text() for item in fields["anchors"].items())
    content = [version, slots, texts, purposes, anchors]
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Templates(
        version=version,
        slots=slots,
        texts=texts,
        purposes=purposes,
        anchors=anchors,
        digest=f"sha256:{sha256(canonical.encode()).hexdigest()}",
    )


def _texts(entry: Entry, slots: tuple[str, ...]) -> dict[PartOfSpeech, dict[str, str]]:
    found = entry.fields(PartOfSpeech)
    for pos in PartOfSpeech:
        if pos not in found:
            raise entry.error(f"the part of speech {pos.value!r} is missing.")
        missing = [slot for slot in slots if slot not in found[pos].fields(slots)]
        if missing:
            raise found[pos].error(f"the slot {missing[0]!r} is missing.")
    return {pos: {slot: _text(found[pos].fields()[slot]) for slot in slots} for pos in PartOfSpeech}


def _purposes(entry: Entry) -> dict[str, dict[str, str]]:
    return {
        name: {slot: _text(text) for slot, text in slots.fields().items()}
        for name, slots in entry.fields().items()
    }


def _text(entry: Entry) -> str:
    """Return a template after refusing fields that are unknown, unclosed or out of place."""
    text = entry.text()
    known = ", ".join(f"{{{name}}} ({meaning})" for name, meaning in FIELDS.items())
    fields = re.findall(r"\{([^{}]*)\}", text)
    for name in fields:
        if name not in FIELDS:
            raise entry.error(f"unknown field {{{name}}}; known: {known}.{near(name, FIELDS)}")
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        raise entry.error(f"a brace stands alone in {text!r}; fields are {known}.")
    if not {"t", "ts"} & set(fields):
        raise entry.error(f"must hold the term as {{t}} or {{ts}}; got {text!r}.")
    if text.count("{a}") != text.count("{a} {t}"):
        raise entry.error(f"{{a}} must stand right before {{t}}; got {text!r}.")
    return text
