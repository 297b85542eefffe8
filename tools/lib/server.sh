# shellcheck shell=bash
# Start and stop the program `patron`, whose process id is in DIR/patron.pid. Needs say.sh.

SERVER_WAIT_SECONDS=120  # for the first answer: a start may migrate a large database
SERVER_STOP_SECONDS=$((${PATRON_DRAIN_SECONDS:-30} + 30)) # the server ends its drain itself; this is for one that hangs

# server_address LISTEN: the address under which a client on this machine reaches a server listening there.
server_address() {
        local host=${1%:*} port=${1##*:}

        case $host in
        '' | 0.0.0.0 | '[::]' | '*') host=127.0.0.1 ;;
        esac
        echo "$host:$port"
}

# server_live DIR: prints the process id of the server that belongs to DIR when it runs. A process that merely has the
# number of a dead server is told apart by its name and by the folder in its environment.
server_live() {
        local id

        [ -s "$1/patron.pid" ] && read -r id <"$1/patron.pid" && [ "$(cat "/proc/$id/comm")" = patron ] &&
                tr '\0' '\n' <"/proc/$id/environ" | grep -qxF "PATRON_DATA=$1" && echo "$id"
} 2>/dev/null

# server_listen ID: prints where the running server listens, as PATRON_LISTEN has it.
server_listen() {
        tr '\0' '\n' <"/proc/$1/environ" | sed -n 's/^PATRON_LISTEN=//p'
}

# server_port_free ADDRESS: whether nobody listens there.
server_port_free() {
        local host=${1%:*}

        host=${host#[}
        ! (exec 3<>"/dev/tcp/${host%]}/${1##*:}") 2>/dev/null
}

# server_free_port: prints a port that nobody listens on, outside the range that the kernel gives to clients.
server_free_port() {
        local port

        until port=$((RANDOM % 12000 + 20000)) && server_port_free "127.0.0.1:$port"; do :; done
        echo "$port"
}

# server_ask ADDRESS PATH [CURL OPTION...]: prints the status of GET PATH, 000 without an answer.
server_ask() {
        curl --silent --noproxy '*' --max-time 5 --output /dev/null --write-out '%{http_code}' "${@:3}" \
                "http://$1$2" || true
}

# server_start DIR BINARY: start it in a session of its own, so that a Ctrl-C at the terminal reaches it only through
# whoever started it; the output goes where the caller's goes.
server_start() {
        PATRON_DATA=$1 setsid "$2" serve </dev/null 8>&- 9>&- &
        echo $! >"$1/patron.pid"
}

# server_await ID ADDRESS: wait until the process ID is ready for requests; fails when it ends before.
server_await() {
        local waited=0

        until [ "$(server_ask "$2" /readyz)" = 200 ]; do
                kill -0 "$1" 2>/dev/null && [ $waited -lt $((SERVER_WAIT_SECONDS * 20)) ] || return 1
                waited=$((waited + 1))
                sleep 0.05
        done
        kill -0 "$1"
}

# server_stop DIR: let it answer what it has accepted and end; nothing to do when it does not run.
server_stop() {
        local id waited=0

        if id=$(server_live "$1"); then
                kill -TERM "$id"
                while server_live "$1" >/dev/null; do
                        if [ $waited -ge $((SERVER_STOP_SECONDS * 20)) ]; then
                                say "process $id has not ended within $SERVER_STOP_SECONDS seconds: killed"
                                kill -KILL "$id"
                                waited=0
                        fi
                        waited=$((waited + 1))
                        sleep 0.05
                done
        fi
        rm -f "$1/patron.pid"
}
