# shellcheck shell=bash
# Install what is missing on Debian and Ubuntu. Each need is looked for by what it provides, not by its package: what
# came another way counts, other systems work when everything is there, and a second run asks no package manager.

# What building and serving needs: probe:subject:package.
# shellcheck disable=SC2034 # for the scripts that source this
DEPS_RUN=(
        program:cc:gcc
        library:libpq:libpq-dev
        library:jansson:libjansson-dev
        library:uuid:uuid-dev
        library:libsodium:libsodium-dev
        library:zlib:zlib1g-dev
        library:libzstd:libzstd-dev
        library:libmicrohttpd:libmicrohttpd-dev
        file:/usr/include/stdlib.h:libc6-dev
        program:cmake:cmake
        program:ninja:ninja-build
        program:pkg-config:pkg-config
        program:curl:curl
        postgres:server:postgresql
)
# What the tests and the lint need on top.
# shellcheck disable=SC2034 # for the scripts that source this
DEPS_TEST=(
        program:clang:clang
        program:clang-format:clang-format
        program:clang-tidy:clang-tidy
        program:cppcheck:cppcheck
        program:shellcheck:shellcheck
        program:ccache:ccache
        file:/usr/bin/python3:python3
        file:/usr/lib/python3/dist-packages/pytest:python3-pytest
        file:/usr/lib/python3/dist-packages/jsonschema:python3-jsonschema
)

# deps_have PROBE SUBJECT: whether it is there.
deps_have() {
        case $1 in
        program) command -v "$2" >/dev/null ;;
        library) pkg-config --exists "$2" 2>/dev/null ;;
        file) [ -e "$2" ] ;;
        postgres) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null ;;
        esac
}

# deps_missing NEED...: the packages of all needs that are not met, one a line.
deps_missing() {
        local need probe subject package

        for need in "$@"; do
                IFS=: read -r probe subject package <<<"$need"
                deps_have "$probe" "$subject" || printf '%s\n' "$package"
        done
}

# deps_install NEED...: make every need met or end the program saying what to do. Instant when nothing is missing.
deps_install() {
        local missing=() root=() line log

        mapfile -t missing < <(deps_missing "$@")
        [ ${#missing[@]} != 0 ] || return 0
        line="apt-get install ${missing[*]}"
        command -v apt-get >/dev/null ||
                die "these Debian packages, or what your system calls them, are missing: ${missing[*]}"
        if [ "$(id -u)" != 0 ]; then
                command -v sudo >/dev/null || die "something is missing; run as root: $line"
                root=(sudo)
        fi
        say "Installing ${missing[*]}"
        log=$(mktemp)
        deps_apt "$log" update || die "the package lists can't be fetched; is there a network?"
        deps_without_cluster deps_apt "$log" install -y --no-install-recommends "${missing[@]}" ||
                die "could not install; try yourself: $line"
        rm -f "$log"
        hash -r
        mapfile -t missing < <(deps_missing "$@")
        [ ${#missing[@]} = 0 ] || die "still missing after the installation: ${missing[*]}"
}

# deps_apt LOG ARGUMENT...: apt-get, silent, never asking, patient with another apt. Uses root of deps_install.
deps_apt() {
        local log=$1

        shift
        quiet "$log" "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 \
                -o Dpkg::Use-Pty=0 "$@"
}

# deps_without_cluster COMMAND...: run it while Debian's PostgreSQL packages are told to set up no database of their
# own: Patron brings a private one, and a newcomer's machine should not end up with a second one on port 5432.
deps_without_cluster() {
        local folder=/etc/postgresql-common/createcluster.d status=0
        local file=$folder/patron-installing.conf

        "${root[@]}" mkdir -p "$folder"
        echo 'create_main_cluster = false' | "${root[@]}" tee "$file" >/dev/null
        "$@" || status=$?
        "${root[@]}" rm -f "$file"
        return "$status"
}
