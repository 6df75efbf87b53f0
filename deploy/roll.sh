#!/usr/bin/env bash
# Brings the running stack to the version that .env or BALLAST_VERSION names: migrates, then replaces the replicas of each
# service, new ones first. When a new one does not become healthy, the former ones stay and it ends with 1. One that is
# interrupted takes away what it added; when former ones have gone already, it takes away the rest of them instead.
#
#   deploy/roll.sh                   gives out the secrets, migrates, then api, worker, web
#   deploy/roll.sh web               only these services
#
# Migrations expand before they contract, so the former version works on the new tables while both run.
set -euo pipefail
cd "$(dirname "$0")/.."
wait_seconds=${ROLL_WAIT_SECONDS:-120}
# Of a processor that others want too, beside their 1024.
starting_shares=256
services=("$@")
whole=$((${#services[@]} == 0))
((whole)) && services=(api worker web)
project=$(docker compose config | sed -n 's/^name: //p')

say() { printf 'roll: %s\n' "$*" >&2; }

# Also those that have ended or are started again and again, since `--scale` counts them too; not those of `docker compose run`.
all() {
  docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False | sort
}

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

# What is under way: nothing, adding, or taking the former ones away.
stage='' of='' former=()

take_away() { # take_away ID…: each says that it is not ready, finishes what it has, and ends
  local id
  for id in "$@"; do docker stop "$id" >/dev/null; docker rm "$id" >/dev/null; done
}

replace() { # replace SERVICE: as many new ones as there are now, then the former ones go, one after another
  local -a added
  local shares
  of=$1
  mapfile -t former < <(all "$of")
  local count=${#former[@]}
  if [ -z "$(docker compose ps -q --status running --status restarting "$of")" ]; then
    say "$of does not run: docker compose up -d $of"; return 1
  fi
  say "$of: $count new beside $count"
  stage=adding
  docker compose up --no-start --no-deps --no-recreate --scale "$of=$((count * 2))" "$of"
  mapfile -t added < <(comm -13 <(printf '%s\n' "${former[@]}") <(all "$of"))
  if ((${#added[@]} != count)); then say "$of: ${#added[@]} were added, and not $count"; return 1; fi
  is_wanted "${added[@]}" || return 1
  # A start costs a processor a second. On a machine without one to spare, whoever serves comes first.
  shares=$(docker inspect -f '{{.HostConfig.CpuShares}}' "${added[0]}")
  docker update --cpu-shares "$starting_shares" "${added[@]}" >/dev/null
  docker start "${added[@]}" >/dev/null
  if ! healthy "$wait_seconds" "${added[@]}"; then docker logs --tail 20 "${added[0]}" >&2 || true; return 1; fi
  # 0 is Docker's word for 1024, and `update` takes it for nothing said.
  docker update --cpu-shares "$((shares ? shares : 1024))" "${added[@]}" >/dev/null
  stage=leaving
  take_away "${former[@]}"
  stage=''
  say "$of: done"
}

is_wanted() { # is_wanted ID…: each runs the image that its name stands for now
  local id name image
  for id in "$@"; do
    read -r name image < <(docker inspect -f '{{.Config.Image}} {{.Image}}' "$id")
    [ "$(docker image inspect -f '{{.Id}}' "$name")" = "$image" ] || { say "$id does not run $name"; return 1; }
  done
}

leave() { # whatever ended it
  trap '' INT TERM HUP
  # Whoever hung up hears nothing of it, and it has to be done all the same.
  set +e
  case $stage in
    adding)
      say "$of: the new ones go again, the former ones stay"
      mapfile -t added < <(comm -13 <(printf '%s\n' "${former[@]}") <(all "$of"))
      if ((${#added[@]})); then docker stop "${added[@]}" >/dev/null; docker rm -f "${added[@]}" >/dev/null; fi ;;
    leaving)
      say "$of: the new ones stay, what is left of the former ones goes"
      mapfile -t former < <(comm -12 <(printf '%s\n' "${former[@]}") <(all "$of"))
      take_away "${former[@]}" ;;
  esac
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if ((whole)); then
  docker compose run --rm -T --no-deps secrets
  docker compose run --rm -T --no-deps migrate
fi
for service in "${services[@]}"; do replace "$service"; done
