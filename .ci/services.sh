#!/usr/bin/env bash
# Brings the database server that tests of shared stores need: Debian's postgresql, of which the
# tests start one of their own and throw it away. Where it may not install, it says so and ends
# well: those tests are then skipped, or, with CI=true, they fail.
set -euo pipefail

# Keeps the package from starting a server of its own, for as long as it is being installed.
no_cluster=/etc/postgresql-common/createcluster.d/clip-audit-tests.conf

say() { printf '%s\n' "$*"; }

has_server() {
    command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb'
} >/dev/null

# Prints the prefix under which root's commands run; fails where we may not become root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        echo env
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        echo "sudo -n env"
    else
        return 1
    fi
}

install_server() {
    local prefix done=0
    command -v apt-get >/dev/null || return 1
    prefix="$(as_root)" || return 1
    $prefix mkdir -p "${no_cluster%/*}" || return 1
    echo 'create_main_cluster = false' | $prefix tee "$no_cluster" >/dev/null || return 1
    $prefix DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >/dev/null 2>&1 &&
        $prefix DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            postgresql </dev/null >/dev/null 2>&1 || done=1
    $prefix rm -f "$no_cluster"
    return "$done"
}

has_server && exit 0
say "Tests of shared stores need a PostgreSQL server; trying to install it ..."
if ! install_server || ! has_server; then
    say "Could not install postgresql (Debian: sudo apt-get install -y postgresql). Tests that need" \
        "it are skipped, or fail where CI=true."
fi
