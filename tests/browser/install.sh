#!/bin/sh
# Installs the distribution's Chromium, for the tests in a browser: the one without windows where it is packaged, whose
# pages cost a fifth; a Chromium that is there already does too.
set -eu

have() { command -v "$1" >/dev/null; }

install() {
    as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" fonts-dejavu-core
}

have chromium-headless-shell && exit 0
if have apt-get && { install chromium-headless-shell || have chromium || install chromium; }; then
    exit 0
fi
have chromium && exit 0
echo "Install your distribution's chromium package, or name another Chromium by E2E_CHROMIUM." >&2
exit 1
