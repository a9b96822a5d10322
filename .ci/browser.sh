#!/usr/bin/env bash
# Brings what the browser tests need: Chromium, Node and the packages of tests/browser.
# Where it may not install, it says so and ends well: those tests are then skipped, or, with
# CI=true, they fail.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/packages.sh
room=tests/browser
stamp="$room/node_modules/.set-up"

say() { printf '%s\n' "$*"; }
leave() {
    say "$* Browser tests are skipped, or fail where CI=true."
    exit 0
}

has_browser() {
    [ -x "${CHROMIUM:-}" ] || command -v chromium || command -v chromium-browser ||
        command -v google-chrome
} >/dev/null

has_node() {
    command -v node && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'
} >/dev/null 2>&1

install_programs() {
    local missing=()
    has_browser || missing+=(chromium)
    has_node || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    [ ${#missing[@]} -eq 0 ] && return
    say "Browser tests need ${missing[*]}; trying to install ..."
    if ! apt_install "${missing[@]}" 2>/dev/null || ! has_browser || ! has_node || ! command -v npm >/dev/null; then
        leave "Could not install ${missing[*]} (Debian: sudo apt-get install -y ${missing[*]};" \
            "Node must be 18 or newer)."
    fi
}

install_packages() {
    local want
    want="$(sha256sum "$room/package-lock.json" | cut -d ' ' -f 1)"
    [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
    (cd "$room" && PUPPETEER_SKIP_DOWNLOAD=1 npm ci --ignore-scripts --no-audit --no-fund \
        --no-update-notifier --loglevel=error </dev/null >/dev/null) ||
        leave "npm could not install the packages of $room/package-lock.json."
    printf '%s\n' "$want" >"$stamp"
}

install_programs
install_packages
