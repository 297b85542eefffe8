# shellcheck shell=bash
# A private PostgreSQL in DIR/pg: no network, its own unix socket, its own role and data. Needs say.sh.
#
# A return without a number is avoided here: in a trap it would give the status from before the trap.
#
# PostgreSQL refuses to run as root, so root hands it to the user `postgres`; anyone else runs it as themselves.
# DIR/pg is a link when PostgreSQL could not live there: a folder above is closed to its user, or the path is longer
# than it can hold. The socket is in a short folder under /tmp, whose name is in DIR/pg.socket, because the path of a
# unix socket may have 107 bytes at most.

PG_ROLE=patron           # superuser of the private cluster, known by its socket folder alone
PG_PATH_MAX=900          # PostgreSQL holds paths of 1023 bytes; its own file names come on top
PG_VERSION_MIN=15
PG_WAIT_SECONDS=60       # for start, recovery and stop
PG_BUFFERS_MAX_MB=256

# pg_user: who runs the database.
pg_user() {
        if [ "$(id -u)" != 0 ]; then
                id -un
                return 0
        fi
        id -u postgres >/dev/null 2>&1 ||
                useradd --system --user-group --no-create-home --shell /usr/sbin/nologin postgres
        echo postgres
}

# pg_as COMMAND...: run it as that user, in a folder that the user can read.
pg_as() {
        if [ "$(id -u)" != 0 ]; then
                "$@"
        else
                pg_as_root "$@"
        fi
}

pg_as_root() {
        setpriv --reuid="$(pg_user)" --regid="$(pg_user)" --init-groups env -C / HOME=/ "$@"
}

# pg_home DIR: the data directory itself, links resolved.
pg_home() {
        readlink -m "$1/pg"
}

# pg_bin [HOME]: the folder of the programs: the newest, or the ones that fit the data in HOME.
pg_bin() {
        local version='*' found

        [ ! -s "${1:-}/PG_VERSION" ] || version=$(cat "$1/PG_VERSION")
        # shellcheck disable=SC2086 # the version is a pattern
        found=$(printf '%s\n' /usr/lib/postgresql/$version/bin/postgres | sort -V | tail -n 1)
        [ -x "$found" ] || found=$(command -v postgres) || {
                say "PostgreSQL ${version/#\*/} is not installed${1:+; the data in $1 needs it}"
                return 1
        }
        dirname "$found"
}

# pg_live HOME: prints the process id when a server runs on this data. A process that merely has the number of a dead
# one is told apart by its working directory, which for PostgreSQL is its data.
pg_live() {
        local id

        [ -r "$1/postmaster.pid" ] && read -r id <"$1/postmaster.pid" &&
                [ "$(readlink "/proc/$id/cwd")" = "$1" ] && echo "$id"
}

# pg_create DIR [SETTING...]: a new cluster unless there is one; settings are lines of postgresql.conf. A creation that
# was cut short leaves only a folder beside the final one, which the next creation removes.
pg_create() {
        local dir=$1 home bin log

        shift
        [ ! -s "$dir/pg/PG_VERSION" ] || return 0
        bin=$(pg_bin) && pg_new_enough "$bin" && pg_choose_home "$dir" || return 1
        home=$(pg_home "$dir")
        rm -rf "$home.new"
        mkdir -m 0700 "$home.new"
        [ "$(id -u)" != 0 ] || chown "$(pg_user):" "$home.new"
        log=$(mktemp)
        quiet "$log" pg_as "$bin/initdb" --pgdata="$home.new" --username="$PG_ROLE" --auth=trust --encoding=UTF8 \
                --locale=C.UTF-8 --data-checksums --no-instructions || return 1
        { pg_settings && pg_wal_compression "$home.new" "$bin" && printf '%s\n' "$@"; } >>"$home.new/postgresql.conf"
        rm -rf "$home" "$log"
        mv "$home.new" "$home"
}

# pg_new_enough BIN: whether the programs there are of a version that Patron works with.
pg_new_enough() {
        local version

        version=$("$1/postgres" --version | grep -oE '[0-9]+' | head -n 1)
        [ "$version" -ge "$PG_VERSION_MIN" ] && return 0
        say "PostgreSQL $version is too old: Patron needs $PG_VERSION_MIN or newer." \
                "https://www.postgresql.org/download/ has packages of it for your system."
        return 1
}

# pg_choose_home DIR: make sure that DIR/pg can be the data directory, or link it to one that can.
pg_choose_home() {
        local dir=$1 base home

        if [ -L "$dir/pg" ] && [ -d "$(dirname "$(pg_home "$dir")")" ]; then
                return 0
        fi
        rm -rf "$dir/pg"
        if [ ${#dir} -le $PG_PATH_MAX ] && pg_as test -x "$dir"; then
                return 0
        fi
        base=${XDG_DATA_HOME:-$HOME/.local/share}/patron
        [ "$(id -u)" != 0 ] || base=/var/lib/patron
        mkdir -p "$base"
        home=$(mktemp -d "$base/XXXXXX")
        chmod 0711 "$home"
        ln -s "$home/pg" "$dir/pg"
        say "The database user can't work below $dir; its data is in $home/pg"
}

# pg_wal_compression HOME BIN: the setting for it. The log holds each page whole when it is first changed behind a
# checkpoint; lz4 makes it smaller with less work than the default pglz, where PostgreSQL was built with it.
pg_wal_compression() {
        local method=on

        ! pg_as "$2/postgres" -D "$1" -c wal_compression=lz4 -C wal_compression >/dev/null 2>&1 || method=lz4
        echo "wal_compression = $method"
}

# pg_settings: what differs from PostgreSQL's own defaults, as lines of postgresql.conf.
pg_settings() {
        local quarter

        quarter=$(awk '$1 == "MemTotal:" { print int($2 / 1024 / 4) }' /proc/meminfo)
        cat <<END

# Patron's private database: reached over its unix socket only.
listen_addresses = ''
unix_socket_permissions = 0700
fsync = on
shared_buffers = $((quarter < PG_BUFFERS_MAX_MB ? quarter : PG_BUFFERS_MAX_MB))MB
max_wal_size = 2GB
autovacuum = on
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
END
}

# pg_socket DIR: prints the socket folder; makes one when there is none or the last was cleaned away.
pg_socket() {
        local folder

        if pg_socket_usable "$1"; then
                cat "$1/pg.socket"
                return 0
        fi
        folder=$(mktemp -d /tmp/patron-pg.XXXXXX)
        [ "$(id -u)" != 0 ] || chown "$(pg_user):" "$folder"
        echo "$folder" | tee "$1/pg.socket"
}

# pg_socket_usable DIR: whether the remembered folder is there and only its owner can put a socket into it.
pg_socket_usable() {
        [ -s "$1/pg.socket" ] && [ "$(stat -c '%U %a %F' "$(cat "$1/pg.socket")" 2>/dev/null)" = "$(pg_user) 700 directory" ]
}

# pg_start DIR: create the cluster if need be, start it and wait until it takes connections. Nothing to do when it
# runs already, except that one whose socket was cleaned away is started anew.
pg_start() {
        local dir=$1 home

        home=$(pg_home "$dir")
        if pg_live "$home" >/dev/null; then
                [ ! -S "$(cat "$dir/pg.socket" 2>/dev/null)/.s.PGSQL.5432" ] || return 0
                pg_stop "$dir"
        fi
        pg_create "$dir" && pg_start_retrying "$dir"
}

# pg_start_retrying DIR: after a crash the processes of the dead server may take a moment to let go of its memory.
pg_start_retrying() {
        local dir=$1 home bin socket log tries=0

        home=$(pg_home "$dir")
        bin=$(pg_bin "$home") && socket=$(pg_socket "$dir") || return 1
        log=$(mktemp)
        while pg_forget_dead "$home" "$socket" && ! pg_ctl_start "$home" "$bin" "$socket" >"$log" 2>&1; do
                tries=$((tries + 1))
                if [ $tries -gt 50 ] || ! grep -qE 'still in use|already exists' "$log" "$home/log/"*; then
                        cat "$log" "$home/log/"* 2>/dev/null | tail -n 20 >&2
                        say "PostgreSQL does not start on $home"
                        return 1
                fi
                sleep 0.2
        done
        rm -f "$log"
}

# pg_ctl_start HOME BIN SOCKET: start and wait. Descriptors 8 and 9 are the locks of the tools: not for the server.
pg_ctl_start() {
        pg_as env -u PGPORT -u PGDATA "$2/pg_ctl" start --pgdata="$1" --silent --wait --timeout="$PG_WAIT_SECONDS" \
                --options="-p 5432 -k $3" </dev/null 8>&- 9>&-
}

# pg_forget_dead HOME SOCKET: remove the marks of a dead server whose number still names a process: another one (after
# a reboot, in a container), or its own corpse that nobody has collected. PostgreSQL would take it for alive.
pg_forget_dead() {
        local id

        [ -r "$1/postmaster.pid" ] && read -r id <"$1/postmaster.pid" && [ -d "/proc/$id" ] || return 0
        if [ "$(cat "/proc/$id/comm")" != postgres ] || grep -q '^State:[[:space:]]*Z' "/proc/$id/status"; then
                rm -f "$1/postmaster.pid" "$2/.s.PGSQL.5432" "$2/.s.PGSQL.5432.lock"
        fi
}

# pg_stop DIR: stop it, cutting connections; nothing to do when it does not run.
pg_stop() {
        local dir=$1 home socket

        home=$(pg_home "$dir")
        if pg_live "$home" >/dev/null; then
                pg_as "$(pg_bin "$home")/pg_ctl" stop --pgdata="$home" --mode=fast --silent --wait \
                        --timeout="$PG_WAIT_SECONDS" || return 1
        fi
        if pg_socket_usable "$dir"; then
                socket=$(cat "$dir/pg.socket")
                rm -f "$dir/pg.socket"
                rm -rf "$socket"
        fi
}

# pg_kill DIR: end it at once, as a power cut would; for tests.
pg_kill() {
        local id

        id=$(pg_live "$(pg_home "$1")") && kill -KILL "$id"
}

# pg_remove DIR: stop it and delete its data.
pg_remove() {
        local home

        home=$(pg_home "$1")
        pg_stop "$1"
        rm -rf "$home" "$home.new"
        [ ! -L "$1/pg" ] || rmdir "$(dirname "$home")"
        rm -rf "$1/pg"
}

# pg_url DIR NAME: the address of a database in it, as libpq takes it.
pg_url() {
        echo "postgresql:///$2?host=$(cat "$1/pg.socket")&port=5432&user=$PG_ROLE"
}

# pg_conninfo DIR NAME: the same in keyword form, to which a program may add settings; a later one wins.
pg_conninfo() {
        echo "host=$(cat "$1/pg.socket") port=5432 user=$PG_ROLE dbname=$2"
}

# pg_sql DIR NAME SQL: run it in the database NAME and print what comes back.
pg_sql() {
        "$(pg_bin "$(pg_home "$1")")/psql" --no-psqlrc --quiet --tuples-only --no-align -v ON_ERROR_STOP=1 \
                --command="$3" "$(pg_url "$1" "$2")"
}

# pg_database DIR NAME [TEMPLATE]: create the database unless there is one; names are letters, digits and _.
pg_database() {
        [ "$(pg_sql "$1" postgres "SELECT 1 FROM pg_database WHERE datname = '$2'")" = 1 ] ||
                pg_sql "$1" postgres "CREATE DATABASE $2${3:+ TEMPLATE $3}"
}
