#!/usr/bin/env bash
# Send up to 500 of something at once and see each one's result.
# usage: small-batch.sh TYPE FILE  (a JSON list; TYPE: customers, orders, tags, group-members, addresses, interactions, consents, points/adjustments)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

# The same list again is the same call: what moves points demands a key for that.
key=$(sha256sum <"$2" | cut -d ' ' -f 1)
{ printf '{"items":' && cat "$2" && printf '}'; } |
        patron "/$1:batch" --header 'Content-Type: application/json' --header "Idempotency-Key: $key" --data-binary @-
echo
