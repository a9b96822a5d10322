"""Score every real set and print what the decision procedure did, as a Markdown table.

python benchmarks/real/score_all.py --data DATA --out FOLDER
"""

import argparse
import subprocess
import sys
from pathlib import Path

from sets import SETS

from audit.results import AuditResult, read_result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    print("| set | exit | arms | control packs | false alarms at 5 % | largest T | verdict |")
    print("|---|---|---|---|---|---|---|")
    for name, prepare in SETS.items():
        if given.only in name:
            home = given.out / name
            home.mkdir(parents=True, exist_ok=True)
            code = score(name, home, prepare(given.data, home))
            for result in sorted(home.glob("audit/*/result.json"))[-1:]:
                print(row(name, code, read_result(result)), flush=True)


def score(name: str, home: Path, options: dict[str, str]) -> int:
    command = ["clip-audit", "score", "--name", name, "--out", "audit", "--format", "html"]
    for option, value in options.items():
        command += [f"--{option}", value]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        print(done.stderr, file=sys.stderr)
    return done.returncode


def row(name: str, code: int, result: AuditResult) -> str:
    arms, controls, alarms = [], [], []
    for arm in result.arms:
        arms.append(arm.arm)
        controls.append(str(arm.n_controls))
        found = arm.calibration
        alarms.append("-" if found is None else f"{found.rejections} of {found.tests}")
    t = [c.t for c in result.contrasts if isinstance(c.t, float)]
    largest = f"{max(t):.2f}" if t else "-"
    cells = (", ".join(part) or "-" for part in (arms, controls, alarms))
    return f"| {name} | {code} | {' | '.join(cells)} | {largest} | {result.verdict.verdict.value} |"


if __name__ == "__main__":
    main()
