# shellcheck shell=bash
# What the examples share. Set PATRON_URL (http://127.0.0.1:8080) and PATRON_KEY (a key with the scopes that the example names).
set -euo pipefail
: "${PATRON_URL:=http://127.0.0.1:8080}"
: "${PATRON_KEY:?Set PATRON_KEY to a key: patron key create --name bulk --scopes admin | tail -n 1}"

# patron PATH [CURL ARGUMENT...]: a call; its answer, or the problem and the end.
patron() {
        local path=$1

        shift
        curl --silent --show-error --fail-with-body --oauth2-bearer "$PATRON_KEY" "$@" "$PATRON_URL/v1$path"
}

# field NAME: the value of a member of the JSON object on standard input; enough for ids, states and counts.
field() {
        sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

# follow JOB: a line of progress that moves, until the job is over; fails unless it is complete and no line failed.
follow() {
        local line state=

        while read -r line; do
                state=$line
                printf '\r%s: %s of %s lines, %s failed ' "$(field status <<<"$line")" "$(field processed <<<"$line")" \
                        "$(field total <<<"$line")" "$(field failed <<<"$line")" >&2
        done < <(patron "/jobs/$1?watch=true" --no-buffer)
        echo >&2
        [ "$(field status <<<"$state")" = complete ] && [ "$(field failed <<<"$state")" = 0 ]
}

# type_of FILE: its media type, by its name.
type_of() {
        case $1 in
        *.csv | *.csv.gz | *.csv.zst) echo 'text/csv; charset='"${CHARSET:-utf-8}" ;;
        *) echo application/x-ndjson ;;
        esac
}

# encoding_of FILE: its Content-Encoding.
encoding_of() {
        case $1 in
        *.gz) echo gzip ;;
        *.zst) echo zstd ;;
        *) echo identity ;;
        esac
}

# send TYPE FILE [QUERY]: upload a file; prints the job.
send() {
        patron "/imports/$1${3:-}" --request POST --upload-file "$2" --header "Content-Type: $(type_of "$2")" \
                --header "Content-Encoding: $(encoding_of "$2")"
}
