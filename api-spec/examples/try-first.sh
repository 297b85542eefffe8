#!/usr/bin/env bash
# Say what an import would do, line by line, and keep nothing. usage: try-first.sh TYPE FILE
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

patron "/imports/$1?dry_run=true&wait=true" --request POST --upload-file "$2" --header "Content-Type: $(type_of "$2")" \
        --header "Content-Encoding: $(encoding_of "$2")"
