"""Every architecture keeps the promises of an encoder and gives what open_clip itself gives."""

import pytest

from probes.backends.table import load_encoder
from probes.testing import check_encoder

ARCHITECTURES = (
    "resnet",
    "vit",
    "vit-scaled",
    "siglip",
    "coca",
    "timm-vit",
    "convnext",
    "timm-resnet",
)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_keeps_the_promises_of_an_encoder(name, folders):
    check_encoder(load_encoder(f"local-dir:{folders(name)}"))
