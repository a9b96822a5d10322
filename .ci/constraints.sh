#!/usr/bin/env bash
# Writes constraints.txt anew: the newest versions that fit pyproject.toml, installed in a fresh
# environment and frozen. Called by `make constraints`; takes a full download.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'; then
    echo "constraints.txt must be made with Python 3.11 or 3.12, the versions with every wheel;" \
        "$python is $("$python" -V). Use: make constraints PYTHON=python3.11" >&2
    exit 2
fi

fresh="$(mktemp -d)"
trap 'rm -rf "$fresh"' EXIT
"$python" -m venv "$fresh/venv"
"$fresh/venv/bin/pip" install -q --no-input -U pip hatchling editables setuptools
"$fresh/venv/bin/pip" install -q --no-input --no-build-isolation --editable '.[dev]'
"$fresh/venv/bin/python" .ci/freeze.py "$fresh/venv/bin/pip" >"$fresh/constraints.txt"
mv "$fresh/constraints.txt" constraints.txt
echo "constraints.txt holds $(grep -c == constraints.txt) versions; run make test before you commit it."
