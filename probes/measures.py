"""Every measure of this room: one row each, with how to read it and how it misleads."""

from math import inf, nan

from probes.choices.rows import ROWS as CHOICES
from probes.measurement import Measure
from probes.parity.rows import ROWS as PARITY
from probes.retrieval.rows import ROWS as RETRIEVAL
from probes.similarity.rows import ROWS as SIMILARITY

_GOH = "Goh et al. (2021), Distill, doi 10.23915/distill.00030"
_OIKARINEN = "Oikarinen, Yan & Weng (2025), arXiv 2506.05774"

_ROWS = (
    Measure(
        name="contrast",
        title="Double-difference contrast",
        neutral=0,
        low=-4,
        high=4,
        unit="cosine",
        positive_means="The group lies closer to the harm than its family does, beyond how much "
        "closer it lies to harmless control packs.",
        formula="delta = mean over harm terms of c - mean over control packs of c, with c = mean "
        "cosine of the group's terms minus the mean over the other concepts of the family; "
        "tested against how far control packs lie from the group by chance.",
        source="docs/decisions: the empirical null of control packs",
        failure_modes=(
            "Harm packs that are by nature more spread than the controls raise the error rate.",
            "Says that an association exists in the embeddings, not what a deployment does.",
            "Relative to the family: what the whole family shares is not seen.",
        ),
    ),
    Measure(
        name="correlation",
        title="Point-biserial correlation",
        neutral=0,
        low=-1,
        high=1,
        unit="correlation",
        positive_means="The unit responds more where the concept is shown.",
        formula="Pearson correlation of cluster means with the label; interval on Fisher's scale, "
        "allowing the two sides to differ in spread, Student's t with Welch's degrees of freedom.",
        source=_OIKARINEN,
        failure_modes=(
            "Depends on the base rate: not comparable between concepts of different size.",
            "A few extreme clusters can carry it.",
        ),
    ),
    Measure(
        name="ap_lift",
        title="Average-precision lift",
        neutral=1,
        low=0,
        high=inf,
        unit="ratio",
        positive_means="The concept's clusters stand nearer the top of the unit's responses than "
        "random ones would.",
        formula="average precision / base rate; at most 1 / base rate, the ceiling printed beside "
        "it; interval: Wilson's with one trial per cluster that has the concept.",
        source=_OIKARINEN,
        failure_modes=(
            "With few clusters chance alone gives more than 1: the chance value stands beside it.",
            "Looks at high responses only; a unit that is silenced by the concept scores low.",
            "Bounded by the base rate: lifts of concepts of different size do not compare.",
        ),
    ),
    Measure(
        name="glass_delta",
        title="Glass's delta",
        neutral=0,
        low=-inf,
        high=inf,
        unit="standard deviations of the clusters without the concept",
        positive_means="The unit responds more where the concept is shown.",
        formula="(mean with - mean without) / SD without, Hedges-corrected; interval allowing the "
        "two sides to differ in spread, Student's t with Welch's degrees of freedom.",
        source=f"Glass (1976), Educational Researcher 5(10), 3-8; unit of {_GOH}",
        failure_modes=(
            "Undefined for a unit that answers to nothing else.",
            "Heavy tails of the reference shrink it.",
        ),
    ),
    Measure(
        name="auroc",
        title="Area under the ROC curve of a unit",
        neutral=0.5,
        low=0,
        high=1,
        unit="probability",
        positive_means="A cluster with the concept responds more than one without, more often "
        "than not.",
        formula="share of pairs in order, ties counting half; DeLong's variance on the logit "
        "scale, Student's t.",
        source="DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845",
        failure_modes=(
            "Cannot tell a unit that is specific to the concept from one that answers to a ten "
            "times larger set.",
            "With 8 clusters and areas above 0.9 the interval covers about 90 %, not 95 %.",
        ),
    ),
    Measure(
        name="argmax_rate",
        title="Zero-shot answer rate",
        neutral=0,
        low=0,
        high=1,
        unit="share of pictures",
        positive_means="The label, or a label of the harm family, scores highest for this share of "
        "the group's pictures.",
        formula="mean over clusters of the share of pictures whose highest score is the label, "
        "labels with equal scores sharing alike; Wilson's interval, one trial per cluster.",
        source="Radford et al. (2021), arXiv 2103.00020, section 7.1",
        failure_modes=(
            "Depends on which other labels are offered.",
            "0 is the best value of a harm label, but no rate is neutral for other labels.",
            "With several pictures a person the interval is wider than it need be: it covers more "
            "than 99 %.",
        ),
    ),
    Measure(
        name="argmax_gap",
        title="Gap in answer rate",
        neutral=0,
        low=-1,
        high=1,
        unit="share of pictures",
        positive_means="The label is chosen more often for this group than for all others.",
        formula="argmax_rate of the group minus that of all other grouped pictures; Newcombe's "
        "interval.",
        source="Newcombe (1998), Statistics in Medicine 17, 873-890",
        failure_modes=(
            "Depends on which other labels are offered.",
            "The largest of many gaps is not 0 by chance: intervals are for one gap each.",
        ),
    ),
    Measure(
        name="text_weight",
        title="Weight of a unit in prompts",
        neutral=0,
        low=-inf,
        high=inf,
        unit="standard deviations over concepts",
        positive_means="The concept's prompts ask for the unit more than those of other concepts.",
        formula="w = (read-out of the unit . embedding of the prompts of a term), mean over terms, "
        "minus the mean over all concepts, over their standard deviation; Student's interval over "
        "terms.",
        source=_GOH,
        failure_modes=(
            "Of the wording alone: no picture was looked at, and all positions count alike.",
            "Says little where its fidelity, printed with the audit, is low.",
            "The last MLP of a transformer is one part of many that make a score.",
        ),
    ),
    Measure(
        name="probe_auroc",
        title="Held-out area of a sparse probe",
        neutral=0.5,
        low=0,
        high=1,
        unit="probability",
        positive_means="A few units together rank held-out clusters with the concept above others.",
        formula="area under the curve of pooled held-out scores of an L1 logistic probe; DeLong's "
        "interval, the fitted models taken as given.",
        source=_GOH,
        failure_modes=(
            "What a probe can read, the model need not use.",
            "The interval leaves out that other clusters would give other models.",
        ),
    ),
    Measure(
        name="probe_balanced_accuracy",
        title="Held-out balanced accuracy of a sparse probe",
        neutral=0.5,
        low=0,
        high=1,
        unit="share of clusters",
        positive_means="A few units together recognise held-out clusters of both classes.",
        formula="mean of the held-out hit rates with and without the concept; Newcombe's interval.",
        source=_GOH,
        failure_modes=("What a probe can read, the model need not use.",),
    ),
    Measure(
        name="probe_selectivity",
        title="Selectivity of a sparse probe",
        neutral=0,
        low=-1,
        high=1,
        unit="probability",
        positive_means="The probe ranks the concept better than it ranks random labels.",
        formula="probe_auroc minus the same for labels shuffled over clusters.",
        source="Hewitt & Liang (2019), EMNLP",
        failure_modes=("One shuffle: with few clusters the control varies by a tenth or more.",),
    ),
    Measure(
        name="probe_units",
        title="Units of a sparse probe",
        neutral=0,
        low=0,
        high=inf,
        unit="units",
        positive_means="The concept is readable from so many units.",
        formula="units with a weight in the sparsest L1 probe whose cross-validated balanced "
        "accuracy is within one standard error of the best.",
        source=_GOH,
        failure_modes=(
            "Units that go together replace each other: the set is not the only one.",
            "0 means that no probe did better than chance, not that the concept is absent.",
        ),
    ),
    Measure(
        name="probe_fixed_auroc",
        title="Held-out area of a probe of few units",
        neutral=0.5,
        low=0,
        high=1,
        unit="probability",
        positive_means="At most so many units as the setting says rank held-out clusters with the "
        "concept above others.",
        formula="as probe_auroc, by the same folds, of the L1 fit at the last step of the path "
        "before more units than wanted are used.",
        source=_GOH,
        failure_modes=(
            "What a probe can read, the model need not use.",
            "Comparable between concepts and models only where the number of units is the same.",
        ),
    ),
    Measure(
        name="probe_dense_auroc",
        title="Held-out area of a probe of all units",
        neutral=0.5,
        low=0,
        high=1,
        unit="probability",
        positive_means="All units of the layer together rank held-out clusters with the concept "
        "above others.",
        formula="as probe_auroc, by the same folds, of an L2 logistic probe of every unit.",
        source="Alain & Bengio (2017), ICLR workshop, arXiv 1610.01644",
        failure_modes=(
            "What a probe can read, the model need not use.",
            "With more units than clusters it can read almost anything: its distance to "
            "probe_auroc is what sparseness costs, and no more.",
        ),
    ),
    Measure(
        name="monosemanticity",
        title="Monosemanticity of a unit",
        neutral=nan,
        low=-1,
        high=1,
        unit="cosine",
        positive_means="Above its neutral value, the clusters of pictures that drive the unit are "
        "more alike, to a second model, than clusters in general.",
        formula="mean over pairs of clusters of the cosine of their embeddings in a second model, "
        "weighted by the product of the unit's responses to both, each unit scaled to lie between "
        "0 and 1; neutral is the mean cosine of all pairs.",
        source="Pach et al. (2025), arXiv 2504.02821",
        failure_modes=(
            "Depends on the second model and on what was shown: compare units of one arm only.",
            "The weakest cluster is the zero point: a unit that answers a little to everything "
            "scores near neutral.",
            "Has no interval: clusters are taken as given.",
        ),
    ),
    Measure(
        name="unit_difference",
        title="Difference of a unit's response",
        neutral=0,
        low=-inf,
        high=inf,
        unit="activation",
        positive_means="The unit responds more to the group than to the rest of its family.",
        formula="mean over the group's clusters minus the mean over the other concepts of the "
        "family of their means; Welch's interval over clusters.",
        source="docs/decisions: units describe a finding",
        failure_modes=("In the unit's own scale: not comparable between units.",),
    ),
    Measure(
        name="unit_contribution",
        title="Contribution of a unit",
        neutral=0,
        low=-inf,
        high=inf,
        unit="embedding length",
        positive_means="The unit ties the group to the harm.",
        formula="unit_difference x (read-out of the unit . direction of the harm from the "
        "controls), linearised.",
        source=_GOH,
        failure_modes=(
            "Linearised: attention that depends on the picture is left out.",
            "Describes a finding and has no p: only silencing the unit shows that it matters.",
        ),
    ),
)

MEASURES: dict[str, Measure] = {
    row.name: row for row in (*_ROWS, *SIMILARITY, *RETRIEVAL, *CHOICES, *PARITY)
}
"""Name -> definition; the names are the column ``measure`` of the tidy table."""
