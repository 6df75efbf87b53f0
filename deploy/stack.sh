#!/usr/bin/env bash
# Brings a Docker Swarm to the version that .env or BALLAST_VERSION names. Run it on a manager, with docker-compose.swarm.yml in
# COMPOSE_FILE. First the stores, then the tables, then all the rest, new replicas first; when one of a service does not become
# healthy, Swarm takes that service back, and this ends with 1. Caddy keeps its image, since its address has room for one:
#
#   deploy/stack.sh                            the first start, a new version, other secrets, other numbers of replicas
#   CADDY_VERSION=2026-12-01 deploy/stack.sh   Caddy too: for some seconds nobody can connect to a node whose Caddy is replaced
#   deploy/stack.sh --restore TIME|latest      the database as it was then, from the backups, its open jobs held (docs/backups.md)
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

put() { # put SERVICE…: as the files say, whatever becomes of them
  render "$@" >"$work/stack.yml"
  secrets "$work/secrets" "$@" >"$work/secrets.yml"
  docker stack deploy --with-registry-auth --resolve-image "${RESOLVE_IMAGE:-always}" --detach=true \
    -c "$work/stack.yml" -c "$work/secrets.yml" "$stack" >&2
}

deploy() { # deploy SERVICE…: and wait until they are as they should be
  put "$@"
  await "$@"
}

await() {
  local service round end=$((SECONDS + wait_seconds))
  # Swarm begins a moment after it was told, and shows until then what was: who is settled has to be so some seconds later too.
  for round in first second; do
    for service in "$@"; do
      until settled "$stack"_"$service"; do
        ((SECONDS < end)) || { tell "$stack"_"$service"; die "$service is not there after $wait_seconds s"; }
        sleep 1
      done
    done
    [ "$round" = second ] || sleep 3
  done
  for service in "$@"; do
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

# On the node that keeps the data, as a job of Swarm. Postgres is away meanwhile, and stays away when it cannot be told what it would find.
restore() {
  local service state former=() end=$((SECONDS + wait_seconds))
  for service in postgres backup; do
    docker service inspect "$stack"_"$service" >/dev/null 2>&1 || continue
    former+=("$service")
    docker service scale --detach "$stack"_"$service=0" >/dev/null
  done
  for service in "${former[@]}"; do
    until stopped "$stack"_"$service"; do
      ((SECONDS < end)) || die "$service does not stop"
      sleep 1
    done
  done
  say "restoring to $RESTORE_TO"
  forget_restore
  cp -r "$work/secrets/backup" "$work/secrets/restore"
  put restore
  # However long it takes.
  while state=$(docker service ps --format '{{.CurrentState}}' "$stack"_restore); do
    case $state in
      Complete*) break ;;
      Failed* | Rejected* | Orphaned* | Shutdown*)
        tell "$stack"_restore
        forget_restore
        die "nothing was restored, and Postgres stays away; when that is mended: deploy/stack.sh --restore TIME, or deploy/stack.sh for what was there" ;;
    esac
    sleep 1
  done
  timeout 30 docker service logs --raw "$stack"_restore || true
  forget_restore
  for service in "${former[@]}"; do
    docker service scale --detach "$stack"_"$service=1" >/dev/null
    await "$service"
  done
  if [ ${#former[@]} = 0 ]; then say 'now all the rest: deploy/stack.sh'; fi
  say "the jobs that were open then are held; on a node with a worker: docker exec \$(docker ps -qf name=${stack}_worker | head -n 1) ballast jobs list --state held"
}

stopped() { # stopped NAME: nothing of it runs any more where the data is; of a node that is gone nobody can say
  [[ ! $(docker service ps --filter "node=$keeper" --format '{{.CurrentState}}' "$1") =~ (^|$'\n')(Assigned|Accepted|Preparing|Ready|Starting|Running)' ' ]]
}

forget_restore() {
  local secrets
  docker service rm "$stack"_restore >/dev/null 2>&1 || true
  mapfile -t secrets < <(docker secret ls -q --filter "name=$stack-restore-")
  # Only a service that is gone lets go of them.
  [ ${#secrets[@]} = 0 ] || docker secret rm "${secrets[@]}" >/dev/null 2>&1 || true
}

case ${1:-} in
  '' | --render) ;;
  --restore)
    [[ ${2:-} =~ ^(latest|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))$ ]] ||
      die 'to which moment? such as --restore 2026-11-24T08:30:00Z, or --restore latest: all that there is'
    export RESTORE_TO=$2 ;;
  *) die "unknown: $1 (none, --render or --restore TIME)" ;;
esac

stack=$(docker compose config | sed -n 's/^name: //p')
mapfile -t services < <(docker compose config --services)
[[ " ${services[*]} " != *' secrets '* ]] || die 'docker-compose.swarm.yml is not in COMPOSE_FILE'
for service in "${services[@]}"; do
  case $service in
    prometheus | grafana) die "$service is not made for Swarm: leave the profile observability out of COMPOSE_PROFILES" ;;
    restore) die 'a restore is no service: leave its profile out of COMPOSE_PROFILES, and say deploy/stack.sh --restore TIME' ;;
  esac
done
if [ -z "${CADDY_VERSION:-}" ]; then
  CADDY_VERSION=$(docker service inspect -f '{{.Spec.TaskTemplate.ContainerSpec.Image}}' "$stack"_caddy 2>/dev/null | sed 's/@.*//; s/.*://' || true)
  export CADDY_VERSION
fi
if [ "${1:-}" = --render ]; then render; exit; fi

[ "$(docker info -f '{{.Swarm.ControlAvailable}}')" = true ] || die 'this engine manages no Swarm: docker swarm init'
read -r keeper state < <(docker node ls --filter node.label=ballast.data=true --format '{{.ID}} {{.Status}}' | paste -sd ' ') || true
[[ ${state:-} =~ ^[A-Za-z]+$ ]] || die 'one node has to keep the data, and no other: docker node update --label-add ballast.data=true NODE'
[ "$state" = Ready ] || die 'the node that keeps the data is away: docs/docker-scaling.md#when-postgres-node-is-lost'

# In memory, and gone at the end.
work=$(mktemp -d /dev/shm/ballast-stack-XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/secrets"
docker run --rm --network none --user 0:0 --tmpfs /secrets \
  -v "$(realpath "${SECRETS_DIRECTORY:-secrets}"):/given:ro" "$(docker compose config --images migrate)" \
  sh -c 'ballast secrets deliver /secrets --from /given >&2 && tar -cC /secrets .' | tar -xC "$work/secrets" --no-same-owner

if [ "${1:-}" = --restore ]; then restore; exit; fi

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
