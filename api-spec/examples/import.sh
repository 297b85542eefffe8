#!/usr/bin/env bash
# Import a file and follow it; lines that fail are written beside it, to be mended and imported in its place.
# usage: import.sh customers|orders|refunds|... FILE [QUERY]      FILE: .csv or .ndjson, also .gz or .zst; QUERY: ?dry_run=true
# CHARSET=gb18030 for CSV of Chinese spreadsheets. Scopes: imports:read imports:write and those of what is in the file.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

[ -r "$2" ] || { echo "$2 can't be read." >&2 && exit 1; }
job=$(send "$1" "$2" "${3:-}")
echo "job $job" >&2
follow "$job" || {
        case $(type_of "$2") in text/csv*) kind=csv ;; *) kind=ndjson ;; esac
        errors "$job" $kind >"$2.errors.$kind"
        echo "What failed is in $2.errors.$kind with the reasons: mend it and import it in the same way." >&2
        exit 1
}
