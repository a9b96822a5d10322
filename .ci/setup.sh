#!/usr/bin/env bash
# Sets up .venv with everything that `make demo` and `make test` need, once.
# Called by the Makefile; needs neither a terminal nor a home folder with anything in it.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/packages.sh
root="$PWD"
venv=.venv
stamp="$venv/.set-up"

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local wanted="${PYTHON:-python3}" other
    for other in "$wanted" python3.13 python3.12 python3.11 python3.14; do
        if new_enough "$other"; then
            command -v "$other"
            return
        fi
    done
    fail "clip-audit needs Python 3.11 or newer; $wanted is" \
        "$("$wanted" -V 2>/dev/null || echo "not there"). Install one (Debian 12 or newer:" \
        "apt-get install -y python3 python3-venv) or name it: make setup PYTHON=/path/to/python3.11"
}

fingerprint() {
    {
        cat pyproject.toml constraints.txt .ci/setup.sh
        "$1" -V
    } | "$1" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

make_venv() {
    local python="$1" version
    # Scripts in an environment hold its path, so one that was moved here must be made again.
    if [ -e "$venv" ] && ! { grep -qF "$root/$venv" "$venv/pyvenv.cfg" &&
        "$venv/bin/python" -m pip --version; } >/dev/null 2>&1; then
        say "The environment $venv was left unfinished or moved; making it again."
        rm -rf "$venv"
    fi
    [ -e "$venv" ] && return
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version="$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')"
        say "Python's venv module is missing; installing ${version}-venv ..."
        apt_install "${version}-venv" || fail "Setting up needs Python's venv module;" \
            "$python has none. Install it (Debian, Ubuntu: sudo apt-get install -y ${version}-venv)" \
            "and repeat."
    fi
    "$python" -m venv "$venv"
}

announce() {
    local free
    if [ -e "$stamp" ]; then
        say "The requirements changed; bringing $venv up to date ..."
        return
    fi
    free=$(($(df -Pk . | awk 'NR == 2 { print $4 }') / 1048576))
    say "Setting up in $venv: about 3 GB of downloads and 6 GB of disk the first time" \
        "($free GB are free here), a few minutes on a fast line."
    if [ "$free" -lt 7 ]; then
        say "That may not be enough: free at least 7 GB first if the installation stops."
    fi
}

install_packages() {
    local pip=("$venv/bin/python" -m pip install --no-input --disable-pip-version-check -q)
    [ -t 1 ] || pip+=(--progress-bar off)
    # The build tools come first and pinned, so that the same ones build everywhere.
    "${pip[@]}" -c constraints.txt pip hatchling editables setuptools
    "${pip[@]}" -c constraints.txt --no-build-isolation -e '.[dev]'
}

install_system_libraries() {
    local advice
    if advice="$("$venv/bin/python" -P -m audit.system_libraries)"; then
        return
    fi
    say "Libraries that PDF reports need are missing; trying to install them ..."
    # shellcheck disable=SC2046 # several package names are meant
    if apt_install $("$venv/bin/python" -P -m audit.system_libraries --debian-packages) 2>/dev/null &&
        "$venv/bin/python" -P -m audit.system_libraries >/dev/null; then
        return
    fi
    say "$advice"
}

main() {
    local python want
    python="$(find_python)"
    want="$(fingerprint "$python")"
    if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
        return
    fi
    announce
    make_venv "$python"
    install_packages || fail "The installation must finish; pip stopped with the message above." \
        "Check the network and the free disk space, then repeat."
    install_system_libraries
    printf '%s\n' "$want" >"$stamp"
    say "Set up. clip-audit doctor tells what is there: $venv/bin/clip-audit doctor"
}

main
