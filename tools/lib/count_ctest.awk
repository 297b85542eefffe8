# Reads the output of `ctest -V` and prints "passed failed". Every program ends with "N passed, N failed"; one without
# such a line (a replay of a corpus) counts as one, and one that failed without saying so (a crash, a time-out, a
# sanitizer) counts as one failure on top of what it said.
/^ *[0-9]+: [0-9]+ passed, [0-9]+ failed$/ {
        id = $1 + 0
        passed[id] = $2
        failed[id] = $4
}
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
        match($0, /#[0-9]+:/)
        id = substr($0, RSTART + 1, RLENGTH - 2) + 0
        ok = ($0 ~ /  Passed  /)
        if (ok && !(id in passed))
                passed[id] = 1
        if (!ok && failed[id] + 0 == 0)
                failed[id] = 1
}
END {
        for (id in passed)
                all_passed += passed[id]
        for (id in failed)
                all_failed += failed[id]
        print all_passed + 0, all_failed + 0
}
