#!/usr/bin/env bash
# Bring what this server holds into another, empty one. usage: move.sh URL KEY   (of the other one)
# First the programme and what is defined, then every type that can be imported. What does not move: docs/bulk.md, "Moving".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
there() {
        PATRON_URL=$url PATRON_KEY=$key "$@"
}
url=$1 key=$2
here=$(dirname "$0")

patron /program >"$folder/program.json"
there patron '/program?note=moved' --request PUT --header 'Content-Type: application/json' --data-binary "@$folder/program.json" >/dev/null
"$here/define.sh" attributes >"$folder/attributes" && there "$here/define.sh" attributes "$folder/attributes"
"$here/define.sh" groups >"$folder/groups" && there "$here/define.sh" groups "$folder/groups"
