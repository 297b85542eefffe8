#!/usr/bin/env bash
# Import a file of customers, orders or refunds and follow it; lines that fail are written beside it.
# usage: import.sh customers|orders|refunds FILE [QUERY]      FILE: .csv or .ndjson, also .gz or .zst; QUERY: ?dry_run=true
# CHARSET=gb18030 for CSV of Chinese spreadsheets. Scopes: imports:read imports:write and those of what is in the file.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

job=$(send "$1" "$2" "${3:-}" | field id)
echo "job $job" >&2
follow "$job" || {
        patron "/jobs/$job/errors" --header 'Accept: text/csv' --output "$2.errors.csv"
        echo "What failed is in $2.errors.csv: mend it and import it again." >&2
        exit 1
}
