# Reads the output of pytest and prints "passed failed skipped" from its closing line ("1 failed, 2 passed, 1 skipped,
# 1 error in 0.12s"). Without one, pytest itself broke: one failure.
/ in [0-9.]+s/ && /passed|failed|skipped|error|no tests ran/ {
        line = $0
}
function number(word,   at) {
        return match(line, "[0-9]+ " word) ? substr(line, RSTART, RLENGTH) + 0 : 0
}
END {
        bad = number("failed") + number("error") + number("xpassed")
        good = match(line, /[0-9]+ passed/) ? substr(line, RSTART, RLENGTH) + 0 : 0
        if (line == "" || line ~ /no tests ran/)
                bad++
        print good, bad, number("skipped") + number("xfailed")
}
