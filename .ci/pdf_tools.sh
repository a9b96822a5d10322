#!/usr/bin/env bash
# Brings the programs that the tests of PDF reports ask for a second opinion, qpdf and poppler, and
# the font of Chinese pages.
# Where it may not install, it says so and ends well: those tests are then skipped, or, with
# CI=true, they fail.
set -euo pipefail

say() { printf '%s\n' "$*"; }

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

apt_install() {
    local prefix
    command -v apt-get >/dev/null || return 1
    prefix="$(as_root)" || return 1
    $prefix DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >/dev/null 2>&1 &&
        $prefix DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "$@" </dev/null >/dev/null 2>&1
}

missing=()
command -v qpdf >/dev/null || missing+=(qpdf)
command -v pdftotext >/dev/null && command -v pdftoppm >/dev/null || missing+=(poppler-utils)
[ -n "$(fc-list :lang=zh-cn family 2>/dev/null)" ] || missing+=(fontconfig fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0

say "Tests of PDF reports use ${missing[*]}; trying to install ..."
apt_install "${missing[@]}" ||
    say "Could not install ${missing[*]} (Debian: sudo apt-get install -y ${missing[*]})." \
        "Tests that use them are skipped, or fail where CI=true."
