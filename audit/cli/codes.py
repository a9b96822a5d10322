"""``codes``: words as the few units that tell their prompts apart."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from audit.cli.printing import note, say
from audit.errors import PlanError
from audit.folders import cache_folder
from audit.gather import Instruments
from audit.known_units import SOURCE
from audit.known_units_loaded import PublishedNames, published_model, published_names
from audit.selftest.errors import DataFileError
from audit.selftest.files import data_folder
from audit.text_units_codes import (
    EMOTION_TEMPLATES,
    PublishedCodes,
    code_of,
    compare_codes,
    prompts_of_words,
    read_published,
    word_vectors,
)
from audit.text_units_sentences import known_readout
from probes.backends.table import load_encoder
from probes.cache import ActivationCache
from probes.progress import TerminalProgress
from probes.sparse_codes import PUBLISHED_SIZES, SparseCodes, sparse_codes

FORMAT = "clip-audit codes 1"
MODEL = "RN50x4"
MISSING = 4
MOST_WORDS = 2000
MEANING = (
    "1 is the strongest unit of a word, below 0 a unit speaks against it. A code tells a word's "
    "prompts from those of the other words given, in the text tower alone; other words give other "
    "codes."
)


@click.command("codes")
@click.argument("model")
@click.option("--words", "given", default="", metavar="FILE|a,b,c",
              help="Words separated by commas, or a file with one on each line.")  # fmt: skip
@click.option("--template", "templates", multiple=True,
              help="Sentence with {t} for the word; twice or more. By default the three that were "
              "published for emotions.")  # fmt: skip
@click.option("--size", "sizes", type=click.FloatRange(min=0, min_open=True), multiple=True,
              help="Wanted mean number of units of a word; by default the four "
              "published.")  # fmt: skip
@click.option("--without", default="", metavar="1,2,3", help="Units that may not be used.")
@click.option("--pretrained", default=None, help="Tag or checkpoint file of an architecture.")
@click.option("--offline", is_flag=True, help="Use only what is on this machine.")
@click.option("--layer", default="", help="Layer of the units; the last by default.")
@click.option("--check-published", "check", is_flag=True,
              help="Take the published emotions and compare with their codes; of OpenAI's RN50x4 "
              "only.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path),
              help="Folder of public data, as of selftest.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the activation cache.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              show_default=True)  # fmt: skip
@click.pass_context
def codes(
    context: click.Context,
    model: str,
    given: str,
    templates: tuple[str, ...],
    sizes: tuple[float, ...],
    without: str,
    pretrained: str | None,
    offline: bool,
    layer: str,
    check: bool,
    data: Path | None,
    cache: Path | None,
    form: str,
) -> None:
    """Describe words by the few units that tell their prompts apart.

    The recipe of the published codes of emotions: prompts as weights over units, and one sparse
    logistic regression for each word against all others. Exits with 4 if --check-published was
    asked for and something for it is missing.
    """
    if check and (given or templates or sizes or without):
        raise PlanError(
            "--check-published takes the published words, templates, sizes and left-out units; "
            "--words, --template, --size and --without cannot go with it."
        )
    published, missing = _published(data) if check else (None, "")
    if missing:
        say(f"Not compared with the published codes: {missing.rstrip('.')}.")
        context.exit(MISSING)
    words = words_of(given) if published is None else published.words
    prompts = prompts_of_words(words, templates or EMOTION_TEMPLATES)
    encoder = load_encoder(model, pretrained=pretrained, offline=offline)
    tools = Instruments(
        encoder=encoder,
        cache=ActivationCache(cache or cache_folder()),
        progress=TerminalProgress(sys.stderr),
        readings=(),
    )
    chosen, readout = known_readout(encoder, layer)
    if check:
        missing = _not_published(tools, chosen)
    left_out = _left_out(without, len(readout), published if not missing else None)
    vectors = word_vectors(encoder, readout, prompts, cache=tools.cache, progress=tools.progress)
    note(f"Fitting codes of {len(words)} words over {len(readout)} units")
    found = sparse_codes(
        vectors,
        [prompt.concept for prompt in prompts],
        sizes=sizes or (PUBLISHED_SIZES if published is None else _sizes(published)),
        left_out=left_out,
    )
    page = {
        "format": FORMAT,
        "model": encoder.identity.name,
        "layer": chosen,
        "templates": list(templates or EMOTION_TEMPLATES),
        "left_out": list(left_out),
        "codes": [_code(one) for one in found],
        "published": _compared(found, published) if published and not missing else [],
        "not_compared": missing,
        "reading": MEANING,
    }
    click.echo(json.dumps(page, indent=2, allow_nan=False)) if form == "json" else _say(page)
    context.exit(MISSING if missing else 0)


def words_of(given: str) -> tuple[str, ...]:
    """Return the words of a file, one on each line, or of a list with commas.

    Raises
    ------
    PlanError
        If a file cannot be read, or nothing or too much was given.
    """
    path = Path(given)
    text = given.replace(",", "\n")
    if given and "," not in given and path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PlanError(
                f"--words must be a readable UTF-8 file or words with commas; {path} gave: {error}."
            ) from None
    words = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not 2 <= len(words) <= MOST_WORDS:
        raise PlanError(
            f"--words must give 2 to {MOST_WORDS} words, separated by commas or one on each line "
            f"of a file; got {len(words)}{f' from {given[:60]!r}' if given else ''}."
        )
    return words


def _left_out(without: str, n_units: int, published: PublishedCodes | None) -> tuple[int, ...]:
    given = [part.strip() for part in without.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and int(part) < n_units for part in given):
        raise PlanError(
            f"--without must be units from 0 to {n_units - 1}, separated by commas; got "
            f"{without!r}."
        )
    letters = published.left_out if published is not None else ()
    return tuple(sorted({*map(int, given), *letters}))


def _published(data: Path | None) -> tuple[PublishedCodes | None, str]:
    """Return the published codes, or why they cannot be had."""
    try:
        return read_published(data_folder(data)), ""
    except DataFileError as error:
        return None, f"the published codes are not here: {error}"


def _not_published(tools: Instruments, layer: str) -> str:
    """Tell why these weights cannot be compared with published codes; empty where they can."""
    if published_model(tools.encoder.identity) != MODEL:
        return (
            f"codes were published for {MODEL} with OpenAI's weights; this is "
            f"{tools.encoder.identity.architecture}"
        )
    note("Trying the published names of units on the loaded weights")
    names: PublishedNames = published_names(tools, np.random.default_rng(0))
    if names.layer and names.layer != layer:
        return f"codes were published for {names.layer}, not {layer}"
    return names.reason


def _sizes(published: PublishedCodes) -> list[float]:
    return [published.size(setting) for setting in published.codes]


def _code(one: SparseCodes) -> dict[str, Any]:
    return {
        "mean_units": one.mean_units,
        "penalty": one.penalty,
        "words": {
            word: [{"unit": u, "weight": w} for u, w in code_of(one, word).items()]
            for word in one.words
        },
    }


def _compared(found: tuple[SparseCodes, ...], published: PublishedCodes) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    compared = []
    for one, (setting, theirs) in zip(found, published.codes.items(), strict=False):
        got = compare_codes(one, theirs, rng)
        compared.append(
            {
                "setting": setting,
                "words": got.words,
                "units": got.units,
                "published_units": got.published_units,
                "shared": got.shared,
                "by_chance": got.by_chance,
                "correlation": got.correlation if np.isfinite(got.correlation) else None,
            }
        )
    return compared


def _say(page: dict[str, Any]) -> None:
    say(f"Codes over units of {page['layer']} of {page['model']}", bold=True)
    for one in page["codes"]:
        say(f"{one['mean_units']:.2f} units per word (penalty {one['penalty']:.3g}):")
        for word, units in one["words"].items():
            shown = "  ".join(f"{e['weight']:+.2f} x {e['unit']}" for e in units)
            say(f"  {word}: {shown or 'no unit'}")
    for line in page["published"]:
        say(
            f"Published setting {line['setting']}, {line['words']} words: "
            f"{line['shared']:.0%} of units shared ({line['by_chance']:.0%} by chance), "
            f"{line['units']:.2f} units here and {line['published_units']:.2f} there, correlation "
            + ("undefined" if line["correlation"] is None else f"{line['correlation']:.2f}")
        )
    if page["published"]:
        say(f"Published by {SOURCE}.")
    if page["not_compared"]:
        say(f"Not compared with the published codes: {page['not_compared'].rstrip('.')}.")
    say(page["reading"])
