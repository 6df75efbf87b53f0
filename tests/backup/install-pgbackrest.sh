#!/usr/bin/env bash
# Installs a pgBackRest that knows Postgres 18 (2.57 or newer): this Debian's own, or, where that is older, the one of
# Debian testing, unpacked into a folder of its own with the libraries that it needs. Nothing else of the system changes.
set -euo pipefail

oldest=2.57
folder=/opt/ballast-pgbackrest
fits() { [ -n "$1" ] && [ "$(printf '%s\n' "$oldest" "$1" | sort -V | head -n 1)" = "$oldest" ]; }

if fits "$(pgbackrest version 2>/dev/null | sed 's/.* //')"; then exit; fi
[ "$(id -u)" = 0 ] || exec sudo bash "$0"

apt-get update -qq
candidate=$(apt-cache policy pgbackrest | sed -n 's/^ *Candidate: //p')
if fits "${candidate%-*}"; then
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pgbackrest >/dev/null
  exit
fi

mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "main" { print $1; exit }')
rm -rf "$folder"
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
# Its libraries, and theirs, down to libc: none of this machine's is mixed in.
needed=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances pgbackrest |
  grep -E '^(pgbackrest$|lib)' | grep -vE 'perl|gconv|debian-installer|^libc-bin' | sort -u)
# shellcheck disable=SC2086
(cd "$folder/debs" && apt-get download -qq $needed)
for package in "$folder"/debs/*.deb; do dpkg -x "$package" "$folder/root"; done
rm -rf "$folder/debs" "$folder/apt"

libraries=$folder/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
loader=$(find "$libraries" -name 'ld-linux*' | head -n 1)
# It starts itself again by its own name, and so has to know this one.
cat > /usr/local/bin/pgbackrest <<RUN
#!/bin/sh
exec $loader --argv0 /usr/local/bin/pgbackrest --library-path $libraries $folder/root/usr/bin/pgbackrest "\$@"
RUN
chmod 755 /usr/local/bin/pgbackrest
pgbackrest version >/dev/null
