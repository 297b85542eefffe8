# shellcheck shell=bash
# How the tools talk: one line per fact on stderr; stdout stays for what a caller may want to read.

# say TEXT...: a line for a person.
say() {
        printf '%s\n' "$*" >&2
}

# die TEXT...: say it and end with failure.
die() {
        say "${0##*/}: $*"
        exit 1
}

# quiet LOG COMMAND...: run it into LOG; when it fails, show the end of LOG and return its status.
quiet() {
        local log=$1 status=0

        shift
        "$@" >"$log" 2>&1 || status=$?
        if [ "$status" != 0 ]; then
                say "this failed ($status): $*"
                tail -n 60 "$log" >&2
        fi
        return "$status"
}
