"""Titles, units and meanings of measures, as a result document has them in English.

See `reports.stored_unit_sentences` for how such patterns are written.
"""

from reports.messages import NP_

TITLES = (
    NP_("stored", "Word-embedding association test (WEAT)"),
    NP_("stored", "Single-category association test (SC-WEAT)"),
    NP_("stored", "Cross-modal embedding association test (iEAT and its kin)"),
    NP_("stored", "Cosine of drawn words"),
    NP_("stored", "Relational inner product association (RIPA)"),
    NP_("stored", "Mean average cosine distance (MAC)"),
    NP_("stored", "Embedding coherence test (ECT)"),
    NP_("stored", "Relative norm distance (RND)"),
    NP_("stored", "Relative negative sentiment bias (RNSB)"),
    NP_("stored", "Self-similarity of a group's pictures"),
    NP_("stored", "Gap in self-similarity"),
    NP_("stored", "Concept association score (C-ASC)"),
    NP_("stored", "Area under the ROC curve of a group"),
    NP_("stored", "Skew@k"),
    NP_("stored", "MaxSkew@k"),
    NP_("stored", "MinSkew@k"),
    NP_("stored", "Normalised discounted KL divergence"),
    NP_("stored", "Normalised entropy of the first k"),
    NP_("stored", "Bias@k"),
    NP_("stored", "Absolute Bias@k"),
    NP_("stored", "Retrieval parity test"),
    NP_("stored", "Same-attribute precision at k"),
    NP_("stored", "Zero-shot answer rate"),
    NP_("stored", "Gap in answer rate"),
    NP_("stored", "Harm mass"),
    NP_("stored", "Gap in harm mass"),
    NP_("stored", "Harm margin"),
    NP_("stored", "Gap in harm margin"),
    NP_("stored", "Threshold exceedance"),
    NP_("stored", "Gap in threshold exceedance"),
    NP_("stored", "Markedness"),
    NP_("stored", "Gap in markedness"),
    NP_("stored", "Resolution accuracy"),
    NP_("stored", "Gap in resolution accuracy"),
    NP_("stored", "Resolution gap"),
    NP_("stored", "Stereotype score"),
    NP_("stored", "Relevance of stereotype captions"),
    NP_("stored", "Counterfactual gap"),
    NP_("stored", "Counterfactual consistency"),
    NP_("stored", "Demographic parity difference"),
    NP_("stored", "Demographic parity ratio"),
    NP_("stored", "Impact ratio"),
    NP_("stored", "Equalised odds difference"),
    NP_("stored", "Equal opportunity difference"),
    NP_("stored", "Predictive parity difference"),
    NP_("stored", "Equity-scaled accuracy"),
    NP_("stored", "share of pictures"),
    NP_("stored", "cosine"),
    NP_("stored", "probability"),
    NP_("stored", "ratio"),
    NP_("stored", "nats"),
    NP_("stored", "score"),
    NP_("stored", "standard deviations of the associations of all terms"),
    NP_("stored", "standard deviations of the cosines with all attribute words"),
    NP_("stored", "standard deviations of the associations of all targets"),
    NP_("stored", "inner product"),
    NP_("stored", "cosine distance"),
    NP_("stored", "rank correlation"),
    NP_("stored", "distance between unit vectors"),
    NP_("stored", "standard deviations of the scores of all pictures"),
    NP_("stored", "natural logarithm of a ratio of shares"),
    NP_("stored", "share of the largest possible entropy"),
    NP_("stored", "share of the pictures compared"),
    NP_("stored", "share of the first k pictures"),
    NP_("stored", "share of neighbours"),
    NP_("stored", "share of certainty"),
    NP_("stored", "share of pairs"),
)
"""With units."""

MEANINGS = (
    NP_(
        "stored",
        "The group's terms lie closer to the harm, and those of the rest closer to the opposite, "
        "than the other way round.",
    ),
    NP_("stored", "The terms lie closer to the harm than to its opposite."),
    NP_(
        "stored",
        "The group's pictures lie closer to the harm, and other pictures closer to the opposite, "
        "than the other way round.",
    ),
    NP_(
        "stored",
        "Drawn as pictures, the group's words look closer to the harm words than those of the "
        "rest of the family, which stand beside it as the neutral value.",
    ),
    NP_(
        "stored",
        "Harm words lie farther along the direction from the rest of the family to the group "
        "than control words do.",
    ),
    NP_(
        "stored",
        "The family lies farther from the harm words than from control words; a value below the "
        "neutral one means closer.",
    ),
    NP_(
        "stored",
        "The groups of the family order the harm words by nearness more alike than by chance; a "
        "value below the neutral one means that nearness depends on the group.",
    ),
    NP_(
        "stored",
        "Harm words lie farther from the group than from the rest, compared with control words; "
        "a value below the neutral one means closer.",
    ),
    NP_(
        "stored",
        "A classifier of harm words and their opposites calls some groups of the family more "
        "negative than others.",
    ),
    NP_(
        "stored",
        "The model sees the pictures of this group as more alike than those of other groups, "
        "whose mean stands beside it as the neutral value.",
    ),
    NP_(
        "stored",
        "The model sees the pictures of this group as more alike than those of the other groups "
        "on average.",
    ),
    NP_("stored", "Photos of the group score higher on the harm than other photos do."),
    NP_(
        "stored",
        "A photo of the group scores higher on the harm than one of another group more often "
        "than not.",
    ),
    NP_(
        "stored",
        "The group takes a larger share of the first k pictures than its target says; 0.69 is "
        "twice its share.",
    ),
    NP_(
        "stored",
        "Some group takes a larger share of the first k pictures than its target says, by more "
        "than chance gives.",
    ),
    NP_(
        "stored",
        "No group falls as short of its target as chance would let the most unlucky one fall.",
    ),
    NP_(
        "stored",
        "The shares along the list are farther from their target than those of a blind search, "
        "better places weighing more.",
    ),
    NP_(
        "stored",
        "The first k pictures are more mixed than those of a blind search; below neutral one "
        "group takes the list over.",
    ),
    NP_("stored", "The group takes more of the first k pictures than the others together."),
    NP_(
        "stored",
        "Some group leads another among the first k pictures by more than a blind search would "
        "let it.",
    ),
    NP_("stored", "The group takes a larger share of the first k pictures than of all."),
    NP_(
        "stored",
        "The nearest pictures show the query's own group more often than its share among all "
        "pictures.",
    ),
    NP_(
        "stored",
        "The label, or a label of the harm family, scores highest for this share of the group's "
        "pictures.",
    ),
    NP_("stored", "The label is chosen more often for this group than for all others."),
    NP_(
        "stored",
        "So much of the model's certainty about the group's pictures falls on labels of the harm.",
    ),
    NP_(
        "stored",
        "More of the model's certainty falls on the harm for this group than for all others.",
    ),
    NP_(
        "stored",
        "On average a label of the harm is ahead of every other label: the harm is the answer.",
    ),
    NP_("stored", "The group is closer to being answered with the harm than all others are."),
    NP_(
        "stored",
        "A label of the harm is sure enough to be acted on in so many of the group's pictures.",
    ),
    NP_("stored", "The label is acted on more often for this group than for all others."),
    NP_(
        "stored",
        "The group is more often simply a person to the model than others are: it is treated as "
        "the default, and the others are marked out.",
    ),
    NP_("stored", "The group is more often simply a person to the model than all others are."),
    NP_("stored", "The model chooses the group's own caption more often than chance would."),
    NP_("stored", "The group is recognised more often than all others are."),
    NP_(
        "stored",
        "The stereotype fits the group's pictures better than its opposite does, more often than "
        "not.",
    ),
    NP_(
        "stored",
        "The stereotype or its opposite describes the pictures better than unrelated captions "
        "do, in this share of them; 1 is ideal.",
    ),
    NP_("stored", "The picture that shows the group lies closer to the harm than its twin."),
    NP_(
        "stored",
        "Both pictures of a pair get the same answer, in this share of pairs; 1 is ideal.",
    ),
    NP_("stored", "Some group is selected more often than another, by more than chance gives."),
    NP_(
        "stored",
        "The groups are selected more nearly alike than chance gives: 1 is parity, values below "
        "what chance gives speak of disparity.",
    ),
    NP_(
        "stored",
        "The group is selected nearly as often as the group selected most: 1 is parity, values "
        "below four fifths are flagged.",
    ),
    NP_(
        "stored",
        "The model errs more often for some group than for another, by more than chance gives.",
    ),
    NP_("stored", "Some group is recognised less often than another, by more than chance gives."),
    NP_(
        "stored",
        "A selection is right less often for some group than for another, by more than chance "
        "gives.",
    ),
    NP_(
        "stored",
        "Accuracy is high and nearly the same in all groups; values below what chance gives "
        "speak of disparity.",
    ),
)
"""What a value above neutral says."""
