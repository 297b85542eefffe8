#!/usr/bin/env bash
# Stop a job; what it has done stays. usage: cancel.sh JOB
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"

patron "/jobs/$1/cancel" --request POST
echo
