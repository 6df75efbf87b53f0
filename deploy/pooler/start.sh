#!/usr/bin/env bash
# Writes PgBouncer's configuration from its environment, and becomes it. What holds for a session is not said here: the limits
# are the roles' own, which the migration sets, so that no session can lose them (docs/decisions/0030-a-pooler-for-requests.md).
set -euo pipefail
postgres=${POOLER_POSTGRES:-host=postgres port=5432}
name=
if [[ $postgres =~ (^| )host=([^ ,]+)( |$) ]]; then name=${BASH_REMATCH[2]}; fi

# Where Postgres is, as the system's resolver says; nothing when it does not know.
look() {
  local found=
  [ -z "$name" ] || read -r found _ < <(getent ahosts "$name") || true
  printf '%s' "$found"
}

configure() { # configure ADDRESS: empty for what the name says
  cat >/tmp/pgbouncer.ini.next <<INI
[databases]
* = ${postgres/host=$name/host=${1:-$name}}

[pgbouncer]
listen_addr = 0.0.0.0
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /run/secrets/userlist.txt

; A session belongs to a client for the length of a transaction. Statements that one client has prepared are prepared again in
; the session that it gets next.
pool_mode = transaction
max_prepared_statements = 500

; Of each of two logins: what requests ask, and what identity asks.
default_pool_size = ${POOLER_SESSIONS:-20}
max_client_conn = ${POOLER_CLIENTS:-2000}

; Who has waited for so long is told that the database is busy, as by a full pool of the API's own.
query_wait_timeout = 4
; Postgres that is back is in use a second later.
server_connect_timeout = 2
server_login_retry = 1
dns_max_ttl = 2
; Sessions get new limits, and forget plans of former tables, in so many seconds.
server_lifetime = 300
; A link whose other end is gone.
tcp_keepidle = 10
tcp_keepintvl = 3
tcp_keepcnt = 3
tcp_user_timeout = 10000

log_connections = 0
log_disconnections = 0
log_stats = 0
INI
  mv /tmp/pgbouncer.ini.next /tmp/pgbouncer.ini
}

# The resolver inside PgBouncer keeps an answer as long as it may, which is ten minutes of Docker's, whatever dns_max_ttl
# says (c-ares 1.31 and later): a Postgres that came back under another address was away for so long.
follow() { # follow ADDRESS PROCESS
  local known=$1 now
  while sleep 1; do
    now=$(look)
    if [ -z "$now" ] || [ "$now" = "$known" ]; then continue; fi
    known=$now
    configure "$known"
    kill -HUP "$2"
  done
}

address=$(look)
configure "$address"
follow "$address" $$ &
exec pgbouncer /tmp/pgbouncer.ini
