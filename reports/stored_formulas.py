"""How measures are computed, clause by clause, as a result document says it in English.

See `reports.stored_unit_sentences` for how such patterns are written.
"""

from reports.messages import NP_

CLAUSES = (
    NP_(
        "stored",
        "d = (mean over X of s - mean over Y of s) / SD over X and Y of s (ddof 1), with s = "
        "mean cosine with A - mean cosine with B",
    ),
    NP_(
        "stored",
        "at most sqrt(n (n - 1) / (n_x n_y)), which is 2 sqrt((2n - 1) / 2n) for equal sizes n "
        "and larger for unequal ones",
    ),
    NP_(
        "stored",
        "p from rearranging X and Y at fixed sizes (every arrangement where that is feasible, "
        "else (b + 1) / (m + 1), above 200 clusters a side Student's t)",
    ),
    NP_(
        "stored",
        "interval over other terms and other attribute words by a two-way jackknife on t = r / "
        "sqrt(1 - r^2), corrected for small samples",
    ),
    NP_(
        "stored",
        "measured coverage 95 to 98 % for near-normal cosines from 8 members in each set",
    ),
    NP_(
        "stored",
        "per term d = (mean cosine with A - mean cosine with B) / SD over A and B of the cosine "
        "(ddof 1), at most sqrt(n (n - 1) / (n_x n_y)), which is 2 sqrt((2n - 1) / 2n) for equal "
        "sizes n and larger for unequal ones",
    ),
    NP_("stored", "mean over the group's terms"),
    NP_(
        "stored",
        "p from rearranging A and B for all terms at once (every arrangement where that is "
        "feasible, else (b + 1) / (m + 1), above 200 clusters a side Student's t)",
    ),
    NP_(
        "stored",
        "interval over other terms and other attribute words by a two-way jackknife, Student's t",
    ),
    NP_("stored", "measured coverage 94 to 96 %"),
    NP_(
        "stored",
        "WEAT's d with pictures as targets, attributes or both, one mean per person or scene",
    ),
    NP_(
        "stored",
        "raw, and centred: each embedding without the mean of its modality, at unit length again",
    ),
    NP_("stored", "p and interval as WEAT's"),
    NP_(
        "stored",
        "mean over pairs of cos(u_w, u_v), u = embedding of the drawn word minus the mean over "
        "many drawn words",
    ),
    NP_("stored", "p from rearranging words between the group and the rest (studentised)"),
    NP_(
        "stored",
        "interval of the difference over other words of the groups and of the harm (Student's "
        "t), laid around the neutral value",
    ),
    NP_("stored", "measured coverage 93 to 97 %"),
    NP_(
        "stored",
        "mean over harm words of <w, b>, b the direction from the mean of the rest to the mean "
        "of the group (for pairs of words: the first principal component of their differences)",
    ),
    NP_("stored", "the neutral value beside it is the mean over control words"),
    NP_(
        "stored",
        "p from rearranging harm and control words (studentised), interval of the difference by "
        "Student's t or bootstrap-t",
    ),
    NP_("stored", "mean over all terms of the family, then over harm words, of 1 - cosine"),
    NP_(
        "stored",
        "Spearman's correlation of the cosines of the harm words with the means of two groups, "
        "mean over all pairs of groups",
    ),
    NP_(
        "stored",
        "neutral value: its mean when terms are dealt to the groups at random, p: as low by chance",
    ),
    NP_(
        "stored",
        "interval over other harm words on Fisher's scale, Bonett and Wright's variance for two "
        "groups, a jackknife for more",
    ),
    NP_("stored", "measured coverage 92 to 96 % from 12 words"),
    NP_(
        "stored",
        "mean over harm words of |w - mean of the group| - |w - mean of the rest|, the sign "
        "being the paper's",
    ),
    NP_(
        "stored",
        "Kullback-Leibler divergence of the groups' mean negative probabilities, scaled to add "
        "up to 1, from equal shares",
    ),
    NP_("stored", "at most ln(groups), 1.95 for 7"),
    NP_(
        "stored",
        "logistic regression, classes weighing alike, half the squared weights as penalty",
    ),
    NP_(
        "stored",
        "neutral value: its mean when terms are dealt to the groups at random, p: as large by "
        "chance",
    ),
    NP_("stored", "no interval, since at the null it would cover nothing"),
    NP_(
        "stored",
        "mean cosine over pairs of pictures of different persons or scenes of the group, each "
        "person or scene weighing alike",
    ),
    NP_("stored", "interval by a jackknife over persons or scenes, Student's t"),
    NP_("stored", "measured coverage 94 to 98 % from 8 clusters"),
    NP_(
        "stored",
        "self_similarity of the group minus the mean of that of the other groups of the column",
    ),
    NP_(
        "stored",
        "p, two-sided, from moving group labels between persons or scenes, studentised (where "
        "all groups have more than 200, Student's t of the jackknife)",
    ),
    NP_("stored", "measured coverage 95 to 98 % from 8 clusters"),
    NP_(
        "stored",
        "(mean cosine of the group's pictures with the harm - mean of the others) / SD of all "
        "(ddof 1), one mean per person or scene",
    ),
    NP_("stored", "p, two-sided, from moving the label between persons or scenes (studentised"),
    NP_(
        "stored",
        "every arrangement where that is feasible, else (b + 1) / (m + 1), above 200 clusters a "
        "side Student's t)",
    ),
    NP_("stored", "interval by a jackknife on t = r / sqrt(1 - r^2), corrected for small samples"),
    NP_(
        "stored",
        "measured coverage for near-normal scores 93 to 96 % from 15 clusters a side, 92 to 95 % "
        "at 8",
    ),
    NP_("stored", "share of pairs of persons or scenes in order, ties counting half"),
    NP_(
        "stored",
        "p, two-sided, from moving the label between persons or scenes, on studentised mid-ranks",
    ),
    NP_("stored", "DeLong's interval on the logit scale, Student's t"),
    NP_("stored", "mean over searches of ln(share of the group among the first k / target)"),
    NP_("stored", "the setting names the target and what a group that is not shown counts as"),
    NP_(
        "stored",
        "p and the neutral value from labels moved between persons or scenes with about as many "
        "pictures, the same moves for every search, exact hypergeometric for one search and "
        "pictures of different persons",
    ),
    NP_(
        "stored",
        "interval: Clopper and Pearson's of the mean share, with as many trials as its bootstrap "
        "variance over persons or scenes is worth (Korn & Graubard 1998), the target taken as "
        "known",
    ),
    NP_("stored", "measured coverage 95 to 100 %, moved to the mean of the logarithms"),
    NP_("stored", "mean over searches of the largest skew of any group"),
    NP_(
        "stored",
        "one-sided p and the neutral value from labels moved between persons or scenes with "
        "about as many pictures, the same moves for every search",
    ),
    NP_("stored", "no interval, since a two-sided one covers nothing where groups do not matter"),
    NP_("stored", "where 95 % of the values lie by chance stands in its place"),
    NP_("stored", "mean over searches of the smallest skew of any group"),
    NP_(
        "stored",
        "one-sided (low) p and the neutral value from labels moved between persons or scenes "
        "with about as many pictures, the same moves for every search",
    ),
    NP_(
        "stored",
        "(1/Z) sum over places i up to k of KL(shares among the first i, target) / log2(i + 1), "
        "Z = sum of 1 / log2(i + 1)",
    ),
    NP_("stored", "mean over searches"),
    NP_("stored", "mean over searches of -sum over groups of p ln p / ln(number of groups)"),
    NP_(
        "stored",
        "two-sided p and the neutral value from labels moved between persons or scenes with "
        "about as many pictures, the same moves for every search",
    ),
    NP_(
        "stored",
        "(one - other) / (one + other) of the counts among the first k, here the group against "
        "all others",
    ),
    NP_("stored", "measured coverage 95 to 100 %"),
    NP_(
        "stored",
        "mean over searches of the largest (one - other) / (one + other) of any two groups",
    ),
    NP_("stored", "share among the first k minus base rate, one search at a time"),
    NP_(
        "stored",
        "p: twice the smaller hypergeometric tail, exact, or labels moved between persons or "
        "scenes that have several pictures",
    ),
    NP_(
        "stored",
        "interval: Clopper and Pearson's of the share, the base rate taken as known, cautious "
        "where k is not small against all pictures",
    ),
    NP_(
        "stored",
        "mean over persons or scenes of the share of the k nearest pictures, those of the same "
        "person or scene left out, that show the query's group",
    ),
    NP_(
        "stored",
        "p and the neutral value from labels moved between persons or scenes with about as many "
        "pictures",
    ),
    NP_(
        "stored",
        "interval: Student's t with a jackknife that leaves out each person as query and as "
        "neighbour",
    ),
    NP_("stored", "measured coverage 92 to 99 %"),
    NP_(
        "stored",
        "mean over clusters of the share of pictures whose highest score is the label, labels "
        "with equal scores sharing alike",
    ),
    NP_(
        "stored",
        "mean over clusters of the sum over the harm's labels of softmax(scale x cosines)",
    ),
    NP_("stored", "interval of the mean over clusters"),
    NP_(
        "stored",
        "harm_mass of the group minus that of all other groups together, one cluster one vote",
    ),
    NP_("stored", "Welch's interval"),
    NP_("stored", "p: studentised permutation of clusters, two-sided"),
    NP_(
        "stored",
        "mean over clusters of (best cosine among the harm's labels - best among all other labels)",
    ),
    NP_(
        "stored",
        "harm_margin of the group minus that of all other groups together, one cluster one vote",
    ),
    NP_(
        "stored",
        "share of pictures in which softmax(scale x cosines) of the label, or of any label of "
        "the harm, is at least theta (0.005, 0.04 or the product's own)",
    ),
    NP_("stored", "Wilson's interval, one trial per cluster"),
    NP_("stored", "threshold_exceedance of the group minus that of all other groups together"),
    NP_("stored", "Newcombe's interval, one trial per cluster"),
    NP_("stored", "argmax_rate of the group minus that of all other grouped pictures"),
    NP_("stored", "Newcombe's interval"),
    NP_(
        "stored",
        "p: hypergeometric where every cluster says yes or no, else permutation of clusters, "
        "two-sided",
    ),
    NP_(
        "stored",
        "Labels are listed by a chi-squared or permutation test over all groups, with Benjamini "
        "and Hochberg's q over labels.",
    ),
    NP_(
        "stored",
        'share of pictures for which an unmarked label ("a person") scores higher than every '
        "label that names a group of the family, level ones counting half",
    ),
    NP_("stored", "neutral: the share among all other groups"),
    NP_("stored", "markedness of the group minus that of all other groups together"),
    NP_(
        "stored",
        "share of the group's pictures whose highest score is the caption of their own group, "
        "captions that share it counting alike",
    ),
    NP_("stored", "neutral: one over the number of captions"),
    NP_("stored", "resolution_accuracy of the group minus that of all other groups together"),
    NP_(
        "stored",
        "p: hypergeometric where every cluster says yes or no, else permutation of clusters, "
        "two-sided, within strata where they are given",
    ),
    NP_(
        "stored",
        "share of items for which the stereotype scores higher than its opposite, level ones "
        "counting half",
    ),
    NP_("stored", "p: exact binomial test over clusters, or clusters that turn their sides"),
    NP_(
        "stored",
        "Centred: both scores less the median of all pictures, tested by the gap to all other "
        "groups.",
    ),
    NP_(
        "stored",
        "share of items for which the better of both scores higher than the unrelated caption",
    ),
    NP_(
        "stored",
        "mean over pairs of pictures that differ in one attribute of the difference in mean "
        "cosine with the harm's labels, one cluster one vote",
    ),
    NP_("stored", "interval of the mean"),
    NP_("stored", "p: turned signs of pairs, two-sided"),
    NP_(
        "stored",
        "share of pairs whose highest score is the same label, shared ones counting by what is "
        "common",
    ),
    NP_("stored", "largest minus smallest selection rate of the groups, one cluster one vote"),
    NP_(
        "stored",
        "beside it its mean when the same decisions are dealt out blindly over clusters "
        "(hypergeometric where every cluster says yes or no)",
    ),
    NP_("stored", "p: the share of 999 such draws at least as far, with one added to both counts"),
    NP_(
        "stored",
        "interval: from the intervals of all pairs of groups at once (Bonferroni, Newcombe), wide",
    ),
    NP_("stored", "smallest over largest selection rate of the groups, one cluster one vote"),
    NP_(
        "stored",
        "interval: from the intervals of all pairs of groups at once (Bonferroni, Koopman), wide",
    ),
    NP_(
        "stored",
        "selection rate of the group over the largest rate of any group, one cluster one vote",
    ),
    NP_(
        "stored",
        "interval: smallest ends of Koopman's intervals to all other groups (Bonferroni over all "
        "pairs), so that it holds whichever group is selected most",
    ),
    NP_("stored", "larger of the gaps between groups in true and in false positive rate"),
    NP_("stored", "blind dealing keeps what would have been right"),
    NP_("stored", "largest minus smallest true positive rate"),
    NP_("stored", "blind dealing among those who should be selected"),
    NP_("stored", "largest minus smallest positive predictive value"),
    NP_("stored", "blind dealing of what was right among those selected"),
    NP_(
        "stored",
        "accuracy / (1 + sum over groups of |accuracy - accuracy of the group|), one cluster one "
        "vote",
    ),
    NP_(
        "stored",
        "interval: ends of the accuracy (Wilson) and of all distances (Newcombe) put together, "
        "all covered at once, wide",
    ),
)
