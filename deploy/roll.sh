#!/usr/bin/env bash
# Brings the running stack to the version that .env or BALLAST_VERSION names: migrates, then replaces the replicas of each
# service, new ones first. When a new one does not become healthy, the former ones stay and it ends with 1.
#
#   deploy/roll.sh                   migrate, then api, worker, web
#   deploy/roll.sh web               only these services
#
# Migrations expand before they contract, so the former version works on the new tables while both run.
set -euo pipefail
cd "$(dirname "$0")/.."
wait_seconds=${ROLL_WAIT_SECONDS:-120}
services=("$@")
whole=$((${#services[@]} == 0))
((whole)) && services=(api worker web)

say() { printf 'roll: %s\n' "$*" >&2; }
running() { docker compose ps -q --status running "$1"; }

healthy() { # healthy SECONDS ID…: all of them, in time
  local end=$((SECONDS + $1)) id state; shift
  for id in "$@"; do
    while state=$(docker inspect -f '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$id"); do
      [ "$state" = "running healthy" ] && break
      [[ $state == running* ]] || { say "$id has ended: $state"; return 1; }
      ((SECONDS < end)) || { say "$id is not healthy after ${wait_seconds} s: $state"; return 1; }
      sleep 0.5
    done
  done
}

replace() { # replace SERVICE: as many new ones as there are now, then the former ones go, one after another
  local service=$1 id
  local -a former added
  mapfile -t former < <(running "$service")
  local count=${#former[@]}
  if ((count == 0)); then say "$service does not run: docker compose up -d $service"; return 1; fi
  say "$service: $count new beside $count"
  docker compose up -d --no-deps --no-recreate --scale "$service=$((count * 2))" "$service"
  mapfile -t added < <(comm -13 <(printf '%s\n' "${former[@]}" | sort) <(docker compose ps -aq "$service" | sort))
  if ! healthy "$wait_seconds" "${added[@]}"; then
    say "$service: the new ones go again, the former ones stay"
    docker logs --tail 20 "${added[0]}" >&2 || true
    docker stop "${added[@]}" >/dev/null; docker rm -f "${added[@]}" >/dev/null
    return 1
  fi
  for id in "${former[@]}"; do
    # It says that it is not ready, finishes what it has, and ends.
    docker stop "$id" >/dev/null; docker rm "$id" >/dev/null
  done
  say "$service: done"
}

if ((whole)); then
  docker compose run --rm -T --no-deps secrets
  docker compose run --rm -T --no-deps migrate
fi
for service in "${services[@]}"; do replace "$service"; done
