"""What silencing does to answers and to retrieval: rules, and a slow version of each."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.causal import Link
from probes.causal_behaviour import behaviour, harm_rates, unchanged

seeds = st.integers(0, 10_000)


def drawn(seed, *, n=20, dim=6):
    """Pictures of ten clusters, four of them of the group, and a link with two control packs."""
    rng = np.random.default_rng(seed)

    def terms(count):
        rows = rng.normal(size=(count, dim))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    link = Link(
        clusters=np.arange(n) % 10,
        concepts=np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2]),
        harm=terms(3),
        controls=(terms(4), terms(2)),
    )
    return rng.normal(size=(n, dim)), link


def slow(pictures, link):
    """Cluster by cluster, term by term."""
    found = []
    for cluster in range(len(link.concepts)):
        rows = [p / np.linalg.norm(p) for p in pictures[link.clusters == cluster]]
        mean = np.mean(rows, axis=0)
        found.append(mean / np.linalg.norm(mean))
    labels = [*link.harm, *(term for pack in link.controls for term in pack)]
    nearest = [int(np.argmax([one @ label for label in labels])) for one in found]
    shares = []
    for term in link.harm:
        ranked = sorted(range(len(found)), key=lambda c: (-(found[c] @ term), c))
        shares.append(np.mean([link.concepts[c] == 0 for c in ranked[:4]]))
    return [place < len(link.harm) for place in nearest], float(np.mean(shares))


@settings(deadline=None, max_examples=40)
@given(seed=seeds)
def test_answers_and_retrieval_agree_with_a_slow_version(seed):
    pictures, link = drawn(seed)
    found = behaviour(pictures, link)
    harmful, retrieved = slow(pictures, link)

    assert list(found.harmful) == harmful
    assert found.retrieved == pytest.approx(retrieved)


@settings(deadline=None, max_examples=20)
@given(seed=seeds, factor=st.floats(0.1, 10))
def test_the_length_of_embeddings_does_not_matter(seed, factor):
    pictures, link = drawn(seed)

    assert behaviour(pictures * factor, link) == behaviour(pictures, link)


@settings(deadline=None, max_examples=20)
@given(seed=seeds)
def test_rates_give_each_concept_of_the_rest_one_vote(seed):
    pictures, link = drawn(seed)
    found = behaviour(pictures, link)
    harmful = np.array(found.harmful, dtype=float)

    group, rest = harm_rates(found, link)
    assert group == pytest.approx(harmful[:4].mean())
    assert rest == pytest.approx((harmful[4:7].mean() + harmful[7:].mean()) / 2)


def test_a_group_that_lies_on_the_harm_is_answered_and_retrieved_with_it():
    pictures, link = drawn(1)
    axes = np.eye(pictures.shape[1])
    link = replace(link, harm=axes[:1], controls=(axes[1:3], axes[3:4]))
    own = link.concepts[link.clusters] == 0
    pictures[own] = axes[0] + 0.01 * pictures[own]
    pictures[~own] = axes[1] + 0.01 * pictures[~own]
    found = behaviour(pictures, link)

    assert found.retrieved == 1
    assert harm_rates(found, link)[1] == 0


def test_what_does_not_move_is_unchanged():
    pictures, link = drawn(2)
    found = behaviour(pictures, link)

    assert unchanged(found, found) == 1
    assert unchanged(found, behaviour(-pictures, link)) < 1
