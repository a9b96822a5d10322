"""What ``score`` is given on the command line, and which options need each other."""

from dataclasses import dataclass

from audit.errors import ScoreInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFiles:
    """Paths as given on the command line; empty where not given."""

    scores: str = ""
    images: str = ""
    texts: str = ""
    groups: str = ""
    labels: str = ""
    scale: float = 1.0
    units: tuple[str, ...] = ()
    """``LAYER:POOLING=PATH`` each."""

    readouts: tuple[str, ...] = ()
    """``LAYER=PATH`` each."""

    def paths(self) -> tuple[tuple[str, str], ...]:
        """Return option name and path of every file that was given."""
        one = ("scores", "images", "texts", "groups", "labels")
        named = [(name, getattr(self, name)) for name in one]
        named += [("units", spec.partition("=")[2]) for spec in self.units]
        named += [("readout", spec.partition("=")[2]) for spec in self.readouts]
        return tuple((name, path) for name, path in named if path)

    def check(self) -> None:
        """Refuse files that say nothing together.

        Raises
        ------
        ScoreInputError
            Naming the option that is missing or too many.
        """
        given = {name for name, _ in self.paths()}
        if self.scores and (self.images or self.texts):
            raise ScoreInputError(
                "Give either --scores, or --images and --texts; got both. Leave one of them out."
            )
        for name, needs, why in NEEDS:
            if name in given and needs not in given:
                raise ScoreInputError(f"--{name} needs --{needs} as well, {why}. Add it.")
        if not {"scores", "images", "texts", "units"} & given:
            raise ScoreInputError(
                "score needs --scores, or --images and/or --texts, or --units; got none of them. "
                "See `clip-audit score --help` for the tables it reads."
            )


ROWS = "which tells what its rows are"
NEEDS = (
    ("scores", "groups", "which tells what its columns are"),
    ("scores", "labels", "which tells what its columns are"),
    ("images", "groups", ROWS),
    ("texts", "labels", ROWS),
    ("units", "groups", ROWS),
    ("readout", "units", "whose layer it takes to the embedding"),
    ("readout", "texts", "which tells where a harm lies in the embedding"),
)
"""Option, the one that it needs, and why."""
