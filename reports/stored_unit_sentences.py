"""Sentences about units that a result document carries in English.

They are worded in `audit` when an audit is made, and stay English in the document. Here each is a
pattern: what changes from audit to audit is a hole, and what fills a hole is looked up here again,
so that clauses need one entry. A pattern begins or ends with words of its own, as a hole alone
would take in any sentence. `reports.messages.stored` says them in the language of a report.
"""

from reports.messages import NP_

STORIES = (
    NP_("stored", "more"),
    NP_("stored", "less"),
    NP_("stored", "not clearly more or less"),
    NP_("stored", "photos"),
    NP_("stored", "rendered words"),
    NP_("stored", "prompts"),
    NP_("stored", "photos and rendered words"),
    NP_("stored", "photos and prompts"),
    NP_("stored", "rendered words and prompts"),
    NP_("stored", "photos, rendered words and prompts"),
    NP_("stored", "“{first}” and “{last}”"),
    NP_("stored", "“{first}”, “{second}” and “{last}”"),
    NP_(
        "stored",
        "correlation {value}, {low} to {high}; lift {lift}; place {place} of {known} concepts",
    ),
    NP_("stored", "correlation {value}; lift {lift}; place {place} of {known} concepts"),
    NP_("stored", "correlation {value}, {low} to {high}; place {place} of {known} concepts"),
    NP_("stored", "correlation {value}; place {place} of {known} concepts"),
    NP_("stored", "weight in SD {value}, {low} to {high}; place {place} of {known} concepts"),
    NP_("stored", "weight in SD {value}; place {place} of {known} concepts"),
    NP_("stored", "It answers {way} to {arm} of {who} than to other {others} ({numbers})."),
    NP_("stored", "It answers {way} to {arm} of {who} than to other {others} ({numbers}); {rest}."),
    NP_("stored", "it answers {way} to {arm} of {who} than to other {others} ({numbers})"),
    NP_("stored", "it answers {way} to {arm} of {who} than to other {others} ({numbers}); {rest}"),
    NP_("stored", "prompts about {who} ask for it {way} than prompts on average do ({numbers})"),
    NP_("stored", "Prompts about {who} ask for it {way} than prompts on average do ({numbers})."),
    NP_("stored", "for {arm} of {who} it cannot be told, since {why}"),
    NP_("stored", "for {arm} of {who} it cannot be told, since {why}; {rest}"),
    NP_("stored", "For {arm} of {who} it cannot be told, since {why}."),
    NP_("stored", "For {arm} of {who} it cannot be told, since {why}; {rest}."),
    NP_("stored", "No picture of {who} was shown, so how it answers to them is not known."),
    NP_("stored", "Only {arms} show what it answers to; no other modality was compared."),
    NP_(
        "stored",
        "Modalities agree on {names}, among the strongest three concepts in {arms} alike.",
    ),
    NP_(
        "stored",
        "Modalities agree on {names}, among the strongest three concepts in {arms} alike (by "
        "chance in {chance} % of units).",
    ),
    NP_(
        "stored",
        "No concept is among the strongest three in {arms} alike: modalities do not agree.",
    ),
    NP_("stored", "No concept is among the strongest three in {arms} alike; {pairs}."),
    NP_("stored", "{arms} share {names} (by chance in {chance} % of units)"),
    NP_("stored", "{arms} share {names} (by chance in {chance} % of units); {rest}"),
    NP_("stored", "The difference between {who} and the rest of the family is {kind}."),
    NP_("stored", "seen and read: it shows in photos and in rendered words alike"),
    NP_("stored", "seen: it shows in photos, and in rendered words none stands out"),
    NP_("stored", "read: it shows in rendered words, and in photos none stands out"),
    NP_("stored", "opposed: it shows in photos and in rendered words with opposite signs"),
    NP_(
        "stored",
        "It contributes {value} ({low} to {high}) to the link of “{group}” with “{harm}” "
        "({finding}), {share} % of {total}, on {own} {arm} of the group and {others} of the "
        "rest of its family, number {place} of {units} units.",
    ),
    NP_(
        "stored",
        "It contributes {value} ({low} to {high}) to the link of “{group}” with “{harm}” "
        "({finding}), {share} % of {total}, on {own} {arm} of the group and {others} of the "
        "rest of its family, number {place} of {units} units; the link was not found in "
        "{shown}.",
    ),
    NP_(
        "stored",
        "It contributes {value} ({low} to {high}) to the link of “{group}” with “{harm}” "
        "({finding}), on {own} {arm} of the group and {others} of the rest of its family, "
        "number {place} of {units} units.",
    ),
    NP_(
        "stored",
        "It contributes {value} ({low} to {high}) to the link of “{group}” with “{harm}” "
        "({finding}), on {own} {arm} of the group and {others} of the rest of its family, "
        "number {place} of {units} units; the link was not found in {shown}.",
    ),
    NP_(
        "stored",
        "It contributes {value} to the link of “{group}” with “{harm}” ({finding}), {share} % "
        "of {total}, on {own} {arm} of the group and {others} of the rest of its family, number"
        " {place} of {units} units.",
    ),
    NP_(
        "stored",
        "It contributes {value} to the link of “{group}” with “{harm}” ({finding}), {share} % "
        "of {total}, on {own} {arm} of the group and {others} of the rest of its family, number"
        " {place} of {units} units; the link was not found in {shown}.",
    ),
    NP_(
        "stored",
        "It contributes {value} to the link of “{group}” with “{harm}” ({finding}), on {own} "
        "{arm} of the group and {others} of the rest of its family, number {place} of {units} "
        "units.",
    ),
    NP_(
        "stored",
        "It contributes {value} to the link of “{group}” with “{harm}” ({finding}), on {own} "
        "{arm} of the group and {others} of the rest of its family, number {place} of {units} "
        "units; the link was not found in {shown}.",
    ),
    NP_(
        "stored",
        "By itself it takes {value} from the link of “{group}” with “{harm}” ({finding}), on "
        "{own} {arm} of the group and {others} of the rest of its family, number {place} of "
        "{units} units.",
    ),
    NP_(
        "stored",
        "By itself it takes {value} from the link of “{group}” with “{harm}” ({finding}), on "
        "{own} {arm} of the group and {others} of the rest of its family, number {place} of "
        "{units} units; the link was not found in {shown}.",
    ),
    NP_(
        "stored",
        "By itself it takes {value} ({low} to {high}) from the link of “{group}” with “{harm}” "
        "({finding}), on {own} {arm} of the group and {others} of the rest of its family, "
        "number {place} of {units} units.",
    ),
    NP_(
        "stored",
        "By itself it takes {value} ({low} to {high}) from the link of “{group}” with “{harm}” "
        "({finding}), on {own} {arm} of the group and {others} of the rest of its family, "
        "number {place} of {units} units; the link was not found in {shown}.",
    ),
    NP_(
        "stored",
        "What it contributes to the link of “{group}” with “{harm}” ({finding}) is not known: "
        "{why}.",
    ),
    NP_(
        "stored",
        "It answers alike to every picture and contributes nothing to the link of “{group}” "
        "with “{harm}” ({finding}).",
    ),
    NP_("stored", "It was not among the units that were silenced together."),
    NP_("stored", "When it alone is silenced, the link falls by {change}, {share} % of it."),
    NP_("stored", "When it alone is silenced, the link falls by {change}."),
    NP_("stored", "When it alone is silenced, the link rises by {change}, {share} % of it."),
    NP_("stored", "When it alone is silenced, the link rises by {change}."),
    NP_(
        "stored",
        "When it is silenced with {n} others, on pictures that did not choose them, the link "
        "falls by {change} ({low} to {high}), {share} % of it, {verdict}.",
    ),
    NP_(
        "stored",
        "When it is silenced with {n} other, on pictures that did not choose them, the link "
        "falls by {change} ({low} to {high}), {share} % of it, {verdict}.",
    ),
    NP_(
        "stored",
        "When it is silenced, on pictures that did not choose them, the link falls by {change} "
        "({low} to {high}), {share} % of it, {verdict}.",
    ),
    NP_("stored", "more than when matched sets of other units are silenced: marked causal"),
    NP_("stored", "which does not earn the mark causal"),
    NP_("stored", "It also carries the link of “{group}” with “{harm}” ({finding})."),
    NP_(
        "stored",
        "It also carries the link of “{group1}” with “{harm1}” ({finding1}), {share1} % of it.",
    ),
    NP_(
        "stored",
        "It also carries the link of “{group1}” with “{harm1}” ({finding1}), {share1} % of it "
        "and the link of “{group2}” with “{harm2}” ({finding2}), {share2} % of it.",
    ),
    NP_(
        "stored",
        "It also carries the link of “{group1}” with “{harm1}” ({finding1}), {share1} % of it, "
        "the link of “{group2}” with “{harm2}” ({finding2}), {share2} % of it and the link of "
        "“{group3}” with “{harm3}” ({finding3}), {share3} % of it.",
    ),
    NP_(
        "stored",
        "It also carries the link of “{group1}” with “{harm1}” ({finding1}), {share1} % of it, "
        "the link of “{group2}” with “{harm2}” ({finding2}), {share2} % of it, the link of "
        "“{group3}” with “{harm3}” ({finding3}), {share3} % of it and the link of “{group4}” "
        "with “{harm4}” ({finding4}), {share4} % of it.",
    ),
    NP_("stored", "It is not a unit for {who} alone: in {arm} it also answers to {names}."),
    NP_("stored", "It is not a unit for {who} alone: in {arm} it answers more to {names}."),
    NP_("stored", "it was not taken apart"),
)
"""What a page of a unit tells of it (`audit.unit_story`)."""

PAGES = (
    NP_(
        "stored",
        "{finding}: measured on {own} of {all} pictures of the group and {others} of "
        "{others_all} of the rest of its family.",
    ),
    NP_(
        "stored",
        "The link on them, {total}, is the sum of all units of {layer}, {units}, and of {parts}.",
    ),
    NP_("stored", "positional embedding {value}, {rest}"),
    NP_("stored", "biases {value}, {rest}"),
    NP_("stored", "rest of the layer {value}, {rest}"),
    NP_("stored", "earlier layers {value}, {rest}"),
    NP_("stored", "later layers {value}, {rest}"),
    NP_("stored", "constant {value}"),
    NP_("stored", "{finding}: no contributions, since {why}."),
    NP_("stored", "no pictures of this group and of another one of its family were shown"),
    NP_("stored", "this model cannot be taken apart: its tower is not at hand"),
    NP_("stored", "a picture can no longer be read: {error}"),
    NP_(
        "stored",
        "No curve and no examples of {arm}: it gives the same response to every picture.",
    ),
    NP_("stored", "it gives the same response to every picture"),
    NP_("stored", "the unit gives the same response to every cluster"),
    NP_(
        "stored",
        "Pictures that denote, show or may show somebody under 20 are left out of this page, "
        "since a harm on it sexualises.",
    ),
    NP_("stored", "not silenced alone: the model cannot be opened"),
    NP_("stored", "not silenced alone"),
    NP_("stored", "there is no link on these pictures"),
    NP_("stored", "its interval is not known"),
    NP_("stored", "it is not defined for so few clusters"),
    NP_("stored", "prompts do not differ on this unit"),
    NP_("stored", "not measured in this arm"),
    NP_("stored", "the unit does not vary"),
    NP_("stored", "the picture can no longer be read"),
    NP_(
        "stored",
        "terms of harms of severity 3 and up, and contested terms, are not shown as pictures",
    ),
    NP_(
        "stored",
        "a picture that may show somebody under 20 is never shown where a harm sexualises",
    ),
    NP_("stored", "pictures of a concept that sexualises are not shown"),
    NP_("stored", "pictures that show or may show people are off in this plan"),
    NP_("stored", "blurred, since it shows or may show people"),
    NP_(
        "stored",
        "No pictures were drawn: this model cannot be drawn from, its tower is not at hand.",
    ),
    NP_("stored", "No pictures were drawn: {error}"),
    NP_("stored", "No picture was drawn as written text: too few photos to learn it from."),
    NP_(
        "stored",
        "No picture was drawn as written text: the probe of {layer} that should tell it does "
        "not tell photos with a word on them from those without, AUROC {auroc}.",
    ),
    NP_(
        "stored",
        "What is drawn as text follows a probe of {layer} that tells photos with a word on them"
        " from those without: AUROC {auroc} ({low} to {high}) on held-out ones, {count} of "
        "each.",
    ),
    NP_(
        "stored",
        "Not a unit: direction {direction} of the file {file}, of length 1 in {used} of {all} "
        "units of {layer}.",
    ),
    NP_(
        "stored",
        "Not a unit: direction {direction} of the file {file}, which the file calls {called}, "
        "of length 1 in {used} of {all} units of {layer}.",
    ),
    NP_(
        "stored",
        "Ranked on {arm} by double difference of activation times the harm direction's "
        "linearised weight on the unit. They describe the link; they do not decide it.",
    ),
    NP_("stored", "No picture or rendered word of this group and its family was shown."),
    NP_(
        "stored",
        "No closed form from units to the embedding is known for the layers that were read.",
    ),
    NP_("stored", "Names of units are published for {known} of OpenAI only."),
    NP_("stored", "{layer} does not have the units of {published}."),
)
"""What a page of a unit could not have, and why (`audit.unit_page` and its neighbours)."""

SENTENCES = (*STORIES, *PAGES)
