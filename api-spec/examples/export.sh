#!/usr/bin/env bash
# Write everything of a type into a file. usage: export.sh TYPE FILE      FILE: .csv or .ndjson, also .gz
# Scopes: imports:read, that of what is exported, and customers:pii for names and addresses in full.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

get() {
        patron "/exports/$1" --header "Accept: $(type_of "$2" | cut -d ';' -f 1)"
}
if [ "$(encoding_of "$2")" = gzip ]; then
        get "$1" "$2" | gzip >"$2.part"
else
        get "$1" "$2" >"$2.part"
fi
mv "$2.part" "$2" # a file of that name is whole
