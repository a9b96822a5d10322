"""One shard after the other, in this process."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audit.executors.work import Work, make_shard

if TYPE_CHECKING:
    from audit.executors.table import Crew


def run(work: Work, missing: Sequence[int], crew: "Crew") -> None:
    """Make the missing shards."""
    encode = work.job.open()
    for index in missing:
        make_shard(work, encode, index)
