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

# reason: what a problem on standard input says, for a person.
reason() {
        sed 's/.*"detail":"\(\([^"\\]\|\\.\)*\)".*/\1/; s/\\"/"/g'
}

# progress STATE BEFORE: where a job is: a line that moves on a terminal, elsewhere one for each tenth.
progress() {
        local tenth before line

        tenth=$(($(field progress <<<"$1") / 10))
        before=$(field progress <<<"$2")
        line="$(field status <<<"$1"): $(field processed <<<"$1") of $(field total <<<"$1") lines, $(field failed <<<"$1") failed"
        case $(field eta_seconds <<<"$1") in
        null) ;;
        *) line+=" ($(field rows_per_second <<<"$1") a second, $(field eta_seconds <<<"$1") s left)" ;;
        esac
        if [ -t 2 ]; then
                printf '\r%s\033[K' "$line" >&2
        elif [ "$(field status <<<"$1")" != "$(field status <<<"$2")" ] || [ $tenth != $((${before:-0} / 10)) ]; then
                printf '%s\n' "$line" >&2
        fi
}

# follow JOB: its progress until it is over, also when the server stops meanwhile and comes again; fails unless it is complete
# and no line failed.
follow() {
        local line state='' shown='' tries=0

        while [ $tries -lt 120 ]; do
                while read -r line; do
                        state=$line
                        progress "$state" "$shown"
                        shown=$state
                        tries=0
                done < <(patron "/jobs/$1?watch=true" --no-buffer 2>/dev/null)
                case $(field status <<<"$state") in complete | failed | canceled) break ;; esac
                tries=$((tries + 1)) # the connection ended before the job did
                sleep 0.5
        done
        [ ! -t 2 ] || echo >&2
        [ "$(field detail <<<"$state")" = null ] || reason <<<"$state" >&2
        [ "$(field status <<<"$state")" = complete ] && [ "$(field failed <<<"$state")" = 0 ]
}

# errors JOB csv|ndjson: the lines that failed, to mend and send again. CSV begins as spreadsheets know UTF-8.
errors() {
        case $2 in
        csv) printf '\357\273\277' && patron "/jobs/$1/errors" --header 'Accept: text/csv' ;;
        *) patron "/jobs/$1/errors" --header 'Accept: application/x-ndjson' ;;
        esac
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

# begin TYPE QUERY FILE CURL-ARGUMENT...: upload a file; prints the job's id, or says why there is none.
begin() {
        local answer shown=()

        [ ! -t 2 ] || shown=(--no-silent --progress-bar)
        answer=$(patron "/imports/$1$2" --request POST --upload-file "$3" "${shown[@]}" "${@:4}") || {
                reason <<<"$answer" >&2
                return 1
        }
        field id <<<"$answer"
}

# send TYPE FILE [QUERY]: begin, with what the file's name tells of it.
send() {
        begin "$1" "${3:-}" "$2" --header "Content-Type: $(type_of "$2")" --header "Content-Encoding: $(encoding_of "$2")"
}
