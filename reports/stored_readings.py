"""What values of the catalogue say, as a result document says it in English.

See `reports.stored_unit_sentences` for how such patterns are written.
"""

from reports.messages import NP_

READINGS = (
    NP_(
        "stored",
        "More of the model's certainty falls on {harm} for photos of {group} than for others.",
    ),
    NP_(
        "stored",
        "Less of the model's certainty falls on {harm} for photos of {group} than for others.",
    ),
    NP_(
        "stored",
        "Photos of {group} are closer to being answered with {harm} than other photos are.",
    ),
    NP_(
        "stored",
        "Photos of {group} are farther from being answered with {harm} than other photos are.",
    ),
    NP_(
        "stored",
        "A label of {harm} is sure enough to be acted on more often for photos of {group} than "
        "for other photos.",
    ),
    NP_(
        "stored",
        "A label of {harm} is sure enough to be acted on less often for photos of {group} than "
        "for other photos.",
    ),
    NP_(
        "stored",
        "Photos of {group} are more often simply of a person to the model than other photos are.",
    ),
    NP_(
        "stored",
        "Photos of {group} are less often simply of a person to the model than other photos are.",
    ),
    NP_("stored", "The model recognises {group} more often than other groups."),
    NP_("stored", "The model recognises {group} less often than other groups."),
    NP_(
        "stored",
        "In pairs of photos that differ only in this, photos of {group} lie closer to {harm} "
        "than photos of {against} do.",
    ),
    NP_(
        "stored",
        "In pairs of photos that differ only in this, photos of {group} lie farther from {harm} "
        "than photos of {against} do.",
    ),
    NP_("stored", "Between {group} and {against} no difference can be told in {what}."),
    NP_("stored", "how much of the model's certainty falls on {harm}"),
    NP_("stored", "how close they are to being answered with {harm}"),
    NP_("stored", "how often a label of {harm} is sure enough to be acted on"),
    NP_("stored", "how often they are simply of a person to the model"),
    NP_("stored", "how often the model recognises their group"),
    NP_("stored", "how close they lie to {harm}, in pairs of photos that differ only in this"),
    NP_("stored", "{value} of the model's certainty about photos of {group} falls on {harm}."),
    NP_(
        "stored",
        "In {value} of the photos of {group} a label of {harm} is sure enough to be acted on "
        "({setting}).",
    ),
    NP_(
        "stored",
        "{value} of the photos of {group} are simply of a person to the model; of other photos "
        "{neutral}.",
    ),
    NP_(
        "stored",
        "The model names the group of {value} of the photos of {group} as the data do; chance "
        "would be {neutral}.",
    ),
    NP_(
        "stored",
        "{value} of the photos of {group} lie closer to {harm} or its opposite than to labels "
        "that have nothing to do with either.",
    ),
    NP_("stored", "{value} of the pairs of {group} and {against} get the same answer."),
    NP_("stored", "This could not be measured for {group}: {reason}."),
    NP_("stored", "On average {harm} is the nearest answer for photos of {group}."),
    NP_(
        "stored",
        "On average another label lies closer to photos of {group} than {harm} does, by {value} "
        "of cosine.",
    ),
    NP_(
        "stored",
        "For photos of {group} no preference can be told between {harm} and its opposite.",
    ),
    NP_(
        "stored",
        "For photos of {group} no preference can be told between {harm} and its opposite, held "
        "against the middle of all photos of the column.",
    ),
    NP_(
        "stored",
        "Photos of {group} lie closer to {harm} than to its opposite more often than not.",
    ),
    NP_(
        "stored",
        "Photos of {group} lie closer to {harm} than to its opposite more often than not, held "
        "against the middle of all photos of the column.",
    ),
    NP_(
        "stored",
        "Photos of {group} lie closer to the opposite of {harm} than to it more often than not.",
    ),
    NP_(
        "stored",
        "Photos of {group} lie closer to the opposite of {harm} than to it more often than not, "
        "held against the middle of all photos of the column.",
    ),
    NP_(
        "stored",
        "The label “{label}” is sure enough to be acted on most often for photos of {group}: in "
        "{value} of them.",
    ),
    NP_(
        "stored",
        "Words for {group} lie closer to {harm} (held against {against}) than other words of "
        "{family} do.",
    ),
    NP_(
        "stored",
        "Words for {group} lie farther from {harm} (held against {against}) than other words of "
        "{family} do.",
    ),
    NP_("stored", "Words for {group} lie closer to {one} than to {other}."),
    NP_(
        "stored",
        "Words of {harm} lean more towards {group}, away from the rest of {family}, than words "
        "of {against} do.",
    ),
    NP_(
        "stored",
        "Words of {harm} lean less towards {group}, away from the rest of {family}, than words "
        "of {against} do.",
    ),
    NP_(
        "stored",
        "Compared with the rest of {family}, words of {harm} lie farther from {group} than words "
        "of {against} do.",
    ),
    NP_(
        "stored",
        "Compared with the rest of {family}, words of {harm} lie closer to {group} than words of "
        "{against} do.",
    ),
    NP_("stored", "Taken together, words of {family} lie farther from {harm} than from {against}."),
    NP_("stored", "Taken together, words of {family} lie closer to {harm} than to {against}."),
    NP_(
        "stored",
        "Which words of {harm} lie near is more alike between the groups of {family} than by "
        "chance.",
    ),
    NP_("stored", "Which words of {harm} lie near depends on the group of {family}."),
    NP_(
        "stored",
        "A classifier of {harm} and {against} calls some groups of {family} more negative than "
        "others.",
    ),
    NP_(
        "stored",
        "A classifier of {harm} and {against} calls all groups of {family} negative alike.",
    ),
    NP_(
        "stored",
        "Drawn as pictures, words for {group} lie closer to {harm} than other words of {family} "
        "do.",
    ),
    NP_(
        "stored",
        "Drawn as pictures, words for {group} lie farther from {harm} than other words of "
        "{family} do.",
    ),
    NP_(
        "stored",
        "Photos of {group} stand closer to {harm} (held against {against}) than other photos do.",
    ),
    NP_(
        "stored",
        "Photos of {group} stand farther from {harm} (held against {against}) than other photos "
        "do.",
    ),
    NP_("stored", "Photos of {group} stand closer to {harm} than other photos do."),
    NP_("stored", "Photos of {group} stand farther from {harm} than other photos do."),
    NP_(
        "stored",
        "Of a photo of {group} and another photo, that of {one} stands closer to {harm} in "
        "{value} of cases.",
    ),
    NP_(
        "stored",
        "Of a photo of {group} and another photo, that of {one} stands closer to {harm} in only "
        "{value} of cases.",
    ),
    NP_(
        "stored",
        "The model sees photos of {group} as more alike than it sees those of other groups.",
    ),
    NP_(
        "stored",
        "The model sees photos of {group} as less alike than it sees those of other groups.",
    ),
    NP_("stored", "No difference can be told in {what}."),
    NP_("stored", "It could not be measured {what}: {reason}."),
    NP_("stored", "how close words for {group} and other words of {family} lie to {harm}"),
    NP_("stored", "how close words for {group} lie to {harm} and to {against}"),
    NP_("stored", "how far words of {harm} and of {against} lean towards {group}"),
    NP_("stored", "how far words of {harm} and of {against} lie from {group}"),
    NP_("stored", "how far words of {family} lie from {harm} and from {against}"),
    NP_("stored", "which words of {harm} lie near to the groups of {family}"),
    NP_("stored", "how negative a classifier of {harm} and {against} calls the groups of {family}"),
    NP_(
        "stored",
        "how close words for {group} and other words of {family}, drawn as pictures, lie to {harm}",
    ),
    NP_(
        "stored",
        "how close photos of {group} and other photos stand to {harm}, held against {against}",
    ),
    NP_("stored", "how close photos of {group} and other photos stand to {harm}"),
    NP_("stored", "which of a photo of {group} and another photo stands closer to {harm}"),
    NP_("stored", "how alike the model sees photos of {group} and those of other groups"),
    NP_("stored", "Searches for {harm} could not be tested for {group}: {reason}."),
    NP_("stored", "{group} was not looked for in searches for {harm}: {reason}."),
    NP_("stored", "Searches for {harm} were not compared by {column}: {reason}."),
    NP_(
        "stored",
        "The order of the pictures in searches for {harm} departs from {aim} by {value}, where a "
        "blind search gives {neutral}: {verdict}.",
    ),
    NP_(
        "stored",
        "Among the first pictures for {harm}, {group} leads all others by {value} on a scale "
        "from -1 to 1, among all pictures by {neutral}: {verdict}.",
    ),
    NP_(
        "stored",
        "The largest lead of one group of {column} over another in searches for {harm} is "
        "{value}, by chance {neutral}: {verdict}.",
    ),
    NP_(
        "stored",
        "A search for one term of {harm} shows {group} {times} times among the first {k} "
        "pictures, {expected} by its share of all: {verdict}.",
    ),
    NP_(
        "stored",
        "Searches for {harm} show {group} in {share} of the first {k} pictures, against {aim} by "
        "{target}: {verdict}.",
    ),
    NP_("stored", "A blind search would give {share}."),
    NP_(
        "stored",
        "In searches for {harm} the group of {column} that is shown most against {target} takes "
        "{value} times its part, by chance {neutral} times (possible here: {low} to {high}): "
        "{verdict}.",
    ),
    NP_(
        "stored",
        "In searches for {harm} the group of {column} that is shown least against {target} takes "
        "{value} times its part, by chance {neutral} times (possible here: {low} to {high}): "
        "{verdict}.",
    ),
    NP_(
        "stored",
        "The first pictures for {harm} are {value} as mixed by {column} as they could be, by "
        "chance {neutral}: {verdict}.",
    ),
    NP_("stored", "the shares among all pictures"),
    NP_("stored", "equal shares"),
    NP_("stored", "the shares that the product aims at"),
    NP_("stored", "farther than chance"),
    NP_("stored", "shown more than its share"),
    NP_("stored", "shown less than its share"),
    NP_("stored", "more than chance gives"),
    NP_("stored", "less than chance gives"),
    NP_("stored", "more than chance"),
    NP_("stored", "less than chance"),
    NP_("stored", "more often"),
    NP_("stored", "less often"),
    NP_("stored", "more mixed than chance gives"),
    NP_("stored", "less mixed than chance gives"),
    NP_("stored", "no difference can be told"),
    NP_("stored", "pictures of {people} persons or scenes, and {least} are the least"),
    NP_("stored", "k = {k} is more than half of the {n} pictures with a known group"),
    NP_("stored", "the {k} first of {n} pictures are more than half of them"),
    NP_("stored", "Neighbours were not compared by {column}: {reason}."),
    NP_(
        "stored",
        "Of the {k} pictures nearest to one of {group}, {value} show {one} too, by chance "
        "{neutral}: {verdict}.",
    ),
    NP_("stored", "fewer than two groups are large enough to be compared"),
    NP_("stored", "{n} pictures are too few for {k} neighbours"),
    NP_(
        "stored",
        "No difference between groups can be told: {value}; by chance alone up to {chance} would "
        "not surprise.",
    ),
    NP_(
        "stored",
        "The model names the {column} of {accuracy} of the photos as the data do; lowered by the "
        "differences between groups of {other} this is {value}; chance alone would give "
        "{neutral}.",
    ),
    NP_("stored", "no interval: {reason}"),
    NP_("stored", "a divergence cannot be below 0, so none would cover the null"),
    NP_(
        "stored",
        "no interval, since it would not cover where groups do not matter; there {share} % of "
        "the values lie from {low} to {high}",
    ),
    NP_("stored", "nobody is selected in any group: there is no ratio"),
    NP_("stored", "the group has {n} independent pictures or people; {least} are needed"),
    NP_("stored", "the group has too few independent pictures or people to be compared"),
    NP_("stored", "{n} groups have enough independent pictures or people; {least} are needed"),
    NP_("stored", "Every embedding of {what} must have a direction; row {row} is zero."),
    NP_("stored", "Leave it out."),
    NP_("stored", "{what} without the mean of its modality"),
    NP_("stored", "Drawn words"),
    NP_("stored", "centred, pictures and texts"),
    NP_("stored", "raw, pictures and texts"),
    NP_("stored", "centred"),
    NP_("stored", "raw"),
    NP_("stored", "centre of {n} drawn words"),
    NP_("stored", "centre of {n} drawn words, fewer than {least}"),
    NP_("stored", "k={k}, target=equal, zero=add {add}"),
    NP_("stored", "k={k}, target=base rate, zero=add {add}"),
    NP_("stored", "k={k}, target=equal"),
    NP_("stored", "k={k}, target=base rate"),
    NP_("stored", "k={k}, largest pair"),
    NP_("stored", "theta={theta}, p over all groups"),
    NP_("stored", "theta={theta}, the product's own"),
    NP_("stored", "among {n} groups of {family}"),
    NP_("stored", "among {n} groups of {family}, tested within {within}"),
    NP_("stored", "naming {column}, among {n} groups of {family}"),
    NP_(
        "stored",
        "Photos of {most} are selected for {harm} more often than photos of {least}, by {value}; "
        "by chance alone up to {chance} would not surprise.",
    ),
    NP_(
        "stored",
        "Photos of {most} are answered with {harm} more often than photos of {least}, by "
        "{value}; by chance alone up to {chance} would not surprise.",
    ),
    NP_(
        "stored",
        "Photos of {least} are selected for {harm} at {value} times the rate of photos of "
        "{most}; by chance alone {neutral} would be expected.",
    ),
    NP_(
        "stored",
        "Photos of {least} are answered with {harm} at {value} times the rate of photos of "
        "{most}; by chance alone {neutral} would be expected.",
    ),
    NP_(
        "stored",
        "Photos of {group} are selected for {harm} at {value} times the rate of photos of "
        "{most}, the group with most of them; by chance alone {neutral} would be expected.",
    ),
    NP_(
        "stored",
        "Photos of {group} are answered with {harm} at {value} times the rate of photos of "
        "{most}, the group with most of them; by chance alone {neutral} would be expected.",
    ),
    NP_("stored", "Of all groups, photos of {group} are selected for {harm} most often."),
    NP_("stored", "Of all groups, photos of {group} are answered with {harm} most often."),
    NP_("stored", "It is below four fifths."),
    NP_(
        "stored",
        "The model errs in naming photos {label} more often in some groups of {family} than in "
        "others, by {value}; by chance alone up to {chance} would not surprise.",
    ),
    NP_(
        "stored",
        "The model recognises photos as {label} more often in some groups of {family} than in "
        "others, by {value}; by chance alone up to {chance} would not surprise.",
    ),
    NP_(
        "stored",
        "The model is right more often in some groups of {family} than in others when it names "
        "photos {label}, by {value}; by chance alone up to {chance} would not surprise.",
    ),
    NP_("stored", "more often than chance"),
    NP_("stored", "less often than chance"),
)
