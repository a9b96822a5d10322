"""The table of commands: one row each, imported only when it is asked for."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click

COMMANDS = {
    "init": "audit.cli.init:init",
    "run": "audit.cli.run:run",
    "score": "audit.cli.score:score",
    "demo": "audit.cli.demo:demo",
    "report": "audit.cli.report:report",
    "explain": "audit.cli.report:explain",
    "crosswalk": "audit.cli.crosswalk:crosswalk",
    "outcomes": "audit.cli.outcomes:outcomes_of",
    "unit": "audit.cli.unit:unit",
    "decompose": "audit.cli.decompose:decompose",
    "inspect": "audit.cli.inspect:inspect_sentences",
    "codes": "audit.cli.codes:codes",
    "verify": "audit.cli.sign:verify",
    "sign": "audit.cli.sign:sign",
    "key": "audit.cli.sign:key",
    "gate": "audit.cli.gate:gate",
    "baseline": "audit.cli.gate:baseline",
    "waive": "audit.cli.waive:waive",
    "compare": "audit.cli.compare:compare_audits",
    "mitigate": "audit.cli.mitigate:mitigate_findings",
    "config": "audit.cli.config:config",
    "store": "audit.cli.store:store",
    "history": "audit.cli.history:history",
    "serve": "audit.cli.serve:serve",
    "check": "audit.cli.check:check",
    "track": "audit.cli.track:track",
    "schedule": "audit.cli.schedule:schedule",
    "concepts": "audit.cli.concepts:concepts",
    "models": "audit.cli.models:models",
    "doctor": "audit.cli.doctor:doctor",
    "selftest": "audit.cli.selftest:selftest",
}
"""Name to ``module:command``."""


class Commands(MutableMapping[str, click.Command]):
    """Commands by name; click wants a mapping that can also be changed."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = dict(table)
        self._imported: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        """Import the command; KeyError where there is none."""
        if name not in self._imported:
            module, _, attribute = self._table[name].partition(":")
            self._imported[name] = getattr(import_module(module), attribute)
        return self._imported[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        """Add a command that is there already."""
        self._imported[name] = command

    def __delitem__(self, name: str) -> None:
        """Forget a command."""
        self._table.pop(name, None)
        self._imported.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Iterate over names, in the order of the table."""
        return iter(dict.fromkeys((*self._table, *self._imported)))

    def __len__(self) -> int:
        """Count names."""
        return len({*self._table, *self._imported})
