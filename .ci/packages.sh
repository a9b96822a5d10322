# Installs Debian packages where that is allowed; read by the scripts beside this file.

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

# Installs Debian packages; fails quietly where there is no apt-get or no right to use it.
apt_install() {
    local prefix
    command -v apt-get >/dev/null || return 1
    prefix="$(as_root)" || return 1
    $prefix DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >/dev/null &&
        $prefix DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "$@" </dev/null >/dev/null
}
