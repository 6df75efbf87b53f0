#!/usr/bin/env bash
# Installs a pgBackRest that knows Postgres 18 (2.57 or newer): this Debian's own, or, where that is older, the one of
# Debian testing, unpacked into a folder of its own with the libraries that it needs. Nothing else of the system changes.
set -euo pipefail
. "$(dirname "$0")/../../scripts/test/apt-of-testing.sh"

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

rm -rf "$folder"
apt_of_testing "$folder"
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
