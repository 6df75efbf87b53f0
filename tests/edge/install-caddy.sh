#!/usr/bin/env bash
# Puts a Caddy that keeps what it learnt of replicas found by DNS (2.11.2 or newer) on the PATH: this Debian's own, or, where
# that is older, the one program out of Debian testing's package. Nothing else of the system changes.
set -euo pipefail
. "$(dirname "$0")/../../scripts/test/apt-of-testing.sh"

oldest=2.11.2
fits() { [ -n "$1" ] && [ "$(printf '%s\n' "$oldest" "$1" | sort -V | head -n 1)" = "$oldest" ]; }

if fits "$(caddy version 2>/dev/null | sed 's/^v//; s/ .*//')"; then exit; fi
[ "$(id -u)" = 0 ] || exec sudo bash "$0"

apt-get update -qq
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
apt_of_testing "$folder"
(cd "$folder/debs" && apt-get download -qq caddy)
dpkg -x "$folder"/debs/caddy_*.deb "$folder/root"
install -m 755 "$folder/root/usr/bin/caddy" /usr/local/bin/caddy
/usr/local/bin/caddy version >/dev/null
