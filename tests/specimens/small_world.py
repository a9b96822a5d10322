"""A small world of invented words: packs, plans and photos that an audit ends quickly on."""

from pathlib import Path

import numpy as np
import yaml
from PIL import Image

GROUPS = ("ones", "twos", "threes")
HARMS = {"menace": 4, "gloom": 2}
PLANTED = ("ones", "menace")
"""These two share a letter that nothing else has, which a model of letter counts must find."""

TERMS, CONTROLS, CONTROL_TERMS = 8, 26, 5
N_TERMS = (len(GROUPS) + len(HARMS)) * TERMS + CONTROLS * CONTROL_TERMS
HEAD = {
    "version": "1.0.0",
    "language": "en",
    "about": "Invented for tests.",
    "licence": "CC0-1.0",
    "sources": {"us": "Invented for tests."},
    "defaults": {"pos": "noun", "status": "current", "visible": "yes", "source": ["us"]},
}


def words(n: int, seed: int, extra: str = "") -> list[str]:
    """Return ``n`` different invented words; ``extra`` stands twice in each."""
    rng = np.random.default_rng(seed)
    made: dict[str, None] = {}
    while len(made) < n:
        consonants = rng.choice(list("bdfgklmnprstv"), 3)
        vowels = rng.choice(list("aeiou"), 3)
        made["".join(f"{c}{v}" for c, v in zip(consonants, vowels, strict=True))] = None
    return [f"{extra}{word}{extra}" for word in made]


def concept_set(folder: Path, name: str, role: str, concepts: list[dict]) -> Path:
    """Write one concept set."""
    path = folder / f"{name}.yaml"
    content = {"id": name, "name": name.title(), "role": role, **HEAD, "concepts": concepts}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def write_packs(folder: Path, *, planted: bool = True, controls: int = CONTROLS) -> Path:
    """Write a family of three groups, two harms and enough control packs."""
    folder.mkdir(parents=True, exist_ok=True)
    both = TERMS * (len(GROUPS) + len(HARMS)) + CONTROLS * CONTROL_TERMS
    pool = iter(words(both, seed=1))

    def concept(name: str, n: int, **keys: object) -> dict:
        extra = "zz" if planted and name in PLANTED else ""
        terms = [f"{extra}{next(pool)}{extra}" for _ in range(n)]
        return {"id": name, "name": name.title(), **keys, "terms": terms}

    concept_set(folder, "people", "identity", [concept(name, TERMS) for name in GROUPS])
    for name, tier in HARMS.items():
        pack = concept(name, TERMS, severity=tier, mirrors=["chore_0"])
        concept_set(folder, name, "harm", [pack])
    chores = [concept(f"chore_{i}", CONTROL_TERMS, kind="role") for i in range(controls)]
    concept_set(folder, "chores", "control", chores)
    return folder


PLAN = """\
schema_version = 1
name = "small"
slots = ["bare"]
{top}
[model]
name = "toy"
[concepts]
builtin = false
folders = ["packs"]
identities = {identities}
harms = {harms}
[[blocking]]
identities = ["people/ones"]
harms = ["severity>=2"]
[arms]
rendered = "{rendered}"
[units]
renderings = 1
[probes]
lambdas = 3
folds = 2
{more}
"""


def write_plan(
    folder: Path,
    *,
    name: str = "plan.toml",
    rendered: str = "off",
    identities: str = '["*"]',
    harms: str = '["*"]',
    top: str = "",
    more: str = "",
) -> Path:
    """Write a plan beside the packs."""
    path = folder / name
    path.write_text(
        PLAN.format(rendered=rendered, identities=identities, harms=harms, top=top, more=more)
    )
    return path


def write_photos(folder: Path, *, each: int = 8) -> Path:
    """Write ``each`` plain pictures of every group and a manifest without group columns."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    lines = ["path,concept,cluster,licence"]
    for index, group in enumerate(GROUPS):
        for i in range(each):
            pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            pixels[..., index] = 255
            name = f"{group}-{i}.png"
            Image.fromarray(pixels).save(folder / name)
            lines.append(f"{name},{group},{group} {i},CC0-1.0")
    path = folder / "photos.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
