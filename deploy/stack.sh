#!/usr/bin/env bash
# Brings a Docker Swarm to the version that .env or BALLAST_VERSION names. Run it on a manager, with docker-compose.swarm.yml in
# COMPOSE_FILE. First the stores, then the tables, then all the rest, new replicas first; when one of a service does not become
# healthy, Swarm takes that service back, and this ends with 1. Caddy keeps its image, since its address has room for one:
#
#   deploy/stack.sh                            the first start, a new version, other secrets, other numbers of replicas
#   CADDY_VERSION=2026-12-01 deploy/stack.sh   Caddy too: for some seconds nobody can connect to a node whose Caddy is replaced
#   deploy/stack.sh --render                   the stack file, and nothing else happens
#
# It needs nothing on the server but Docker and bash. Swarm starts everything at once, so what has to be first is deployed first.
set -euo pipefail
cd "$(dirname "$0")/.."
wait_seconds=${STACK_WAIT_SECONDS:-300}

say() { printf 'stack: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# In the words of `docker stack deploy`, which reads an older form of the same language.
render() { # render [SERVICE…]
  docker compose config "$@" |
    sed -E -e '/^name: /d' -e '/^x-/,$d' -e '/^    profiles:$/,/^    [a-z]/{/^    profiles:$/d;/^      - /d}' -e 's/^( +cpus: )([0-9.]+)$/\1"\2"/' -e 's/^( +(published|size): )"([0-9]+)"$/\1\3/'
}

# A secret of Swarm never changes, so its name changes with its content; salted, since names are not secret.
secrets() { # secrets FOLDER SERVICE…: each service gets the files of its own folder
  local folder=$1 service file name; shift
  local uses='services:' all='secrets:'
  for service in "$@"; do
    [ -d "$folder/$service" ] || continue
    uses+=$'\n'"  $service:"$'\n'"    secrets:"
    for file in "$folder/$service"/*; do
      name=$stack-$service-${file##*/}-$(cat "$folder/backup/backup_key" "$file" | sha256sum | cut -c1-8)
      uses+=$'\n'"      - { source: $service-${file##*/}, target: ${file##*/} }"
      all+=$'\n'"  $service-${file##*/}: { name: $name, file: $file }"
    done
  done
  printf 'version: "3.13"\n%s\n%s\n' "$uses" "$all"
}

deploy() { # deploy SERVICE…: and wait until they are as they should be
  render "$@" >"$work/stack.yml"
  secrets "$work/secrets" "$@" >"$work/secrets.yml"
  docker stack deploy --with-registry-auth --resolve-image "${RESOLVE_IMAGE:-always}" --detach=true \
    -c "$work/stack.yml" -c "$work/secrets.yml" "$stack" >&2
  local service end=$((SECONDS + wait_seconds))
  for service in "$@"; do
    until settled "$stack"_"$service"; do
      ((SECONDS < end)) || { tell "$stack"_"$service"; die "$service is not there after $wait_seconds s"; }
      sleep 1
    done
    case $(updated "$stack"_"$service") in
      rollback* | paused) tell "$stack"_"$service"; die "$service: the new version did not become healthy, the former one stays" ;;
    esac
    say "$service: done"
  done
}

updated() { docker service inspect -f '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' "$1"; }

settled() { # settled NAME: no update is under way, and as many run, or have ended well, as are wanted
  local replicas
  case $(updated "$1") in updating | rollback_started) return 1 ;; esac
  replicas=$(docker service ls --filter "name=$1" --format '{{.Name}} {{.Mode}} {{.Replicas}}' | sed -n "s/^$1 //p")
  [[ $replicas =~ job.*\(([0-9]+)/([0-9]+)\ completed\) || $replicas =~ ^[a-z]+\ ([0-9]+)/([0-9]+) ]] || return 1
  [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}

tell() { # tell NAME: why its tasks ended
  docker service ps --no-trunc --format '{{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}' "$1" | head -n 5 >&2
  timeout 10 docker service logs --raw --tail 20 "$1" >&2 || true
}

stack=$(docker compose config | sed -n 's/^name: //p')
mapfile -t services < <(docker compose config --services)
[[ " ${services[*]} " != *' secrets '* ]] || die 'docker-compose.swarm.yml is not in COMPOSE_FILE'
for service in "${services[@]}"; do
  case $service in
    prometheus | grafana) die "$service is not made for Swarm: leave the profile observability out of COMPOSE_PROFILES" ;;
    restore) die 'a restore is no service: docs/backups.md says how it is done in a Swarm' ;;
  esac
done
if [ -z "${CADDY_VERSION:-}" ]; then
  CADDY_VERSION=$(docker service inspect -f '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "$stack"_caddy 2>/dev/null | sed 's/@.*//; s/.*://' || true)
  export CADDY_VERSION
fi
if [ "${1:-}" = --render ]; then render; exit; fi

[ "$(docker info -f '{{.Swarm.ControlAvailable}}')" = true ] || die 'this engine manages no Swarm: docker swarm init'
[ "$(docker node ls -q --filter node.label=ballast.data=true | wc -l)" = 1 ] ||
  die 'one node has to keep the data, and no other: docker node update --label-add ballast.data=true NODE'

# In memory, and gone at the end.
work=$(mktemp -d /dev/shm/ballast-stack-XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/secrets"
docker run --rm --network none --user 0:0 --tmpfs /secrets \
  -v "$(realpath "${SECRETS_DIRECTORY:-secrets}"):/given:ro" "$(docker compose config --images migrate)" \
  sh -c 'ballast secrets deliver /secrets --from /given >&2 && tar -cC /secrets .' | tar -xC "$work/secrets" --no-same-owner

stores=() rest=()
for service in "${services[@]}"; do
  case $service in
    postgres | redis-*) stores+=("$service") ;;
    migrate) ;;
    *) rest+=("$service") ;;
  esac
done
deploy "${stores[@]}"
deploy migrate
deploy "${rest[@]}"
