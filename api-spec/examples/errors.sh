#!/usr/bin/env bash
# The lines of a job that failed, to mend and import again. usage: errors.sh JOB [ndjson] >mend.csv
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

errors "$1" "${2:-csv}"
