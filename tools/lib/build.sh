# shellcheck shell=bash
# Build with a CMake preset. Needs say.sh and ROOT, the top of the checkout, as a path without links.

# build PRESET TARGET...: configure when there is no build yet, then let ninja make what changed. Silent on success.
# One at a time per preset: two ninjas in one folder would tread on each other.
build() {
        local folder=$ROOT/build/$1

        mkdir -p "$folder"
        (
                flock 8
                build_locked "$@"
        ) 8>"$ROOT/build/$1.lock"
}

build_locked() {
        local preset=$1 folder=$ROOT/build/$1 options=()

        shift
        # A build remembers where its sources were; after the checkout moved it is of no use.
        if ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$folder/CMakeCache.txt" 2>/dev/null ||
                [ ! -e "$folder/build.ninja" ]; then
                find "$folder" -mindepth 1 -delete
                ! command -v ccache >/dev/null || options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
                say "Building ($preset); the first time takes a minute"
                (cd "$ROOT" && quiet "$folder/configure.log" cmake --preset "$preset" "${options[@]}") || return 1
        fi
        ninja -C "$folder" -j "${PATRON_JOBS:-$(nproc)}" "$@" >"$folder/build.log" 2>&1 8>&- 9>&- || {
                grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$folder/build.log" | head -n 60 >&2
                say "the build ($preset) failed; all of it is in $folder/build.log"
                return 1
        }
}
