#!/usr/bin/env bash
# Brings the programs that the tests of PDF reports ask for a second opinion, qpdf and poppler, and
# the font of Chinese pages.
# Where it may not install, it says so and ends well: those tests are then skipped, or, with
# CI=true, they fail.
set -euo pipefail
. "$(dirname "$0")/packages.sh"

say() { printf '%s\n' "$*"; }

missing=()
command -v qpdf >/dev/null || missing+=(qpdf)
command -v pdftotext >/dev/null && command -v pdftoppm >/dev/null || missing+=(poppler-utils)
[ -n "$(fc-list :lang=zh-cn family 2>/dev/null)" ] || missing+=(fontconfig fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0

say "Tests of PDF reports use ${missing[*]}; trying to install ..."
apt_install "${missing[@]}" 2>/dev/null ||
    say "Could not install ${missing[*]} (Debian: sudo apt-get install -y ${missing[*]})." \
        "Tests that use them are skipped, or fail where CI=true."
