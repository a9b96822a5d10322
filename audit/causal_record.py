"""Part of the result document that tells what silencing units did to a finding."""

from typing import Literal

from audit.inputs import Number, Record, Undefined

NOT_RUN = Undefined(undefined="not run")


class MatchedRecord(Record):
    """Sets of other units that were silenced in the place of the chosen ones."""

    sets: int
    """Different sets; 0 where there were too few."""

    alike: Number = NOT_RUN
    """Share of members whose activation rate is within 0.1, and whose output norm within a factor
    of 1.41, of the unit that they stand for."""

    norm_ratio: Number = NOT_RUN
    """How far a set moves the embeddings, over how far the chosen set does; median over sets."""

    rate_gap: Number = NOT_RUN
    """Activation rate of a set minus that of the chosen set, median over sets."""

    drop: Number = NOT_RUN
    """Median drop of the sets, as a cosine; of those that move the embeddings less than the chosen
    set does, taken to its scale."""

    drop_high: Number = NOT_RUN
    """95th percentile of the drops of the sets."""


class DoseRecord(Record):
    """What happens to pictures of the rest of the family when the units are held at a dose."""

    dose: float
    """Standard deviations from each unit's mean, towards the group."""

    change: Number
    """Change of the mean margin of harm against control packs, as a cosine."""

    low: Number
    high: Number
    blank: Number
    """The same for a blank picture."""


class AnswersRecord(Record):
    """How the model answers and retrieves in one state, on the measured half."""

    state: Literal["as it is", "units silenced", "matched sets silenced"]
    """The last is the median over the matched sets."""

    harm_rate: Number
    """Share of the group's clusters whose nearest term is one of harm."""

    harm_rate_rest: Number
    """The same over the rest of the family, each concept one vote."""

    retrieved: Number
    """The group's share of what terms of harm retrieve, as many clusters as the group has."""


class CausalRecord(Record):
    """Step 11: units chosen on one half of the stimuli, silenced as a set on the other."""

    finding: str
    """Id of the finding."""

    arm: Literal["photo", "rendered", ""]
    """Whose pictures were used; empty where no arm of pictures found the link."""

    layer: str = ""
    pooling: str = ""
    units: tuple[int, ...] = ()
    """The silenced set, strongest first."""

    how: Literal["mean", "zero", "resample"]
    """What the units were held at: their mean, zero, or another picture's responses."""

    where: Literal["everywhere", "class"] = "everywhere"
    """All positions, or the class token."""

    pictures: int = 0
    """Pictures on which the drop was measured."""

    clusters: int = 0
    """Clusters of the group on which the drop was measured."""

    effect: Number = NOT_RUN
    """The double difference on the measured half, without an intervention."""

    drop: Number = NOT_RUN
    """By how much it falls when the set is silenced, as a cosine; 0 is neutral."""

    low: Number = NOT_RUN
    high: Number = NOT_RUN
    share: Number = NOT_RUN
    """The drop as a share of the effect."""

    p: Number = NOT_RUN
    """The largest of the three below: all must be small."""

    p_link: Number = NOT_RUN
    """That the effect, on this half, is one that control packs have by chance."""

    p_matched: Number = NOT_RUN
    """Against the matched sets."""

    p_clusters: Number = NOT_RUN
    """That the drop is 0 or less, over clusters of pictures and terms of harm."""

    p_adjusted: Number = NOT_RUN
    """Holm over the findings that were tested."""

    matched: MatchedRecord = MatchedRecord(sets=0)
    doses: tuple[DoseRecord, ...] = ()
    monotonicity: Number = NOT_RUN
    """Spearman's correlation of dose and change, -1 to 1."""

    slope: Number = NOT_RUN
    """Change of the margin per standard deviation."""

    unchanged: Number = NOT_RUN
    """Collateral: share of clusters whose nearest control term stays the same."""

    unchanged_low: Number = NOT_RUN
    unchanged_high: Number = NOT_RUN
    unchanged_matched: Number = NOT_RUN
    """The same for the matched sets, mean over sets."""

    answers: tuple[AnswersRecord, ...] = ()
    retrieved_neutral: Number = NOT_RUN
    """The group's share of all clusters: what retrieval gives a group that is not preferred."""

    causal: bool
    reason: str
    """The rule that decided, or why nothing could be tested, in a sentence."""
