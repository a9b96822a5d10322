"""Associations of tables that do not fit in memory: what is kept merges exactly or says its error.

Moments (Cohen's d, correlation, Welch's t) merge without loss. Ranks are kept as counts in bins,
with a bound on what the bins can hide. Permutations run over cluster means.
"""
