#!/usr/bin/env bash
# Import what another program writes, while it writes it. usage: make-orders | import-from-pipe.sh TYPE [QUERY]  (one JSON object a line)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

job=$(gzip --fast | begin "$1" "${2:-}" - --header 'Content-Type: application/x-ndjson' --header 'Content-Encoding: gzip')
echo "job $job" >&2
follow "$job" || {
        echo "What failed: $(dirname "$0")/errors.sh $job >mend.csv; mend it and import it with import.sh." >&2
        exit 1
}
