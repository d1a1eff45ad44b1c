#!/bin/sh
# Installs the distribution's Chromium, for the tests in a browser.
set -eu
if command -v apt-get >/dev/null; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
else
    echo "Install your distribution's chromium package, or name another Chromium by E2E_CHROMIUM." >&2
    exit 1
fi
