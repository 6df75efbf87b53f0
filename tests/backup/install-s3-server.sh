#!/usr/bin/env bash
# Installs OpenStack Swift's library, whose proxy speaks S3, for tests/backup/s3.test.ts: Debian's own, without its services.
set -euo pipefail

/usr/bin/python3 -c 'import swift.common.middleware.s3api' 2>/dev/null && exit
[ "$(id -u)" = 0 ] || exec sudo bash "$0"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-swift >/dev/null
/usr/bin/python3 -c 'import swift.common.middleware.s3api'
