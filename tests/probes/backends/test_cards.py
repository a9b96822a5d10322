"""Graphics cards are named as another process is given them."""

import pytest
import torch

from probes.backends.cards import VARIABLE, cards


@pytest.mark.parametrize(
    ("visible", "expected"), [("", ("0", "1")), ("3, GPU-7f", ("3", "GPU-7f"))]
)
def test_cards_have_the_names_that_a_worker_is_given(visible, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv(VARIABLE, visible)

    assert cards() == expected


def test_a_machine_without_cards_has_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert cards() == ()
