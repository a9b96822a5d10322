"""Trees of prompts hold every text, each beginning once, and nodes see their ancestors alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from probes.backends.prefix_trie import prefix_packs

CONTEXT = 8
END = 9

some_texts = st.lists(st.lists(st.integers(1, 3), max_size=CONTEXT - 1), min_size=1, max_size=25)
sizes = st.integers(1, 40)


def table(texts):
    """Tokens with an end and padding behind, and lengths with the end."""
    rows = [[*text, END] + [0] * (CONTEXT - 1 - len(text)) for text in texts]
    return np.array(rows), np.array([len(text) + 1 for text in texts])


@given(texts=some_texts, size=sizes)
def test_every_text_is_read_back_from_what_its_leaf_sees(texts, size):
    packs = prefix_packs(*table(texts), size)

    read = {}
    for pack in packs:
        for leaf, text in zip(pack.leaves, pack.texts, strict=True):
            assert list(pack.depths[pack.seen[leaf]]) == list(range(len(texts[text]) + 1))
            read[int(text)] = list(pack.tokens[pack.seen[leaf]])
    assert sum(len(pack.texts) for pack in packs) == len(texts)
    assert read == {i: [*text, END] for i, text in enumerate(texts)}


@given(texts=some_texts, size=sizes)
def test_a_node_sees_itself_and_what_its_parent_sees(texts, size):
    for pack in prefix_packs(*table(texts), size):
        for node, seen in enumerate(pack.seen):
            above = np.flatnonzero(seen)[:-1]
            assert seen[node]
            assert not seen[node + 1 :].any()
            if len(above):
                np.testing.assert_array_equal(
                    pack.seen[above[-1], : above[-1] + 1].nonzero()[0], above
                )


@given(texts=some_texts)
def test_one_pack_has_each_beginning_once(texts):
    (pack,) = prefix_packs(*table(texts), 10_000)

    ended = [(*text, END) for text in texts]
    assert len(pack.tokens) == len({e[: n + 1] for e in ended for n in range(len(e))})


@given(texts=some_texts, size=sizes)
def test_no_pack_is_larger_than_asked_but_for_a_single_long_text(texts, size):
    for pack in prefix_packs(*table(texts), size):
        assert len(pack.tokens) <= size or len(pack.leaves) == 1


def test_no_texts_make_no_packs():
    assert prefix_packs(np.zeros((0, 8), int), np.zeros(0, int), 4) == []
