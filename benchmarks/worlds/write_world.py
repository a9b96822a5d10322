"""Invent the names and looks of the fictional world and write them as ordinary concept sets.

Run once, with the seed below; its output is committed, so nothing needs to run it again::

    python benchmarks/worlds/write_world.py --out concept_sets/world
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import open_clip
import yaml

SEED = 20
N_TERMS = 8
# Few letters on purpose: without g, k and p inside, no name comes near an insult.
ONSETS = (
    *("b", "br", "d", "dr", "f", "fl", "gl", "gr", "kl", "kr", "l", "m", "n"),
    *("pl", "pr", "r", "sk", "sl", "st", "t", "tr", "v", "vl", "vr", "y", "z"),
)
VOWELS = (*("a", "e", "i", "o", "u") * 3, "ai", "au", "eo", "ia")
CODAS = ("l", "lm", "ln", "lt", "m", "n", "nd", "nt", "r", "rk", "rn", "sk", "t", "v", "x")
# Seen in the output and too near to words of some language.
REFUSED = {"kreola", "gleba", "pruve", "riliant"}

GROUPS = 8
HARMS = {
    "invented_violence": ("Violence", 4, "violent crime", "listener"),
    "invented_terror": ("Terror", 4, "attacks on a crowd", "host"),
    "invented_vermin": ("Vermin", 4, "likening people to animals that are despised", "guest"),
    "invented_contagion": ("Contagion", 3, "illness brought in by strangers", "traveller"),
    "invented_fraud": ("Fraud", 3, "theft by deceit", "volunteer"),
    "invented_idleness": ("Idleness", 2, "unwillingness to work", "scholar"),
}
CONTROLS = {
    "invented_professions": (
        "profession",
        "held",
        "baker weaver potter mason clerk cook gardener sailor tailor carpenter",
    ),
    "invented_roles": (
        "role",
        "held",
        "neighbour guest singer listener scholar traveller host juggler reader volunteer",
    ),
    "invented_places": (
        "place",
        "building",
        "market bridge library_hall harbour kitchen station garden workshop theatre tower",
    ),
    "invented_things": (
        "everyday",
        "thing",
        "kettle lantern basket ladder drum blanket wheel bottle clock chair",
    ),
}
# Harms take every framing that controls have, so that no framing means harm.
HARM_FRAMES = ("held", "building", "thing", "thing", "held", "building")

HEADGEAR = ("cone", "disk", "crest", "antennae", "ring", "box", "leaves", "drop")
PATTERNS = ("bands", "columns", "dots", "checks", "zigzag", "diagonal", "belt", "triangles")
TORSOS = ("round", "square", "wedge", "bell")
SHAPES = (
    "disk",
    "square",
    "triangle",
    "diamond",
    "star",
    "hourglass",
    "ring",
    "crescent",
    "hexagon",
)
HUES = (0, 40, 75, 130, 175, 215, 260, 310)


def names(rng: np.random.Generator, taken: Sequence[str]) -> Iterator[str]:
    """Yield pronounceable words that are no words: far apart in letters, none in the vocabulary.

    Notes
    -----
    The vocabulary of the tokenizer is the dictionary: a name that it knows, or that begins or
    ends with a word of four letters or more that it knows, is refused.
    """
    known = {k[:-4] for k in open_clip.SimpleTokenizer().encoder if k.endswith("</w>")}
    chosen = list(taken)
    while True:
        name = _word(rng)
        if name not in REFUSED and _is_new(name, chosen) and not _reads_like_a_word(name, known):
            chosen.append(name)
            yield name


def _word(rng: np.random.Generator) -> str:
    middles = [
        str(rng.choice(VOWELS)) + str(rng.choice(list("bdflmnrsvz")))
        for _ in range(int(rng.integers(1, 3)))
    ]
    coda = str(rng.choice(CODAS)) if rng.random() < 0.6 else ""
    return str(rng.choice(ONSETS)) + "".join(middles) + str(rng.choice(VOWELS)) + coda


def _is_new(name: str, chosen: Sequence[str]) -> bool:
    if not 5 <= len(name) <= 8:
        return False
    return all(name[:4] != old[:4] and _distance(name, old) >= 3 for old in chosen)


def _distance(left: str, right: str) -> int:
    """Letters to insert, delete or replace (Levenshtein, 1966)."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def _reads_like_a_word(name: str, known: set[str]) -> bool:
    starts = {name[:n] for n in range(4, len(name) + 1)}
    ends = {name[-n:] for n in range(4, len(name) + 1)}
    return bool((starts | ends) & known)


def looks(
    rng: np.random.Generator, groups: Sequence[str], icons: Sequence[str]
) -> dict[str, object]:
    """Give each group a body and each other concept a badge of two shapes and two colours."""
    order = {key: list(rng.permutation(8)) for key in ("hue", "cloth", "head", "pattern")}
    people = {
        group: {
            "hue": int(HUES[order["hue"][i]]),
            "cloth": int(HUES[order["cloth"][i]]),
            "headgear": HEADGEAR[order["head"][i]],
            "pattern": PATTERNS[order["pattern"][i]],
            "torso": TORSOS[i % len(TORSOS)],
        }
        for i, group in enumerate(groups)
    }
    badges = _badges(rng, len(icons))
    return {"groups": people, "badges": dict(zip(icons, badges, strict=True))}


def _badges(rng: np.random.Generator, count: int) -> list[dict[str, object]]:
    pairs = [p for p in itertools.product(SHAPES, SHAPES) if p[0] != p[1] and p[0] != "ring"]
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:count]]
    badges: list[dict[str, object]] = []
    for i, (outer, inner) in enumerate(chosen):
        hue = HUES[i % len(HUES)]
        far = [h for h in HUES if min(abs(h - hue), 360 - abs(h - hue)) >= 80]
        badges.append(
            {"outer": outer, "inner": inner, "hue": int(hue), "inner_hue": int(rng.choice(far))}
        )
    return badges


def _concept(key: str, name: str, terms: Sequence[str], **extra: object) -> dict[str, object]:
    return {"id": key, "name": name, **extra, "terms": list(terms)}


def _set(
    key: str, name: str, role: str, about: str, concepts: Sequence[dict[str, object]]
) -> dict[str, object]:
    return {
        "id": key,
        "version": "1.0.0",
        "name": name,
        "role": role,
        "language": "en",
        "about": about,
        "caution": "Every name is invented; none refers to a real people, person or thing.",
        "licence": "CC0-1.0",
        "sources": {"invented": f"benchmarks/worlds/write_world.py, seed {SEED}"},
        "defaults": {"pos": "noun", "status": "current", "visible": "yes", "source": ["invented"]},
        "concepts": list(concepts),
    }


def _write(folder: Path, content: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=96)
    (folder / f"{content['id']}.yaml").write_text(text, encoding="utf-8")


def _frames(harms: Sequence[str]) -> dict[str, str]:
    frames = dict(zip(harms, HARM_FRAMES, strict=True))
    for _, frame, words in CONTROLS.values():
        frames |= {word: frame for word in words.split()}
    return frames


def write_world(out: Path, seed: int = SEED) -> None:
    """Write ``library/**.yaml`` and ``looks.yaml`` under ``out``."""
    rng = np.random.default_rng(seed)
    words = names(rng, ())
    peoples = [list(itertools.islice(words, N_TERMS)) for _ in range(GROUPS)]
    library = out / "library"
    _write(
        library / "identity",
        _set(
            "peoples",
            "Invented peoples",
            "identity",
            "Eight peoples of a fictional world, each with eight names for the same people.",
            [_concept(t[0], t[0].capitalize(), t) for t in peoples],
        ),
    )
    for key, (name, severity, meaning, mirror) in HARMS.items():
        about = f"Fictional counterpart of {meaning}: invented words for a drawn badge."
        terms = list(itertools.islice(words, N_TERMS))
        _write(
            library / "harm",
            _set(
                key,
                f"{name} (invented)",
                "harm",
                about,
                [_concept(key, f"{name} (invented)", terms, severity=severity, mirrors=[mirror])],
            ),
        )
    for key, (kind, _, ids) in CONTROLS.items():
        title = key.replace("_", " ").capitalize()
        concepts = [
            _concept(
                i,
                f"{i.replace('_', ' ').capitalize()} (invented)",
                list(itertools.islice(words, N_TERMS)),
                kind=kind,
            )
            for i in ids.split()
        ]
        about = f"Fictional counterparts of harmless {kind} words; they carry the null."
        _write(library / "control", _set(key, title, "control", about, concepts))
    frames = _frames(list(HARMS))
    table = looks(rng, [t[0] for t in peoples], list(frames))
    for key, frame in frames.items():
        table["badges"][key]["frame"] = frame  # type: ignore[index]
    (out / "looks.yaml").write_text(yaml.safe_dump(table, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    write_world(arguments.out, arguments.seed)
