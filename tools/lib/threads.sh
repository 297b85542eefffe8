#!/usr/bin/env bash
# usage: threads.sh WORK BINARY: run a server built with ThreadSanitizer under parallel load, on a database of its own
# in WORK/db, and fail when it saw a data race, lost a request, or did not end cleanly.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd -P)
for part in say postgres server; do
        # shellcheck source=/dev/null
        . "$ROOT/tools/lib/$part.sh"
done

ORDERS=600
LINES=3000       # of a file that comes in and goes out meanwhile
CUSTOMERS=20     # few, so that they are fought for
CONNECTIONS=32
READS=(/v1/program '/v1/customers?limit=5' /v1/points/proof /metrics)

main() {
        local work=$1 binary=$2 dir=$1/threads key id status=0

        mkdir -p "$dir"
        pg_database "$work/db" patron_threads
        PATRON_DATABASE_URL=$(pg_url "$work/db" patron_threads)
        PATRON_LISTEN=127.0.0.1:$(server_free_port)
        export PATRON_DATABASE_URL PATRON_LISTEN
        export TSAN_OPTIONS="exitcode=66 log_path=$dir/races"
        "$binary" migrate
        key=$("$binary" key create --name threads --scopes admin | tail -n 1)
        server_start "$dir" "$binary" >"$dir/log" 2>&1
        id=$!
        server_await "$id" "$PATRON_LISTEN" || { tail -n 50 "$dir/log" && die "the server did not start"; }
        requests "$key" >"$dir/requests"
        files "$key" "$dir" &
        curl --silent --noproxy '*' --parallel --parallel-immediate --parallel-max $CONNECTIONS \
                --config "$dir/requests" >"$dir/statuses" || status=$?
        wait $! || status=$?
        kill -TERM "$id"
        wait "$id" || status=$?
        rm -f "$dir/patron.pid"
        cat "$dir"/races.* 2>/dev/null | head -n 200 || true
        [ "$status" = 0 ] || { tail -n 20 "$dir/log" && die "the load or the server ended with status $status"; }
        judge "$dir"
}

# judge DIR: every request was answered as it should be, and no race was written down.
judge() {
        sort "$1/statuses" | uniq -c
        [ "$(grep -cE '^20[01]$' "$1/statuses")" = $((ORDERS * (1 + ${#READS[@]}))) ] || die "some requests did not succeed"
        ! compgen -G "$1/races.*" >/dev/null || die "ThreadSanitizer saw races"
}

# files KEY DIR: import a file and see the result of every line, then export all orders.
files() {
        local n url=http://$PATRON_LISTEN/v1

        for ((n = 0; n < LINES; n++)); do
                order F "$n"
        done >"$2/file"
        curl --silent --show-error --fail --noproxy '*' --oauth2-bearer "$1" --header 'Content-Type: application/x-ndjson' \
                --request POST --upload-file "$2/file" "$url/imports/orders?wait=true" >"$2/results"
        [ "$(grep -c '"status":201' "$2/results")" = $LINES ] || die "some lines of the file did not succeed"
        curl --silent --show-error --fail --noproxy '*' --oauth2-bearer "$1" --output "$2/export" "$url/exports/orders"
        [ "$(grep -c '"external_id":"F-' "$2/export")" = $LINES ] || die "some lines of the file were not exported"
}

# requests KEY: a curl configuration that sends every order, each followed by the reads.
requests() {
        local n path

        for ((n = 0; n < ORDERS; n++)); do
                request "$1" /v1/orders
                printf 'header = "Content-Type: application/json"\ndata = "%s"\n' "$(order T "$n" | sed 's/"/\\"/g')"
                for path in "${READS[@]}"; do
                        printf 'next\n'
                        request "$1" "$path"
                done
                [ $n = $((ORDERS - 1)) ] || printf 'next\n'
        done
}

request() {
        printf 'url = "http://%s%s"\noauth2-bearer = "%s"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\n' \
                "$PATRON_LISTEN" "$2" "$1"
}

order() {
        printf '{"external_id":"%s-%d","status":"paid","customer":{"external_id":"C-%d"},' "$1" "$2" $(($2 % CUSTOMERS))
        printf '"lines":[{"line_no":1,"sku":"S","name":"S","quantity":1,"unit_price_minor":1000,"total_minor":1000}],'
        printf '"total_minor":1000}\n'
}

main "$@"
