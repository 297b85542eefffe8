#!/usr/bin/env bash
# The lines of a job that failed, as CSV to mend and import again. usage: errors.sh JOB >mend.csv
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

patron "/jobs/$1/errors" --header 'Accept: text/csv'
