#!/usr/bin/env bash
# Bring everything into another, empty server. usage: move.sh URL KEY   (of the other one)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for type in customers orders refunds; do
        "$(dirname "$0")/export.sh" "$type" "$folder/$type.ndjson.gz"
        [ "$(gzip -dc "$folder/$type.ndjson.gz" | head -c 1)" ] || continue
        PATRON_URL=$1 PATRON_KEY=$2 "$(dirname "$0")/import-history.sh" "$type" "$folder/$type.ndjson.gz"
done
