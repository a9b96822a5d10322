"""Sentences about prompts, written words and wording that a result document carries in English.

See `reports.stored_unit_sentences` for how such patterns are written.
"""

from reports.messages import NP_

PROMPTS = (
    NP_(
        "stored",
        "Weights say what the wording of prompts asks of units and were computed without a "
        "picture, head-blind: as if all positions of a picture were alike.",
    ),
    NP_(
        "stored",
        "They are in standard deviations over all concepts of the audit that do not sexualise.",
    ),
    NP_("stored", "They describe; they decide nothing."),
    NP_(
        "stored",
        "The units of {layer} are those of the last MLP of a transformer, one part of many that"
        " make a score: earlier layers and attention reach the embedding beside them.",
    ),
    NP_(
        "stored",
        "Their weights say little about the score, and no more than the fidelity printed with "
        "them.",
    ),
    NP_("stored", "The units of {layer} act mostly through later attention."),
    NP_(
        "stored",
        "Their weights are second-order: along one direction, of each unit's strongest among "
        "{n} reference pictures, which explains {share} of its effects there (median over "
        "units).",
    ),
    NP_(
        "stored",
        "What prompts ask of the units of {layer} is not known: there is a closed form for the "
        "last layer, for earlier ones of some transformers, and not for every architecture.",
    ),
    NP_(
        "stored",
        "The text arm is off in the plan, so that nothing is said of what prompts ask of units.",
    ),
    NP_("stored", "head-blind"),
    NP_("stored", "head-weighted"),
    NP_("stored", "second-order"),
    NP_("stored", "no pictures were shown"),
    NP_("stored", "there is no concept whose prompts may be held against all pictures"),
    NP_("stored", "{needed} clusters of pictures are needed, half of them for reference"),
    NP_(
        "stored",
        "a second-order strength is that of a unit's strongest pictures, so that there is no "
        "linear score to hold against the model's",
    ),
    NP_("stored", "this encoder does not hand out the positions of its pictures"),
    NP_("stored", "the prompts' scores do not vary over the pictures"),
    NP_(
        "stored",
        "{known} of {all} measured pictures have no unit that was silent in the whole reference"
        " set; at least {needed} are needed",
    ),
)
"""What prompts ask of units (`audit.text_units`)."""

WRITTEN = (
    NP_("stored", "blank box"),
    NP_("stored", "shuffled letters"),
    NP_("stored", "unrelated word"),
    NP_("stored", "position"),
    NP_("stored", "size"),
    NP_("stored", "colour"),
    NP_("stored", "top left"),
    NP_("stored", "top right"),
    NP_("stored", "bottom left"),
    NP_("stored", "bottom right"),
    NP_("stored", "black"),
    NP_("stored", "white"),
    NP_("stored", "red"),
    NP_("stored", "zero-shot, by pack"),
    NP_("stored", "Words were written on {chosen} of {all} pictures."),
    NP_("stored", "Of {all} words the first {used} were written."),
    NP_("stored", "The plan asks for {wanted} pictures; {written} could be written on."),
    NP_(
        "stored",
        "Words on photos: {words} turn the answer into this harm more often for this group than"
        " for everybody else, beyond what control strings do. Most: {rate} of {n} people or "
        "scenes of the group, a difference of {gap} ({interval}; q = {q}). This describes what "
        "the model does with text; it decides nothing.",
    ),
    NP_("stored", "{flipped} of {written} words of this harm"),
    NP_("stored", "the word of this harm"),
    NP_("stored", "95 % interval {low} to {high}"),
    NP_("stored", "no interval"),
    NP_(
        "stored",
        "Text in pictures: of {all} units that carry the link, {read} answer more to this "
        "group's rendered words than to those of its family, and on photos no such difference "
        "stands out. So far the link may rest on text in pictures.",
    ),
    NP_("stored", "The unit answers to photos as well as to rendered words."),
    NP_(
        "stored",
        "The unit answers to photos as well as to rendered words (ratio {ratio}, {low} to {high}).",
    ),
    NP_("stored", "The unit answers to photos; on rendered words no effect stands out."),
    NP_(
        "stored",
        "The unit answers to rendered words; on photos no effect stands out, so the finding may"
        " rest on text in pictures.",
    ),
    NP_(
        "stored",
        "The unit answers to rendered words; on photos no effect stands out, so the finding may"
        " rest on text in pictures (ratio {ratio}, {low} to {high}).",
    ),
    NP_("stored", "The unit answers to photos and to rendered words in opposite directions."),
    NP_(
        "stored",
        "The unit answers to photos and to rendered words in opposite directions (ratio "
        "{ratio}, {low} to {high}).",
    ),
    NP_("stored", "Neither on photos nor on rendered words does an effect stand out."),
    NP_("stored", "One of the two arms was not measured, so reading cannot be told from seeing."),
    NP_("stored", "seen and read"),
    NP_("stored", "seen"),
    NP_("stored", "read"),
    NP_("stored", "opposed"),
    NP_("stored", "neither"),
    NP_("stored", "unknown"),
    NP_("stored", "Words written on photos"),
    NP_("stored", "Whether units of findings answer without text"),
    NP_("stored", "Whether units of findings answer without text: {lacking} of {all}"),
    NP_("stored", "Sexualising words written on photos"),
    NP_("stored", "Names of colours in other colours (Stroop)"),
    NP_("stored", "Whether harm words flip the group of a finding: {settled} of {all}"),
    NP_("stored", "Whether the model names words or inks (Stroop)"),
    NP_("stored", "the plan leaves it out ([typography] check)"),
    NP_("stored", "the plan leaves it out ([typography] stroop)"),
    NP_("stored", "no harm of the plan has a word that may be written on people"),
    NP_("stored", "rates need at least {least} people or scenes; the photos show {people}"),
    NP_(
        "stored",
        "they are written on nobody's picture, and photos of people are not offered them",
    ),
    NP_("stored", "it takes units on photos and on rendered words of the same group"),
    NP_(
        "stored",
        "the model answers all of its pictures with that harm before anything is written",
    ),
    NP_(
        "stored",
        "it names the ink of {hits} of {cards} cards on which word and ink agree, which is "
        "within reach of chance (1 in {inks})",
    ),
)
"""Words on pictures, cards and units that read (`audit.written_words`, `audit.typography`)."""

WORDING = (
    NP_("stored", "with “a photo of a child” and {rest}"),
    NP_("stored", "with “a photo of a child”, {rest}"),
    NP_("stored", "with an unmarked person and {rest}"),
    NP_("stored", "with an unmarked person, {rest}"),
    NP_("stored", "with names of groups and {rest}"),
    NP_("stored", "with names of groups, {rest}"),
    NP_("stored", "with everyday scenes and {rest}"),
    NP_("stored", "with everyday scenes, {rest}"),
    NP_("stored", "without labels of children and {rest}"),
    NP_("stored", "without labels of children, {rest}"),
    NP_("stored", "without unmarked labels and {rest}"),
    NP_("stored", "without unmarked labels, {rest}"),
    NP_("stored", "without names of groups and {rest}"),
    NP_("stored", "without names of groups, {rest}"),
    NP_("stored", "with mirror labels only and {rest}"),
    NP_("stored", "with mirror labels only, {rest}"),
    NP_("stored", "with the odd half of its own terms and {rest}"),
    NP_("stored", "with the odd half of its own terms, {rest}"),
    NP_("stored", "with the even half of its own terms and {rest}"),
    NP_("stored", "with the even half of its own terms, {rest}"),
    NP_("stored", "without {kind} labels and {rest}"),
    NP_("stored", "without {kind} labels, {rest}"),
    NP_("stored", "without the odd half of the {kind} labels and {rest}"),
    NP_("stored", "without the odd half of the {kind} labels, {rest}"),
    NP_("stored", "without the even half of the {kind} labels and {rest}"),
    NP_("stored", "without the even half of the {kind} labels, {rest}"),
)
"""Several sets of labels that undo a difference (`audit.fragility`)."""

SENTENCES = (*PROMPTS, *WRITTEN, *WORDING)
