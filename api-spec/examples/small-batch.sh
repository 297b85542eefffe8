#!/usr/bin/env bash
# Send up to 500 customers or orders at once and see each one's result. usage: small-batch.sh customers|orders FILE  (a JSON list)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

{ printf '{"items":' && cat "$2" && printf '}'; } |
        patron "/$1:batch" --header 'Content-Type: application/json' --data-binary @-
echo
