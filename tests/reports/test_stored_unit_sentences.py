"""Sentences about units that documents carry: what `audit` words, a catalogue can say."""

import io
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from babel.messages import Catalog
from babel.messages.pofile import write_po

from audit import (
    causal,
    concept_probes,
    run_replication,
    text_units,
    unit_drawn,
    unit_links,
    unit_pictures,
    unit_story,
)
from audit.unit_answers import Answer, Profile
from audit.unit_links import LinkParts
from audit.unit_pages_record import AgreementRecord
from audit.unit_story import Standing, Told, story
from probes import text_confound
from reports import stored_evidence_sentences, stored_unit_sentences, stored_word_sentences
from reports.messages import catalogues_in, speaking, stored

SENTENCES = (
    *stored_unit_sentences.SENTENCES,
    *stored_evidence_sentences.SENTENCES,
    *stored_word_sentences.SENTENCES,
)
NAN = float("nan")


@pytest.fixture(scope="module", autouse=True)
def wordless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Speak a language that has marks for words, so that English that is left shows."""
    folder = tmp_path_factory.mktemp("catalogues")
    written = Catalog(locale="fr")
    for sentence in SENTENCES:
        holes = re.findall(r"\{\w+\}", sentence)
        written.add(sentence, f"«{' '.join(holes)}»", context="stored")
    content = io.BytesIO()
    write_po(content, written)
    (folder / "fr.po").write_bytes(content.getvalue())
    with catalogues_in(Path(folder)), speaking("fr"):
        yield


def english_left(words: str) -> str:
    """Return what stays English of a stored text; what is data has capitals only in these tests."""
    return " ".join(re.findall("[a-z]{3,}", stored(words)))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_pattern_repeats_a_hole_or_is_one_hole_alone(sentence: str) -> None:
    holes = re.findall(r"\{(\w+)\}", sentence)
    assert len(holes) == len(set(holes))
    assert max(map(len, re.split(r"\{\w+\}", sentence))) >= 3


def _name(ref: str) -> str:
    return {"a/x": "MAKERS, ALSO OTHERS", "h/y": "HARM (INVENTED)"}.get(ref, ref.upper())


def _answer(arm: str, value: float, low: float, high: float) -> Answer:
    lift = NAN if arm == "text" else 2.5
    return Answer(
        arm=arm, concept="a/x", value=value, low=low, high=high, ap_lift=lift,
        why="" if np.isfinite(value) else unit_links.NOT_SHOWN,
    )  # fmt: skip


def _standing(arm: str, value: float = 0.3, low: float = 0.1, high: float = 0.5) -> Standing:
    known = np.isfinite(value)
    return Standing(answer=_answer(arm, value, low, high), place=2 if known else None, known=54)


def _link(value: float = 0.03, total: float = 0.5, arm: str = "photo", low: float = 0.02) -> Any:
    units = SimpleNamespace(
        value=np.array([value, 0.01]), low=np.array([low]), high=np.array([0.04])
    )
    compared = SimpleNamespace(counts=(36, 63), view=SimpleNamespace(arm=arm))
    return LinkParts(
        finding=SimpleNamespace(), direction=np.zeros(1), compared=compared,
        parts=SimpleNamespace(units=units, total=total), alone={0: 0.02},
    )  # type: ignore[arg-type]  # fmt: skip


def _told(**changes: Any) -> Told:
    finding = SimpleNamespace(identity="a/x", harm="h/y", id="BA1", arms=("photo",))
    given = {"finding": finding, "standings": (_standing("photo"),), "harm": None, "link": _link()}
    return Told(**({"causal": None} | given | changes))


def _causal(units: tuple[int, ...], *, marked: bool) -> Any:
    return SimpleNamespace(units=units, drop=0.1, low=0.05, high=0.2, share=0.2, causal=marked)


STANDINGS = [
    (),
    (_standing("photo"),),
    (_standing("photo", -0.3, -0.5, -0.1), _standing("rendered", 0.0, -0.1, 0.1)),
    (_standing("photo", NAN, NAN, NAN), _standing("text")),
    (_standing("photo"), _standing("rendered", NAN, NAN, NAN), _standing("text")),
]
LINKS = [
    _link(),
    _link(-0.02),
    _link(total=NAN),
    _link(arm="rendered"),
    _link(low=NAN),
    _link(value=NAN),
    LinkParts(finding=SimpleNamespace(), direction=np.zeros(1), why=unit_links.NOT_SHOWN),  # type: ignore[arg-type]
    None,
]
CAUSALS = [
    None,
    _causal((0,), marked=True),
    _causal((0, 1), marked=False),
    _causal((0, 1, 2), marked=True),
    _causal((7,), marked=True),
]
CONFOUNDS = [None, *(SimpleNamespace(kind=kind) for kind in text_confound.SENTENCES)]
PROFILE = Profile(
    arm="photo",
    answers=tuple(
        Answer(arm="photo", concept=c, value=0.4, low=0.1, high=0.6, ap_lift=1.0)
        for c in ("b/one", "b/two", "b/three")
    ),
    known=3,
)


def _agreed(*shared: str, arms: tuple[str, ...] = ("photo", "rendered", "text")) -> AgreementRecord:
    return AgreementRecord.model_validate({"arms": arms, "shared": shared, "chance": 0.16})


AGREED = [
    (),
    (_agreed("b/one"),),
    (_agreed("b/one", "b/two", "b/three"),),
    (_agreed(),),
    (
        _agreed(),
        _agreed("b/one", arms=("photo", "text")),
        _agreed("b/two", arms=("rendered", "text")),
    ),
]


@pytest.mark.parametrize("standings", STANDINGS)
@pytest.mark.parametrize("harm", [None, _standing("text")])
@pytest.mark.parametrize("agreed", AGREED)
def test_whatever_a_story_says_of_its_group_can_be_said_in_another_language(
    standings: tuple[Standing, ...], harm: Standing | None, agreed: tuple[AgreementRecord, ...]
) -> None:
    for confound in CONFOUNDS:
        told = _told(standings=standings, harm=harm, confound=confound)
        for sentence in story(0, [told], [PROFILE], agreed, _name):
            assert english_left(sentence) == "", sentence


@pytest.mark.parametrize(("link", "record"), list(product(LINKS, CAUSALS)))
def test_whatever_a_story_says_of_its_links_can_be_said_in_another_language(
    link: LinkParts | None, record: Any
) -> None:
    further = [_told(), _told(), _told()]
    for more in range(4):
        told = [_told(link=link, causal=record), *further[:more]]
        for sentence in story(0, told, [], (), _name):
            assert english_left(sentence) == "", sentence


CONSTANTS = (
    *(f"{words}." for words in text_confound.SENTENCES.values()),
    *unit_story.SEEN_OR_READ.values(),
    *(unit_pictures.HARSH, unit_pictures.YOUNG, unit_pictures.SEXUAL),
    *(unit_pictures.OFF, unit_pictures.BLURRED),
    *(unit_drawn.NO_TOWER, unit_drawn.NO_UNITS, unit_links.NOT_SHOWN, unit_links.NO_TOWER),
    *(concept_probes.NO_SCORE, concept_probes.NO_BETTER),
    *(text_units.OFF, f"{text_units.WHAT} {text_units.UNKNOWN.format(layer='L1')}"),
    text_units.ONE_PART.format(layer="L1"),
    text_units.THROUGH_LATER.format(layer="L1", n=9, share=0.4),
    run_replication.TEXT_ALONE,
    causal.TEXT_ONLY,
)


@pytest.mark.parametrize("words", CONSTANTS)
def test_what_audit_says_the_same_every_time_can_be_said_in_another_language(words: str) -> None:
    assert english_left(words) == ""


SEEN = (
    "Silencing the 10 units of L4.0 that carry it most, chosen on the other half of the "
    "stimuli, lowers the double difference from 0.575 by 0.111 (0.0971 to 0.126), which is 19 % of "
    "it, more than 100.0 % of 999 matched sets of other units. The comparison with matched sets "
    "gives p = 0.003 by Holm over 3 tested findings: at most 0.05.",
    "Whether units carry the link could not be tested: each half needs two terms of harm; the "
    "pack has 1 in all.",
    "BA1: measured on 36 of 36 pictures of the group and 63 of 252 of the rest of its family. The "
    "link on them, 0.555, is the sum of all units of L4.0, 0.545, and of positional embedding "
    "0.0102, constant -0.000265.",
    "Words were written on 48 of 288 pictures.",
)


@pytest.mark.parametrize("words", SEEN)
def test_what_a_document_carried_can_be_said_in_another_language(words: str) -> None:
    assert english_left(words) == ""


def test_what_nobody_knows_stays_as_it_is() -> None:
    assert stored("A sentence that no audit words.") == "A sentence that no audit words."
