"""Which question each measure of the catalogue asks: the order in which a report tells them."""

from dataclasses import dataclass

from reports.messages import N_


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Measures that ask one question."""

    title: str
    lead: str
    measures: tuple[str, ...] = ()
    """Names, as in the column ``measure`` of the tables."""


THEMES = (
    Theme(
        title=N_("Association in embedding space"),
        lead=N_("How close groups and harms lie inside the model, before anything is asked of it."),
        measures=(
            "weat",
            "sc_weat",
            "cross_modal_eat",
            "word_image_cosine",
            "ripa",
            "mac",
            "ect",
            "rnd",
            "rnsb",
            "self_similarity",
            "self_similarity_gap",
            "c_asc",
            "auroc_association",
        ),
    ),
    Theme(
        title=N_("Ranking"),
        lead=N_("Whom a search shows first: the share of each group among the nearest pictures."),
        measures=(
            "skew",
            "max_skew",
            "min_skew",
            "ndkl",
            "normalised_entropy",
            "bias_at_k",
            "absolute_bias_at_k",
            "parity_test",
            "same_attribute_precision",
        ),
    ),
    Theme(
        title=N_("Choices"),
        lead=N_(
            "What the model answers, or how much weight it gives, when it must choose a label."
        ),
        measures=(
            "argmax_rate",
            "argmax_gap",
            "harm_mass",
            "harm_mass_gap",
            "harm_margin",
            "harm_margin_gap",
            "threshold_exceedance",
            "threshold_exceedance_gap",
            "markedness",
            "markedness_gap",
            "resolution_accuracy",
            "resolution_gap",
            "stereotype_score",
            "stereotype_relevance",
            "counterfactual_gap",
            "counterfactual_consistency",
        ),
    ),
    Theme(
        title=N_("Parity of decisions"),
        lead=N_("How evenly decisions and their errors fall on the groups."),
        measures=(
            "demographic_parity_difference",
            "demographic_parity_ratio",
            "impact_ratio",
            "equalised_odds_difference",
            "equal_opportunity_difference",
            "predictive_parity_difference",
            "equity_scaled_score",
        ),
    ),
)
"""In order; a measure that none of them names is told last."""

OTHERS = Theme(
    title=N_("Other measures"), lead=N_("Measures that ask none of the questions above.")
)

LOWER_IS_WORSE = frozenset(
    {
        "mac",
        "ect",
        "rnd",
        "min_skew",
        "normalised_entropy",
        "stereotype_relevance",
        "counterfactual_consistency",
        "resolution_accuracy",
        "demographic_parity_ratio",
        "impact_ratio",
        "equity_scaled_score",
    }
)
"""Measures of distance, evenness or rightness: what falls short of neutral is told first."""

HIGHER_IS_WORSE = frozenset({"max_skew"})
"""Measures whose bounds suggest two directions and that have one."""

WRITTEN_PLAIN = frozenset({"bias_at_k", "absolute_bias_at_k"})
"""Measures that count in shares and that the field writes as plain numbers."""
