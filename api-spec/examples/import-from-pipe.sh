#!/usr/bin/env bash
# Import what another program writes, while it writes it. usage: make-orders | import-from-pipe.sh TYPE  (one JSON object a line)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

follow "$(gzip --fast | patron "/imports/$1" --request POST --upload-file - --header 'Content-Type: application/x-ndjson' \
        --header 'Content-Encoding: gzip' | field id)"
