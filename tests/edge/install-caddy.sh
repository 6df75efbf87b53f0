#!/usr/bin/env bash
# Puts a Caddy that keeps what it learnt of replicas found by DNS (2.11.2 or newer) on the PATH: this Debian's own, or, where
# that is older, the one program out of Debian testing's package. Nothing else of the system changes.
set -euo pipefail

oldest=2.11.2
fits() { [ -n "$1" ] && [ "$(printf '%s\n' "$oldest" "$1" | sort -V | head -n 1)" = "$oldest" ]; }

if fits "$(caddy version 2>/dev/null | sed 's/^v//; s/ .*//')"; then exit; fi
[ "$(id -u)" = 0 ] || exec sudo bash "$0"

apt-get update -qq
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "main" { print $1; exit }')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"/apt/{etc/preferences.d,etc/parts,lists/partial,cache/archives/partial} "$folder"/{debs,root}
: > "$folder/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror forky main" > "$folder/apt/etc/sources.list"
# An apt of its own, so that this machine's sources and lists stay as they are. A mirror may be a snapshot, past its date.
cat > "$folder/apt/conf" <<CONF
Dir::Etc "$folder/apt/etc"; Dir::Etc::sourceparts "$folder/apt/etc/parts"; Dir::Etc::parts "$folder/apt/etc/parts";
Dir::State::lists "$folder/apt/lists"; Dir::State::status "$folder/apt/status"; Dir::Cache "$folder/apt/cache";
APT::Sandbox::User "root"; Acquire::Check-Valid-Until "false"; Acquire::Languages "none";
CONF
export APT_CONFIG=$folder/apt/conf
apt-get update -qq
(cd "$folder/debs" && apt-get download -qq caddy)
dpkg -x "$folder"/debs/caddy_*.deb "$folder/root"
install -m 755 "$folder/root/usr/bin/caddy" /usr/local/bin/caddy
/usr/local/bin/caddy version >/dev/null
