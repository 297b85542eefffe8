#!/usr/bin/env bash
# Bring what this server holds into another, empty one. usage: move.sh URL KEY   (of the other one; both keys with scope admin)
# The programme, attributes and groups as they are defined, then every type of lines that goes in. What does not move, and when
# a copy of the database is the better way: docs/bulk.md, "Moving".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

: "${2:?usage: move.sh URL KEY}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
here=$PATRON_URL here_key=$PATRON_KEY there=$1 there_key=$2
at_here() {
        PATRON_URL=$here PATRON_KEY=$here_key "$@"
}
at_there() {
        PATRON_URL=$there PATRON_KEY=$there_key "$@"
}

# define WHAT NAME: put each object of standard input, one a line, under its member NAME.
define() {
        local object

        while read -r object || [ "$object" ]; do
                sed -E 's/"(id|members|version|created_at|updated_at|'"$2"')":("[^"]*"|[0-9]+),?//g; s/,}$/}/' <<<"$object" |
                        at_there patron "/$1/$(field "$2" <<<"$object")" --request PUT --header 'Content-Type: application/json' \
                                --data-binary @- --output "$folder/answer" || { reason <"$folder/answer" >&2 && exit 1; }
        done
}

at_here patron /program >"$folder/program.json"
at_there patron '/program?note=moved' --request PUT --header 'Content-Type: application/json' \
        --data-binary "@$folder/program.json" --output "$folder/answer" || { reason <"$folder/answer" >&2 && exit 1; }
at_here patron /attributes | sed -E 's/^\{"data":\[//; s/\]\}$//; s/\},\{"name":/}\n{"name":/g' | define attributes name
at_here patron /exports/groups --header 'Accept: application/x-ndjson' | define groups code

types=(customers orders refunds points_adjustments tags group_members interactions behaviour_events consents suppressions
        addresses)
for type in "${types[@]}"; do
        at_here "$(dirname "$0")/export.sh" "$type" "$folder/$type.ndjson.gz"
done
# All are sent before the first is followed: while history waits, nobody's tier is judged by half of it.
jobs=()
for type in "${types[@]}"; do
        [ "$(gzip -dc "$folder/$type.ndjson.gz" | head -c 1)" ] || continue
        job=$(at_there send "$type" "$folder/$type.ndjson.gz" '?backfill=true')
        jobs+=("$type $job")
done
status=0
for job in "${jobs[@]}"; do
        echo "$job" >&2
        at_there follow "${job#* }" || {
                at_there errors "${job#* }" ndjson >"${job% *}.errors.ndjson"
                echo "What failed is in ${job% *}.errors.ndjson: mend it and import it with import-history.sh." >&2
                status=1
        }
done
exit $status
