#!/bin/sh
# Brings what `make demo`, `make test` and `.ci/run` need and this machine lacks.
#
#   scripts/prerequisites.sh demo|test|all|interop|systems
#
# demo: what README's first command needs; test: what its second one needs as well; all: what `.ci/run` needs
# besides; interop: what the peers of `make interop` are written in and run on;
# systems: what the original clients of `make test-systems` are installed with. On Debian and its like, as root or with a passwordless sudo, apt installs the
# missing packages; anywhere else (or with PUSHCORE_NO_INSTALL=1) the one line to type is printed and the
# script fails. Rust is never installed, because a distribution's is too old and rustup's is the user's choice.
set -eu

level=${1:-demo}
python=${PYTHON:-python3}
cargo=${CARGO:-cargo}
case $level in demo | test | all | interop | systems) ;; *) echo "usage: $0 demo|test|all|interop|systems" >&2; exit 2 ;; esac

missing=''
need() { # PACKAGES PROGRAM [ARGUMENTS]: the packages are needed unless this runs.
    packages=$1
    shift
    "$@" >/dev/null 2>&1 </dev/null || missing="$missing $packages"
}
has() { command -v "$1"; }
# A compiler without the C library's headers links nothing: Debian's gcc alone does not bring them.
compiles() { # COMPILER LANGUAGE
    folder=$(mktemp -d) || return 1
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' >"$folder/source"
    "$1" -x "$2" "$folder/source" -o "$folder/program" && compiled=0 || compiled=1
    rm -rf "$folder"
    return $compiled
}
trusted() { test -n "${SSL_CERT_FILE:-}" || test -n "${SSL_CERT_DIR:-}" || test -s /etc/ssl/certs/ca-certificates.crt; }
node_18() { node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)'; }

need make has make
need 'gcc libc6-dev' compiles cc c
need ca-certificates trusted
need 'python3 python3-venv' "$python" -c 'import ensurepip, venv'
if [ "$level" != demo ]; then
    need bash has bash
    need procps has kill # a program of its own: the shell's does not serve who starts one
    test -x /bin/kill || test -x /usr/bin/kill || case $missing in *procps*) ;; *) missing="$missing procps" ;; esac
    need openssl has openssl
    need curl has curl
    need tar has tar
    need xz-utils has xz
    need nghttp2-server has nghttpd
    need nghttp2-client has h2load
    need valgrind has valgrind
    need g++ compiles c++ c++
    # What libpushcore's tests compare and compile with.
    need abigail-tools has abidiff
    need cmake has cmake
    need pkg-config has pkg-config
    need libcurl4-openssl-dev pkg-config --exists libcurl
    need libuv1-dev pkg-config --exists libuv
    test -e /usr/include/boost/asio.hpp || need libasio-dev test -e /usr/include/asio.hpp
    need nodejs node_18
    test -x /usr/sbin/nginx || need nginx-light has nginx
    # The completion and the man page of the command are tried in what reads them.
    need zsh has zsh
    need fish has fish
    need man-db has man
    need groff-base has groff
fi
if [ "$level" = all ]; then
    need redis-server has redis-server
fi
if [ "$level" = systems ]; then
    need npm has npm
fi
if [ "$level" = interop ]; then
    need npm has npm
    need golang-go has go
    need 'default-jdk-headless maven' has mvn
    need nginx-light has nginx
    need haproxy has haproxy
fi

# One line, without doubles, in the order in which the needs stand above.
missing=$(printf '%s\n' $missing | awk 'NF && !seen[$1]++' | tr '\n' ' ' | sed 's/ $//')
if [ -n "$missing" ]; then
    sudo='' may=0
    if command -v apt-get >/dev/null && [ -z "${PUSHCORE_NO_INSTALL:-}" ]; then
        if [ "$(id -u)" = 0 ]; then
            may=1
        elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            may=1 sudo=sudo
        fi
    fi
    if [ $may = 1 ]; then
        echo "installing $missing"
        $sudo apt-get update -q
        # RUNLEVEL=1: a server that is installed for tests is not started by its package.
        $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    elif command -v apt-get >/dev/null; then
        # Root needs no sudo, and a bare machine has none.
        [ "$(id -u)" = 0 ] && sudo='' || sudo='sudo '
        echo "missing; type: ${sudo}apt-get install -y --no-install-recommends $missing" >&2
        exit 1
    else
        echo "missing, by their names in Debian: $missing" >&2
        exit 1
    fi
fi

fail() { echo "$*" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "$("$python" --version) is too old: Python 3.10 or later is needed (make PYTHON=python3.11 names another)"
[ "$level" = demo ] || node_18 ||
    fail "node $(node --version) is too old: Node.js 18 or later is needed (examples and their tests)"
command -v "$cargo" >/dev/null || fail "cargo is missing: install Rust 1.85 or later by https://rustup.rs"
version=$("$cargo" --version | sed 's/^cargo \([0-9.]*\).*/\1/')
minor=${version#*.}
minor=${minor%%.*}
if [ "${version%%.*}" = 1 ] && [ "$minor" -lt 85 ]; then
    fail "cargo $version ($(command -v "$cargo")) is too old: Rust 1.85 or later is needed, and Debian 12 carries 1.63." \
        "Install it by https://rustup.rs and put ~/.cargo/bin first in PATH"
fi
if [ "$level" = all ]; then
    "$cargo" clippy --version >/dev/null 2>&1 && "$cargo" fmt --version >/dev/null 2>&1 ||
        fail "clippy or rustfmt is missing; type: rustup component add clippy rustfmt"
fi
