#!/usr/bin/env bash
# Import a file only if every line of it is good. usage: import-all-or-nothing.sh TYPE FILE
exec "$(dirname "$0")/import.sh" "$1" "$2" '?mode=atomic'
