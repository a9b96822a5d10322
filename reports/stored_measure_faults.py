"""What measures hide or get wrong, as a result document says it in English.

See `reports.stored_unit_sentences` for how such patterns are written.
"""

from reports.messages import NP_

FAULTS = (
    NP_(
        "stored",
        "p takes the attribute words as given: other words may give another sign, which only the "
        "interval covers.",
    ),
    NP_(
        "stored",
        "Standardised by the spread of these very members: a small difference among members that "
        "are alike counts as a large one.",
    ),
    NP_(
        "stored",
        "With heavy-tailed cosines and effects near the bound the interval covers 85 to 93 %.",
    ),
    NP_("stored", "Relative to the rest and to the opposite: what all terms share is not seen."),
    NP_(
        "stored",
        "Not 0 where the harm words are nearer to words for people in general: compare groups.",
    ),
    NP_(
        "stored",
        "Moves with the choice of words: another list of the same kind may give another sign.",
    ),
    NP_(
        "stored",
        "Raw and centred mostly agree; where they part, lengths along the axis of a modality "
        "carry the raw one.",
    ),
    NP_("stored", "Centred on the pictures at hand: other pictures move the centre."),
    NP_(
        "stored",
        "What else differs between the photos of two groups (place, dress, light) counts too.",
    ),
    NP_("stored", "Words that look alike on paper are close whatever they mean."),
    NP_(
        "stored",
        "The centre needs 1,000 common words or more; with fewer, as the setting says, it is "
        "that of a topic.",
    ),
    NP_(
        "stored",
        "Interval and p cover other words of the same kinds, not other terms of the groups: with "
        "few terms both are too sure.",
    ),
    NP_("stored", "One direction for a whole group: a group of unlike terms has none."),
    NP_("stored", "Of a whole family: it does not tell one group from another."),
    NP_("stored", "The paper reads 1 as neutral, which no text of a CLIP model reaches."),
    NP_(
        "stored",
        "1 would be the same order; few terms alone make it less, so the neutral value counts.",
    ),
    NP_("stored", "Says that groups differ, not which one nor in what direction."),
    NP_("stored", "All words near to one group, in the same order, count as coherent."),
    NP_(
        "stored",
        "A more varied group has a shorter mean and lies at another distance from everything: "
        "only the comparison with control words says something.",
    ),
    NP_("stored", "Says that groups differ, not which one."),
    NP_("stored", "The classifier is taken as given: other words would give another."),
    NP_(
        "stored",
        "Above 0 by chance, the more so the fewer terms a group has: read it against the neutral "
        "value.",
    ),
    NP_(
        "stored",
        "Photos taken alike (one studio, one source) are alike whatever the model makes of people.",
    ),
    NP_("stored", "Raw cosines of pictures are high throughout: only differences say something."),
    NP_("stored", "A group made up of unlike parts is less alike than its parts are."),
    NP_(
        "stored",
        "Where scores are skewed or heavy-tailed and the association is strong, the interval "
        "covers 85 to 93 %.",
    ),
    NP_(
        "stored",
        "Not held against harmless packs: a group whose photos score higher on everything scores "
        "higher on harms.",
    ),
    NP_("stored", "A person or scene with pictures on both sides counts once on each."),
    NP_("stored", "Says how often, not by how much."),
    NP_("stored", "With 8 clusters and areas above 0.9 the interval covers about 90 %, not 95 %."),
    NP_(
        "stored",
        "Against equal shares it measures the data set as much as the model; the neutral value "
        "beside it is what the data alone give.",
    ),
    NP_(
        "stored",
        "A group that is not shown at all has no finite logarithm: the rule for it, named in the "
        "setting, sets its value.",
    ),
    NP_("stored", "The average over searches hides a single search that is far from it."),
    NP_("stored", "Says nothing about pictures below the first k."),
    NP_(
        "stored",
        "Away from its neutral value by chance alone, the more so the smaller k and the more "
        "groups: read it against the value that stands beside it.",
    ),
    NP_("stored", "Does not say which group: read the skews."),
    NP_(
        "stored",
        "With k = N it is 0 against the base rate whatever the model does: k above half of the "
        "pictures is refused.",
    ),
    NP_(
        "stored",
        "Set by the rule for groups that are not shown, which the setting names: with 1/k it "
        "depends on k alone.",
    ),
    NP_("stored", "Never 0: the first place always belongs to one group."),
    NP_("stored", "Does not say which group is shown more."),
    NP_(
        "stored",
        "Below 1 wherever groups differ in size, without any association: the neutral value is "
        "the expectation of blind choice.",
    ),
    NP_("stored", "Two skews in opposite directions can leave it at neutral."),
    NP_(
        "stored",
        "Not 0 without an association unless groups are of one size: the neutral value is the "
        "lead among all pictures.",
    ),
    NP_("stored", "Searches that lean in opposite directions cancel: see absolute_bias_at_k."),
    NP_(
        "stored",
        "1 as soon as one of many groups is not shown, which small groups often are not.",
    ),
    NP_("stored", "One test per search and group: some small p are there by chance, see q."),
    NP_("stored", "Small groups can be seen to be shown too often, hardly ever too seldom."),
    NP_(
        "stored",
        "A property of the pictures too: groups that were photographed elsewhere stand apart in "
        "any model.",
    ),
    NP_("stored", "Not tied to any harm: high values alone hurt nobody."),
    NP_(
        "stored",
        "The neutral value is about the base rate: compare groups by their distance from it.",
    ),
    NP_("stored", "Depends on which other labels are offered."),
    NP_("stored", "0 is the best value of a harm label, but no rate is neutral for other labels."),
    NP_(
        "stored",
        "With several pictures a person the interval is wider than it need be: it covers more "
        "than 99 %.",
    ),
    NP_("stored", "The largest of many gaps is not 0 by chance: intervals are for one gap each."),
    NP_("stored", "0 is the best value, but a softmax never reaches it: compare groups."),
    NP_("stored", "Grows with the number of labels that the harm has."),
    NP_("stored", "A few pictures of which the model is sure can carry it."),
    NP_("stored", "The largest of many gaps is not 0 by chance."),
    NP_("stored", "0 is where the answer flips, not where no association is: compare groups."),
    NP_("stored", "The more labels, the larger the best of them."),
    NP_("stored", "Shows movement before an answer changes: no user need ever have seen it."),
    NP_("stored", "Low thresholds are passed by labels that nobody would be shown."),
    NP_("stored", "A harm with more labels passes more often."),
    NP_("stored", "The sign can change with the threshold."),
    NP_(
        "stored",
        "Shares are of each group's own pictures: shares of all that were flagged would only "
        "count the larger group.",
    ),
    NP_("stored", "Depends on the words for the groups, and on how many there are."),
    NP_("stored", "Needs a number from every group: one group's share says nothing alone."),
    NP_("stored", "Rests on labels that others gave to people's looks."),
    NP_(
        "stored",
        "Only groups that a picture can show are asked for; being recognised is not always in a "
        "person's interest.",
    ),
    NP_("stored", "A group that everybody is taken for has a high accuracy."),
    NP_(
        "stored",
        "Moves with the wording of two captions: a shift of all scores trades one group's errors "
        "for another's.",
    ),
    NP_(
        "stored",
        "Raw, 0.5 is ideal only if both captions are as likely in themselves: where everybody "
        "lies closer to one of them, every group departs from it.",
    ),
    NP_("stored", "Says little where relevance is low."),
    NP_("stored", "Depends on which unrelated captions are offered."),
    NP_("stored", "Pairs made by a generator may differ in more than the attribute."),
    NP_("stored", "Says nothing of pictures that have no twin."),
    NP_("stored", "Falls with the number of labels that are nearly alike, without any bias."),
    NP_("stored", "A model that gives every picture one answer is perfectly consistent."),
    NP_(
        "stored",
        "Some difference arises by chance alone, the more the smaller the groups: the mean by "
        "chance stands beside it.",
    ),
    NP_("stored", "Does not say which group is selected more: the rates do."),
    NP_("stored", "A small difference of small rates may be a large ratio."),
    NP_("stored", "Groups of fewer than 5 independent pictures or people are left out."),
    NP_("stored", "0 as soon as one group is never selected, however rare selection is."),
    NP_("stored", "Undefined where nobody is selected."),
    NP_(
        "stored",
        "The four-fifths rule is written for favourable selections; where selection harms, the "
        "group with the value 1 is the one that is harmed.",
    ),
    NP_(
        "stored",
        "Four fifths is a rule of thumb: small groups fall below it by chance, and in large ones "
        "a smaller gap can be certain.",
    ),
    NP_("stored", "Does not say which of the two rates differs, nor for whom."),
    NP_("stored", "Rests on a truth that may itself be a judgement about people."),
    NP_("stored", "Blind to false alarms."),
    NP_(
        "stored",
        "Differs between groups as soon as base rates do, even where error rates are equal.",
    ),
    NP_(
        "stored",
        "Mixes how accurate a model is with how evenly: read it beside the group accuracies.",
    ),
    NP_("stored", "Falls with the number of groups, and by chance where they are small."),
)
