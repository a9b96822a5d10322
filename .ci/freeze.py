"""Print the constraints file of an environment: names and versions, no address, no machine."""

import json
import subprocess
import sys

HEADER = """\
# Versions that are known to work together; `make constraints` writes this file anew.
# torch and torchvision are the matching pair of the public index: it runs on CPUs and GPUs alike.
# Never pin a "+cpu" build of torch here: the public torchvision fails beside it at import.
# adelie holds numpy below 2 and has no wheels from Python 3.13 on, hence the two lines for numpy.
"""

NEW_PYTHON = "3.13"
"""First Python without adelie, and so without its bound on numpy."""


def installed(pip: str) -> dict[str, str]:
    """Return name and version of everything that ``pip`` sees, without ourselves."""
    text = subprocess.run(
        [pip, "list", "--format=json"], check=True, capture_output=True, text=True
    ).stdout
    rows = {row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(text)}
    return {name: version for name, version in rows.items() if name != "clip-bias-audit"}


def numpy_without_adelie(pip: str, versions: dict[str, str]) -> str:
    """Return the numpy that the other pins allow on Pythons that have no adelie."""
    beside = [
        f"{name}=={versions[name]}" for name in ("scipy", "scikit-learn", "pandas", "pyarrow")
    ]
    wanted = ["--python-version", NEW_PYTHON, "--only-binary=:all:", "--target", "unused"]
    text = subprocess.run(
        [
            pip,
            "install",
            "--dry-run",
            "-q",
            "--ignore-installed",
            "--report",
            "-",
            *wanted,
            *beside,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = {
        row["metadata"]["name"]: row["metadata"]["version"] for row in json.loads(text)["install"]
    }
    return found["numpy"]


def lines(versions: dict[str, str], newer_numpy: str) -> list[str]:
    """Return one sorted line per package; numpy gets one for older and one for newer Pythons.

    Raises
    ------
    ValueError
        If a version names a local build, which nobody else could install.
    """
    for name, version in versions.items():
        if "+" in version:
            raise ValueError(
                f"Constraints must name public builds; {name} is {version}. "
                "Install without local find-links (pip config list) and try again."
            )
    pins = {f"{name}=={version}" for name, version in versions.items() if name != "numpy"}
    pins.add(f'numpy=={versions["numpy"]} ; python_version < "{NEW_PYTHON}"')
    pins.add(f'numpy=={newer_numpy} ; python_version >= "{NEW_PYTHON}"')
    return sorted(pins)


def main(pip: str) -> None:
    """Write the file to standard output."""
    versions = installed(pip)
    print(HEADER + "\n".join(lines(versions, numpy_without_adelie(pip, versions))))


if __name__ == "__main__":
    main(sys.argv[1])
