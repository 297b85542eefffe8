#!/usr/bin/env bash
# Follow a job, the newest one when none is named. usage: watch.sh [JOB]
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

follow "${1:-$(patron '/jobs?limit=1' | sed 's/^{"data":\[{"id":"\([^"]*\)".*/\1/')}"
