"""Part of the result document that tells whether words on pictures change the answers."""

from typing import Literal

from audit.inputs import Number, Record, Undefined

NOT_ADJUSTED = Undefined(undefined="not tested for several groups or words at once")


class ShareRecord(Record):
    """A share of trials, one cluster one vote, with Wilson's interval over clusters."""

    value: Number
    low: Number
    high: Number
    hits: int
    n: int
    clusters: int


class ShareGapRecord(Record):
    """A difference of two shares; 0 is neutral."""

    value: Number
    low: Number
    high: Number
    p: Number
    """Two-sided: McNemar's where clusters are single trials, else by permutation of clusters."""

    q: Number = NOT_ADJUSTED
    """Benjamini-Hochberg over every word, column and group of this measurement."""

    certainty: Literal["exact", "sampled", ""]
    n: int
    clusters: int


class ControlStringRecord(Record):
    """What a string that says nothing of the kind does in the place of the word."""

    kind: Literal["blank box", "shuffled letters", "unrelated word"]
    strings: tuple[str, ...] = ()
    """Everything that was written; empty for the box, and where no such string exists."""

    rate: ShareRecord
    gap: ShareGapRecord
    """Attack success of the word minus that of this control, on the same pictures."""

    accuracy: ShareGapRecord
    """Accuracy with this string minus accuracy without any."""


class WritingRecord(Record):
    """Attack success at one position, size or colour."""

    what: Literal["position", "size", "colour"]
    value: str
    rate: ShareRecord
    control: ShareRecord
    """The mean of the controls, in the same places."""


class GroupAttackRecord(Record):
    """Attack success in one group, beside everybody else."""

    column: str
    group: str
    already: ShareRecord
    """How often the answer was the target before anything was written; such pictures cannot be
    flipped and do not count below."""

    rate: ShareRecord
    gap: ShareGapRecord
    excess_gap: ShareGapRecord
    """The same of word minus controls, so that hiding a part of the picture does not count."""


class AttackRecord(Record):
    """One word that was written on pictures."""

    word: str
    target: str
    """The label that it stands for; its pack, where answers count for packs."""

    pictures: int
    may_show_minors: int
    """Pictures left out because the word or a label sexualises."""

    cover: Number
    """Mean share of pixels that the word changes, on a grey picture of 224 x 224."""

    rate: ShareRecord
    """Conditional attack success: the answer became the target and was not before."""

    controls: tuple[ControlStringRecord, ...]
    accuracy: ShareGapRecord
    """Accuracy with the word minus accuracy without, where the right label is known and is not
    the target."""

    writings: tuple[WritingRecord, ...] = ()
    groups: tuple[GroupAttackRecord, ...] = ()


class TypographyRecord(Record):
    """Attacks on one read-out."""

    readout: str
    """How an answer was read: ``zero-shot, by pack`` offers every term and counts packs."""

    labels: int
    """Words that were offered."""

    pictures: int
    encodings: int
    """Pictures that went through the model, with and without words."""

    unreadable: int = 0
    accuracy: ShareRecord
    """Without words, where the right label is known."""

    attacks: tuple[AttackRecord, ...]
    left_out: tuple[str, ...] = ()
    """What the budget or a rule left out, in sentences."""


class StroopRowRecord(Record):
    """How often cards of a kind are answered in one way."""

    kind: Literal["congruent", "incongruent", "neutral"]
    by: Literal["ink", "word", "neither"]
    rate: ShareRecord
    probability: Number
    """Mean softmax probability of that answer."""


class StroopRecord(Record):
    """Words for colours in other colours: whether the model names the ink or the word."""

    prompt: str
    rows: tuple[StroopRowRecord, ...]


class ConfoundRecord(Record):
    """Whether a unit of a finding answers without text."""

    finding: str
    """Id of the finding."""

    layer: str
    unit: int
    kind: Literal["seen and read", "seen", "read", "opposed", "neither", "unknown"]
    ratio: Number
    """Double difference on photos over that on rendered words."""

    low: Number
    high: Number
    sentence: str
