"""Copies of image towers give what the tower gives, and pictures arrive whole."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from concept_sets.pictures import ImageFile, _whole_pictures_only
from probes.backends import fast_images, kernel_choice, kernels
from probes.backends.fast_images import by_halves, fast_tower, is_hooked, preparer, uploaded
from probes.backends.kernel_book import KernelBook, KernelPlan
from probes.backends.kernel_choice import centred_distance, free_threads
from probes.backends.table import load_encoder
from probes.backends.towers import tapped, taps_of
from probes.encoder import KERNEL, Reading
from probes.errors import ExtractionError
from probes.extract import Planned
from probes.inspectable import Edit
from probes.testing import check_encoder, sample_pictures

EXACT = {
    "resnet": "fused",
    "vit": "onednn",
    "vit-scaled": "onednn",
    "coca": "onednn",
    "siglip": "onednn",
    "timm-vit": "onednn",
    "convnext": "onednn",
}


def pictures_of(visual, n=3):
    side = visual.image_size
    height, width = side if isinstance(side, tuple) else (side, side)
    return torch.randn(n, 3, height, width, generator=torch.Generator().manual_seed(1))


def readings_of(taps):
    return [Reading(layer=t.layer.name, pooling=p) for t in taps for p in t.layer.poolings]


def whole(visual, batch, readings):
    with torch.inference_mode(), tapped(taps_of(visual), readings) as found:
        out = visual(batch)
    return (out[0] if isinstance(out, tuple) else out), found


def share(ours, theirs):
    return float((ours.float() - theirs).abs().max() / theirs.abs().max())


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_kernel_gives_the_embeddings_and_units_of_the_tower(name, models):
    visual = models(name).visual
    before = {k: v.clone() for k, v in visual.state_dict().items()}
    readings, batch = readings_of(taps_of(visual)), pictures_of(visual)
    tower = fast_tower(visual, kernels.KERNELS[EXACT[name]](visual), taps_of(visual))
    with torch.inference_mode():
        embeddings, units = tower.embed(batch, readings)

    theirs, their_units = whole(visual, batch, readings)

    assert share(embeddings, theirs) < 1e-5
    assert readings
    for reading in readings:
        assert share(units[reading], their_units[reading]) < 1e-5
    assert all(torch.equal(v, before[k]) for k, v in visual.state_dict().items())


@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_weights_of_bfloat16_are_near_and_not_equal(name, models):
    visual = models(name).visual
    batch = pictures_of(visual)
    with torch.inference_mode():
        ours, _ = fast_tower(visual, kernels.halved(visual), taps_of(visual)).embed(batch)

    theirs, _ = whole(visual, batch, [])

    assert 1e-4 < share(ours, theirs) < 0.1


def test_normalisations_are_gone_from_a_fused_copy_and_stay_in_the_tower(models):
    visual = models("resnet").visual

    copy = kernels.fused(visual)

    norms = [sum(isinstance(m, torch.nn.BatchNorm2d) for m in v.modules()) for v in (visual, copy)]
    assert norms[0] > 0
    assert norms[1] == 0


def test_a_tower_by_onednn_shares_its_weights_with_the_original(models):
    visual = models("vit").visual
    kept = {p.data_ptr() for p in visual.parameters()}

    assert {p.data_ptr() for p in kernels.direct(visual).parameters()} <= kept


def test_attention_to_other_tokens_is_that_of_torch():
    stock = torch.nn.MultiheadAttention(16, 4, batch_first=False).eval()
    query, key = torch.randn(5, 2, 16), torch.randn(7, 2, 16)
    mask = torch.zeros(5, 7).masked_fill(torch.rand(5, 7) < 0.3, float("-inf"))
    with torch.inference_mode():
        theirs = stock(query, key, key, need_weights=False, attn_mask=mask)[0]
        ours = kernels.DirectAttention(stock)(query, key, key, attn_mask=mask)[0]

    assert share(ours, theirs) < 1e-5


def test_products_that_are_rounded_to_bfloat16_are_seen(monkeypatch):
    def rounded(inputs, weight, bias):
        return (inputs.bfloat16().float() @ weight.bfloat16().float().T) + bias

    assert kernels.keeps_float32() in (True, False)
    monkeypatch.setattr(kernels, "direct_linear", rounded)

    assert not kernels.keeps_float32()


def test_a_library_without_the_operation_is_not_used(monkeypatch):
    def missing(*_):
        raise NotImplementedError

    monkeypatch.setattr(kernels, "direct_linear", missing)

    assert not kernels.keeps_float32()


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_a_batch_that_finds_no_room_is_halved_and_nothing_is_lost(size):
    tried = []

    def work(part):
        tried.append(len(part))
        if len(part) > 2:
            raise torch.OutOfMemoryError("no room")
        return [part * 2, part[:, :1]]

    batch = torch.arange(26.0).reshape(13, 2)
    rows, room = by_halves(work, batch, size)

    assert torch.equal(rows[0], batch * 2)
    assert torch.equal(rows[1], batch[:, :1])
    assert room <= 2
    assert max(tried) <= size


def test_one_picture_that_finds_no_room_is_an_error():
    def never(part):
        raise torch.OutOfMemoryError("no room")

    with pytest.raises(torch.OutOfMemoryError):
        by_halves(never, torch.zeros(4, 1), 4)


def test_batches_arrive_in_order():
    parts = list(torch.arange(10).split(3))

    assert torch.equal(torch.cat(list(uploaded(parts, "cpu"))), torch.arange(10))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_batches_arrive_in_order_on_a_graphics_card():
    parts = list(torch.arange(1_000_000).split(300_000))

    assert torch.equal(torch.cat(list(uploaded(parts, "cuda"))).cpu(), torch.arange(1_000_000))


def photo(height, width, seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    "size", [(300, 411), (97, 80), (64, 64), (500, 64), (50, 40), (900, 70), (70, 900)]
)
def test_a_prepared_picture_is_a_level_from_what_open_clip_makes_of_it(size):
    transform = image_transform_v2(PreprocessCfg(size=64), is_train=False)
    prepare = preparer(transform)
    picture = photo(*size)

    ready = prepare(picture)

    tall = np.random.default_rng(2).integers(0, 256, (183, 66, 3), dtype=np.uint8)
    noise = Image.fromarray(tall)
    assert torch.equal(transform(prepare(noise)), transform(noise))
    level = 1 / 255 / min(PreprocessCfg().std)
    assert ready.size == (64, 64)
    assert float((transform(ready) - transform(picture)).abs().max()) <= level * 1.001
    assert prepare(ready).tobytes() == ready.tobytes()


@pytest.mark.parametrize("mode", ["longest", "squash"])
def test_a_transform_that_torch_rounds_otherwise_is_left_to_pillow(mode):
    config = PreprocessCfg(size=64, resize_mode=mode)

    assert preparer(image_transform_v2(config, is_train=False)) is None


def test_a_resizing_that_differs_from_pillow_is_not_used(monkeypatch):
    real = fast_images.v2.resize
    monkeypatch.setattr(fast_images.v2, "resize", lambda *a, **k: real(*a, **k) // 2)

    assert preparer(image_transform_v2(PreprocessCfg(size=64), is_train=False)) is None


@pytest.fixture
def quick(monkeypatch):
    """Small towers count as large, and every exact kernel as faster."""
    monkeypatch.setattr(kernel_choice, "SMALL", 0)
    monkeypatch.setattr(kernel_choice, "_gain", lambda *_: 2.0)


def book(tmp_path, **more):
    return KernelBook(folder=tmp_path / "kernels", cores=1, load=lambda: 0.0, **more)


@pytest.mark.parametrize("name", ["resnet", "vit", "siglip", "coca"])
def test_an_encoder_with_a_kernel_keeps_the_promises_of_an_encoder(name, folders, tmp_path, quick):
    encoder = load_encoder(f"local-dir:{folders(name)}", kernels=book(tmp_path))
    plain = load_encoder(f"local-dir:{folders(name)}")

    check_encoder(encoder)
    assert isinstance(encoder, Planned)
    assert encoder.identity.libraries[KERNEL] == f"{EXACT[name]}, torch resize"
    assert KERNEL not in plain.identity.libraries
    theirs = plain.encode_pictures(sample_pictures()).embeddings
    ours = encoder.encode_pictures(sample_pictures()).embeddings
    assert centred_distance(torch.from_numpy(ours), torch.from_numpy(theirs)) < 1e-3


def test_the_first_choice_is_kept_though_the_clock_says_otherwise_later(
    folders, tmp_path, quick, monkeypatch
):
    first = load_encoder(f"local-dir:{folders('resnet')}", kernels=book(tmp_path))
    monkeypatch.setattr(kernel_choice, "_gain", lambda *_: 0.5)

    again = load_encoder(f"local-dir:{folders('resnet')}", kernels=book(tmp_path))
    elsewhere = load_encoder(f"local-dir:{folders('resnet')}", kernels=book(tmp_path / "other"))

    assert again.identity == first.identity
    assert elsewhere.identity.libraries[KERNEL] == "plain, torch resize"
    (kept,) = (tmp_path / "kernels").glob("*.json")
    assert json.loads(kept.read_text())["plan"]["gain"] == 2.0
    shown = sample_pictures()
    np.testing.assert_array_equal(
        again.encode_pictures(shown).embeddings, first.encode_pictures(shown).embeddings
    )


def test_a_damaged_choice_is_set_aside_and_made_again(folders, tmp_path, quick):
    load_encoder(f"local-dir:{folders('vit')}", kernels=book(tmp_path))
    (kept,) = (tmp_path / "kernels").glob("*.json")
    kept.write_text('{"plan": {"kernel": "warp"}}')

    encoder = load_encoder(f"local-dir:{folders('vit')}", kernels=book(tmp_path))

    assert encoder.identity.libraries[KERNEL] == "onednn, torch resize"
    assert kept.with_name(kept.name + ".corrupt").exists()


def test_a_folder_that_cannot_be_written_is_named(folders, tmp_path, quick):
    (tmp_path / "kernels").write_text("a file")

    with pytest.raises(ExtractionError, match=r"kernels must be (read|writ)able"):
        load_encoder(f"local-dir:{folders('vit')}", kernels=book(tmp_path))


def test_a_kernel_that_is_not_as_exact_is_left(folders, tmp_path, quick, monkeypatch):
    monkeypatch.setattr(kernel_choice, "exact_kernel", lambda *_: "bf16")
    monkeypatch.setattr(kernel_choice, "HALVED", "another")

    encoder = load_encoder(f"local-dir:{folders('vit')}", kernels=book(tmp_path))

    assert encoder.identity.libraries[KERNEL] == "plain, torch resize"


def test_small_towers_are_computed_as_before(folders, tmp_path):
    encoder = load_encoder(f"local-dir:{folders('resnet')}", kernels=book(tmp_path))
    plain = load_encoder(f"local-dir:{folders('resnet')}")
    picture = photo(90, 120)

    assert encoder.identity == plain.identity
    assert encoder.prepare(picture) is picture
    assert not (tmp_path / "kernels").exists()


def test_the_fast_mode_says_how_far_it_is_off(folders, tmp_path, quick):
    encoder = load_encoder(f"local-dir:{folders('resnet')}", kernels=book(tmp_path, fast=True))

    told = encoder.identity.libraries[KERNEL]

    assert told.startswith("bf16, torch resize, centred cosine distance ")
    assert 0 < float(told.rpartition(" ")[2]) < 0.5


def test_whoever_changes_the_tower_is_heard(folders, tmp_path, quick):
    encoder = load_encoder(f"local-dir:{folders('resnet')}", kernels=book(tmp_path))
    layer = encoder.layers[-1]
    rows = np.eye(layer.n_units)[:8]
    edit = Edit(layer=layer.name, directions=rows, kind="set", values=np.full(8, 9.0))
    shown = sample_pictures()
    bare = encoder.encode_pictures(shown).embeddings
    visual, _ = encoder.opened(())
    handle = visual.layer4[-1].act3.register_forward_pre_hook(lambda _, x: (x[0] * 0,))

    assert is_hooked(visual)
    silenced = encoder.encode_pictures(shown).embeddings
    handle.remove()

    assert np.abs(silenced - bare).max() > 0.01 * np.abs(bare).max()
    assert np.abs(encoder.encode_edited(shown, [edit]).embeddings - bare).max() > 1e-3
    np.testing.assert_array_equal(encoder.encode_pictures(shown).embeddings, bare)


def test_threads_are_as_many_as_cores_are_idle_unless_the_user_said(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    assert [free_threads(8, 4, load) for load in (0.0, 1.4, 9.0)] == [4, 3, 1]
    assert free_threads(2, 64, 0.0) == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert free_threads(8, 4, 9.0) == 8


def test_a_plain_network_has_no_label():
    assert KernelPlan(kernel="plain").label == ""


def test_cut_off_pictures_are_refused_in_every_thread(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)

    def inside(_):
        with _whole_pictures_only():
            seen = [ImageFile.LOAD_TRUNCATED_IMAGES for _ in range(200)]
        return any(seen)

    with ThreadPoolExecutor(4) as pool:
        allowed = list(pool.map(inside, range(400)))

    assert not any(allowed)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
