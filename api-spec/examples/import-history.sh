#!/usr/bin/env bash
# Import the past: everything keeps its own time, an order counts when it was paid. usage: import-history.sh TYPE FILE
exec "$(dirname "$0")/import.sh" "$1" "$2" '?backfill=true'
