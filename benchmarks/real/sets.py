"""Inputs of `clip-audit score` made from published outputs of real models.

The data is not part of the project; its folder is given on the command line. Labels of the
FairFace set get their roles by row number, so that no word of that list is repeated here.
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

FAIRFACE_HARMS = {
    "dehumanisation": (4, (11, 32, 38, 39, 57, 102, 106, 126, 162)),
    "sexualisation": (4, (212, 213, 226, 227, 246, 252, 259, 262, 300)),
    "soldiering": (3, (8, 9, 15, 25, 42, 55, 90, 92, 103)),
    "servility": (2, (26, 29, 74, 119, 139, 221, 242, 245, 301)),
    "philandering": (2, (4, 49, 54, 61, 105, 120, 136, 154)),
}
"""Harm family to severity and rows of `texts.csv`."""

FAIRFACE_MEN = (12, 14, 16, 18, 37, 59, 76, 83)
FAIRFACE_WOMEN = (215, 216, 222, 223, 233, 240, 267, 295)
FAIRFACE_UNMARKED = (19, 33, 40, 45, 68, 84, 133, 151)

LOGIT_MODELS = (
    "commonpool_xl_s13b_b90k",
    "datacomp_xl_s13b_b90k",
    "laion2b_s32b_b82k",
    "laion400m_e31",
    "openai",
)
WEAPONS = ("gun", "knife", "machine_gun", "pocketknife", "projectile_(weapon)", "rifle",
           "steak_knife", "sword", "army_tank", "bow_(weapon)")  # fmt: skip
OID_WEAPONS = ("Missile", "Weapon", "Shotgun", "Handgun")

Options = dict[str, str]
"""Option of `clip-audit score` to its value."""


def fairface_rn50(data: Path, out: Path) -> Options:
    """RN50: faces and person nouns, with race, gender and age."""
    home = data / "clip-rn50-fairface2000"
    texts = pd.read_csv(home / "texts.csv")
    keep = np.flatnonzero(~texts["noun"].duplicated().to_numpy())
    roles = _fairface_roles()
    rows = [_label(str(texts["noun"][i]), *roles.get(int(i), NEUTRAL)) for i in keep]
    _labels(out, rows)
    np.save(out / "texts.npy", np.load(home / "text_embeddings.npy")[keep])
    np.save(out / "images.npy", np.load(home / "image_embeddings.npy"))
    pd.read_csv(home / "images.csv").to_csv(out / "groups.csv", index=False)
    return {"images": "images.npy", "texts": "texts.npy", "groups": "groups.csv",
            "labels": "labels.csv"}  # fmt: skip


Role = tuple[str, str, str, int | None]
NEUTRAL: Role = ("neutral", "neutral", "", None)


def _fairface_roles() -> dict[int, Role]:
    roles: dict[int, Role] = {}
    for family, (severity, rows) in FAIRFACE_HARMS.items():
        roles |= dict.fromkeys(rows, ("harm", family, "", severity))
    roles |= dict.fromkeys(FAIRFACE_MEN, ("identity", "gender", "men", None))
    roles |= dict.fromkeys(FAIRFACE_WOMEN, ("identity", "gender", "women", None))
    return roles | dict.fromkeys(FAIRFACE_UNMARKED, ("unmarked", "unmarked", "", None))


def gender_logits(model: str) -> Callable[[Path, Path], Options]:
    """ViT-L/14: logits of 10,954 faces with a man and a woman caption."""

    def prepare(data: Path, out: Path) -> Options:
        table = pd.read_csv(data / "fairface-vitl14-gender-logits" / "logits.csv.gz")
        scores = pd.DataFrame({"id": table["file"]})
        for word in ("man", "woman"):
            scores[f"a photo of a {word}"] = table[f"{word}__{model}"]
        scores.to_csv(out / "scores.csv.gz", index=False)
        groups = table[["file", "gender", "race", "age"]].rename(columns={"file": "id"})
        groups.to_parquet(out / "groups.parquet", index=False)
        _labels(out, [_label(f"a photo of a {w}", "neutral", "gender", "", None)
                      for w in ("man", "woman")])  # fmt: skip
        return {"scores": "scores.csv.gz", "groups": "groups.parquet", "labels": "labels.csv",
                "score-scale": "100"}  # fmt: skip

    return prepare


def detic_vitb32(data: Path, out: Path) -> Options:
    """ViT-B/32: names of LVIS and Open Images as texts, weapons as the harm."""
    with np.load(data / "clip-vitb32-text-detic" / "embeddings.npz") as archive:
        names = [*map(str, archive["lvis_names"]), *map(str, archive["oid_names"])]
        values = np.concatenate([archive["lvis"], archive["oid"]])
    first = {name.lower(): i for i, name in reversed(list(enumerate(names)))}
    keep = sorted(first.values())
    identity = {"Man": "men", "Boy": "men", "Woman": "women", "Girl": "women"}
    rows = []
    for i in keep:
        name = names[i]
        if name in identity:
            rows.append(_label(name, "identity", "gender", identity[name], None))
        elif name in WEAPONS or name in OID_WEAPONS:
            rows.append(_label(name, "harm", "weapons", "", 3))
        else:
            rows.append(_label(name, *NEUTRAL))
    _labels(out, rows)
    np.savez(out / "texts.npz", names=values[keep].astype(np.float32))
    return {"texts": "texts.npz::names", "labels": "labels.csv"}


def names_only(folder: str, values: str, names: str) -> Callable[[Path, Path], Options]:
    """Texts of one label list, without any group or harm."""

    def prepare(data: Path, out: Path) -> Options:
        with np.load(data / folder / "embeddings.npz") as archive:
            labels, embeddings = [str(n) for n in archive[names]], archive[values]
        keep = [i for i, name in enumerate(labels) if name not in labels[:i]]
        _labels(out, [_label(labels[i], *NEUTRAL) for i in keep])
        np.save(out / "texts.npy", embeddings[keep].astype(np.float32))
        return {"texts": "texts.npy", "labels": "labels.csv"}

    return prepare


def ieat(model: str) -> Callable[[Path, Path], Options]:
    """Embeddings of the pictures of the image association test: images only."""

    def prepare(data: Path, out: Path) -> Options:
        with np.load(data / "ieat" / f"{model}.npz") as archive:
            sets = {name: archive[name] for name in archive.files}
        ids = [f"{name}/{i}" for name, rows in sets.items() for i in range(len(rows))]
        groups = [name.split("__")[0] for name, rows in sets.items() for _ in rows]
        pd.DataFrame({"id": ids, "topic": groups}).to_csv(out / "groups.csv", index=False)
        np.save(out / "images.npy", np.concatenate(list(sets.values())))
        return {"images": "images.npy", "groups": "groups.csv"}

    return prepare


def weat_word2vec(data: Path, out: Path) -> Options:
    """word2vec vectors of the word lists: not a CLIP, but real text embeddings."""
    lists = json.loads((data / "weat-word2vec" / "WEAT.json").read_text())
    with gzip.open(data / "weat-word2vec" / "weat_w2v.txt.gz", "rt", encoding="utf-8") as stream:
        next(stream)
        vectors = {word: row for word, *row in (line.rstrip().rsplit(" ", 300) for line in stream)}
    roles: dict[str, Role] = {}
    for name, concept in (("male_terms", "men"), ("female_terms", "women")):
        roles |= dict.fromkeys(lists[name], ("identity", "gender", concept, None))
    roles = {word: role for word, role in roles.items() if word not in {"boy", "girl"}}
    for word in lists["unpleasant_5a"]:
        roles.setdefault(word, ("harm", "unpleasant", "", 3))
    words = [w for w in vectors if w not in {"boy", "girl"}]
    _labels(out, [_label(w, *roles.get(w, NEUTRAL)) for w in words])
    np.save(out / "texts.npy", np.array([vectors[w] for w in words], dtype=np.float32))
    return {"texts": "texts.npy", "labels": "labels.csv"}


SETS: dict[str, Callable[[Path, Path], Options]] = {
    "rn50-fairface": fairface_rn50,
    **{f"vitl14-{model}": gender_logits(model) for model in LOGIT_MODELS},
    "vitb32-detic": detic_vitb32,
    "vitb16-cocostuff": names_only("clip-vitb16-text-cocostuff", "coco_stuff", "coco_stuff_names"),
    "vitb32-imagenet": names_only("clip-vitb32-datacomp-imagenet-head", "W", "names"),
    **{f"ieat-{model}": ieat(model) for model in ("igpt", "igpt-logit", "simclr")},
    "weat-word2vec": weat_word2vec,
}
"""Name of a set to the function that writes its inputs into a folder."""


def _label(label: str, role: str, family: str, concept: str, severity: int | None) -> Options:
    shown = "" if severity is None else str(severity)
    return {"label": label, "role": role, "family": family, "severity": shown, "concept": concept}


def _labels(out: Path, rows: list[Options]) -> None:
    pd.DataFrame(rows).to_csv(out / "labels.csv", index=False)
