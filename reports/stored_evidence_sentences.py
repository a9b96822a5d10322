"""Sentences about causes, probes and a second model that a result document carries in English.

See `reports.stored_unit_sentences` for how such patterns are written.
"""

from reports.messages import NP_

CAUSES = (
    NP_(
        "stored",
        "Silencing {units} it most, chosen on the other half of the stimuli, lowers the double "
        "difference from {before} by {drop} ({low} to {high}), which is {share} % of it, more "
        "than {percentile} % of {sets} matched sets of other units. {deciding} gives p = {p} by"
        " Holm over {tests} tested findings: at most {limit}.",
    ),
    NP_(
        "stored",
        "Silencing {units} it most, chosen on the other half of the stimuli, lowers the double "
        "difference from {before} by {drop} ({low} to {high}), which is {share} % of it, more "
        "than {percentile} % of {sets} matched sets of other units. {deciding} gives p = {p} by"
        " Holm over {tests} tested findings: not at most {limit}.",
    ),
    NP_(
        "stored",
        "Silencing {units} it most, chosen on the other half of the stimuli, lowers the double "
        "difference from {before} by {drop} ({low} to {high}), which is {share} % of it; no "
        "verdict, since {why}.",
    ),
    NP_("stored", "the {n} units of {layer} that carry"),
    NP_("stored", "the unit that carries"),
    NP_("stored", "The link itself, on this half against control packs,"),
    NP_("stored", "The comparison with matched sets"),
    NP_("stored", "The spread of the drop over clusters and terms"),
    NP_("stored", "Whether units carry the link could not be tested: {why}."),
    NP_(
        "stored",
        "Whether units carry the link could not be tested: it is not there on the half on which"
        " they were silenced (double difference {before}).",
    ),
    NP_(
        "stored",
        "the link was found in prompts alone, so the text tower carries it and no unit of the "
        "image tower can earn the mark",
    ),
    NP_("stored", "nothing that was silenced or steered changes anything"),
    NP_("stored", "nothing that was silenced has an effect"),
    NP_("stored", "there is no link to lower on the half that is measured"),
    NP_("stored", "its pictures are not at hand, only what the model made of them"),
    NP_("stored", "no layer of this model is read"),
    NP_("stored", "units of this model cannot be silenced: its tower is not at hand"),
    NP_("stored", "its spread is not known"),
    NP_(
        "stored",
        "each half needs two clusters of pictures of the group and one of another concept of "
        "its family; {own} clusters of the group and {others} concepts with two or more were "
        "shown",
    ),
    NP_("stored", "each half needs two terms of harm; the pack has {terms} in all"),
    NP_("stored", "silencing no single unit lowers the link on the half on which units are chosen"),
    NP_(
        "stored",
        "only {found} different sets of other units are like the chosen ones; {needed} are needed",
    ),
    NP_(
        "stored",
        "the chosen units move the embedding further than any like them: matched sets reach "
        "{reached} % of it, and {needed} % are needed",
    ),
    NP_("stored", "mean"),
    NP_("stored", "zero"),
    NP_("stored", "resample"),
)
"""What silencing units did (`audit.causal`)."""

PROBES = (
    NP_("stored", "the held-out score could not be had"),
    NP_("stored", "its held-out score does not clear chance, so its units are not shown"),
    NP_(
        "stored",
        "stability selection needs at least {least} clusters on each side; got {shown} with the"
        " label and {hidden} without",
    ),
    NP_(
        "stored",
        "a probe needs at least {least} clusters on each side; got {shown} with the label and "
        "{hidden} without",
    ),
    NP_(
        "stored",
        "reading a probe needs at least {least} clusters on each side; got {shown} with the "
        "label and {hidden} without",
    ),
    NP_(
        "stored",
        "A probe needs at least {least} clusters on each side; got {shown} with the concept and"
        " {hidden} without. Add terms or pictures.",
    ),
    NP_("stored", "no unit varies over the clusters"),
    NP_("stored", "no unit could be picked"),
    NP_("stored", "identity"),
    NP_("stored", "harm"),
    NP_("stored", "control"),
    NP_("stored", "harm to group"),
    NP_("stored", "group to harm"),
    NP_(
        "stored",
        "the probe does not tell its own side on held-out clusters, so there is nothing to "
        "transfer",
    ),
    NP_("stored", "all clusters are scored alike"),
    NP_(
        "stored",
        "this harm from control packs in {arm}, read on what tells the group from the rest of "
        "its family in {other}",
    ),
    NP_(
        "stored",
        "the group from the rest of its family in {arm}, read on what tells this harm from "
        "control packs in {other}",
    ),
    NP_(
        "stored",
        "No probe transfers between this harm and the group, of {read} that were read. The "
        "nearest, which tells {sides}: AUROC {auroc} ({low} to {high}), p = {p} against probes "
        "of shuffled labels by Holm. A link that other units carry does not transfer.",
    ),
    NP_(
        "stored",
        "No probe transfers between this harm and the group, of {read} that were read. The "
        "nearest, which tells {sides}: AUROC {auroc} ({low} to {high}), p = {p} against probes "
        "of shuffled labels by Holm. In {silent} more there was nothing to transfer. A link "
        "that other units carry does not transfer.",
    ),
    NP_(
        "stored",
        "A probe of {units} units of {layer} that tells {sides}: AUROC {auroc} ({low} to "
        "{high}), p = {p} against probes of shuffled labels by Holm over {read} such readings, "
        "of which {held} holds. It says that one direction serves both, not that the model uses"
        " it.",
    ),
    NP_(
        "stored",
        "A probe of {units} units of {layer} that tells {sides}: AUROC {auroc} ({low} to "
        "{high}), p = {p} against probes of shuffled labels by Holm over {read} such readings, "
        "of which {held} hold. It says that one direction serves both, not that the model uses "
        "it.",
    ),
    NP_(
        "stored",
        "Whether a probe of this harm also tells the group could not be tested: no picture or "
        "rendered word of both, with their controls and the family, was read at units.",
    ),
    NP_(
        "stored",
        "Whether a probe of this harm also tells the group could not be tested: {reasons}.",
    ),
)
"""What probes and their transfers say (`audit.concept_probes`, `audit.transfer_evidence`)."""

REPLICATION = (
    NP_("stored", "there"),
    NP_("stored", "not there"),
    NP_("stored", "open"),
    NP_(
        "stored",
        "Another model, {name}, shows this link too: {effects}. {carried} Another model is one "
        "more witness and no more: models may have learnt from the same data.",
    ),
    NP_(
        "stored",
        "Another model, {name}, does not show this link: {effects}; what was found here "
        "({here}) lies outside these limits. Another model is one more witness and no more: "
        "models may have learnt from the same data.",
    ),
    NP_("stored", "{effect} control SD in photos (limits {low} to {high})"),
    NP_("stored", "{effect} control SD in rendered words (limits {low} to {high})"),
    NP_("stored", "{effect} control SD in prompts (limits {low} to {high})"),
    NP_("stored", "{effect} control SD in {arm} (limits {low} to {high}), {rest}"),
    NP_("stored", "Whether the same units carry it cannot be told: {why}."),
    NP_(
        "stored",
        "{n} of the {asked} units that were asked about have a partner in it; the partners "
        "carry it there more than sets of other matched units, drawn at random (p = {p}).",
    ),
    NP_(
        "stored",
        "{n} of the {asked} units that were asked about have a partner in it; the partners do "
        "not carry it there more than sets of other matched units, drawn at random (p = {p}).",
    ),
    NP_(
        "stored",
        "the link was found in prompts alone, and prompts do not pass through units of the "
        "image tower",
    ),
    NP_("stored", "no unit has a partner"),
    NP_("stored", "no unit varies"),
    NP_("stored", "no unit of the link has a partner"),
    NP_("stored", "no other unit has a partner"),
    NP_("stored", "no unit of {layer} is known to carry the link here"),
    NP_("stored", "the group and its family were not shown together"),
    NP_(
        "stored",
        "no closed form from units of {layer} of the other model to its embedding is known",
    ),
    NP_("stored", "no layer of the audited model is read"),
    NP_("stored", "no layer of the second model is read"),
    NP_("stored", "too few pictures were shown to both models"),
    NP_("stored", "the model has no scores of this link in this arm"),
    NP_("stored", "not measured"),
    NP_("stored", "Replication in a second model, {name}"),
    NP_("stored", "there was no finding to look for in it"),
)
"""What a second model shows (`audit.run_replication`)."""

SENTENCES = (*CAUSES, *PROBES, *REPLICATION)
