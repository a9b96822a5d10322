"""``clip-audit check``: whether the last audit of a model is recent and passed."""

from datetime import UTC, datetime
from pathlib import Path

import click

from audit.cli.ending import exit_code, gate_lines
from audit.cli.printing import say
from audit.cli.store import store_option
from audit.conclude import trustworthy
from audit.folder import RESULT
from audit.results import read_result
from audit.store.freshness import freshness, parse_age
from audit.store.history import latest
from audit.store.index import open_store
from audit.store.place import is_store
from audit.store.verifying import require_unchanged

EVIDENCE_MISSING = 4


@click.command()
@click.option("--model", required=True, help="Name, or digest of the weights.")
@click.option("--max-age", required=True, metavar="AGE",
              help="How old its last audit may be, such as 90d or 12h.")  # fmt: skip
@click.option("--plan", default=None, help="Only audits by the plan of this name or digest.")
@click.option("--now", type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]), default=None,
              help="Time in UTC from which ages are taken.  [default: now]")  # fmt: skip
@store_option
@click.pass_context
def check(
    context: click.Context,
    model: str,
    max_age: str,
    plan: str | None,
    now: datetime | None,
    place: Path,
) -> None:
    """Exit with 0 if the last audit kept of a model is recent and passed its gate.

    4: too old, in the future, or none. 3: changed since it was kept, or not to be trusted. 1: its
    gate failed. A schedule cannot report its own death; this can run anywhere.
    """
    limit = parse_age(max_age)
    if not is_store(place):
        say(f"{model}: there is no store at {place}, and so no audit of it.")
        context.exit(EVIDENCE_MISSING)
    with open_store(place) as opened:
        audit = latest(opened.database, model, plan=plan)
        said = freshness(audit, limit, _utc(now))
        say(f"{model}: {said.sentence}")
        if audit is None or said.state != "fresh":
            context.exit(EVIDENCE_MISSING)
        # The folder is the truth; what the index says of the gate is not asked.
        result = read_result(require_unchanged(opened, audit.id) / RESULT)
    for line in gate_lines(result.gate):
        say(line)
    context.exit(exit_code(result.gate, trustworthy(result.arms)))


def _utc(given: datetime | None) -> datetime:
    return datetime.now(UTC) if given is None else given.replace(tzinfo=UTC)
