#!/usr/bin/env bash
# Installs the C library into a folder of its own by scripts/install-c.sh, compiles everything against that tree only, and runs it.
#
#   run.sh            everything
#   run.sh NAME...    only these parts: header request abi messages network drivers bad_input vectors sanitizers valgrind tsan cmake cpp examples minimal receiver static go
#
# Needs cc, c++, openssl, python3 with cffi (else it is fetched into a virtual environment of this build's), pkg-config; PUSHCORE_SANDBOX or cargo
# for the sandbox.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/c
target=${CARGO_TARGET_DIR:-$root/target}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
out=$tree/out
mkdir "$out"
passed=0
parts=${*:-header request abi messages network drivers bad_input vectors sanitizers valgrind tsan cmake cpp examples minimal receiver static go}
wants() { case " $parts " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
fail() { echo "FAILED: $1"; echo "$passed passed, 1 failed"; exit 1; }
pass() { passed=$((passed + 1)); }
try() { # WHAT COMMAND...: passes when the command does, and shows what it said when it does not
    local what=$1
    shift
    if "$@" >"$out/log" 2>&1; then pass; else cat "$out/log"; fail "$what"; fi
}

cd "$root"
PREFIX=$tree PROFILE=dev scripts/install-c.sh >/dev/null
export PKG_CONFIG_PATH=$tree/lib/pkgconfig
flags="-I$tree/include"
link="-L$tree/lib -lpushcore -Wl,-rpath,$tree/lib"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$tree/key.p8" 2>/dev/null

python=${PYTHON:-python3}
if ! "$python" -c 'import cffi' 2>/dev/null; then
    "$python" -m venv "$target/c-venv"
    "$target/c-venv/bin/pip" install -q cffi
    python=$target/c-venv/bin/python
fi
sandboxed() { "$python" "$here/with_sandbox.py" "$@"; }
if wants network || wants sanitizers || wants valgrind || wants cpp || wants examples || wants go; then
    if [ -z "${PUSHCORE_SANDBOX:-}" ]; then
        cargo build -q -p pushcore-sandbox
        export PUSHCORE_SANDBOX=$target/debug/pushcore-sandbox
    fi
fi

strict="-Wall -Wextra -Wpedantic -Werror"
build() { # NAME, compiler and flags
    local name=$1
    shift
    # shellcheck disable=SC2086
    "$@" $strict $flags -o "$out/$name" || fail "$name does not build"
}

if wants header; then
    # The header alone, as every standard that it is for.
    printf '#include <pushcore.h>\nint main(void) { return 0; }\n' >"$out/alone.c"
    for std in c99 c11 c17; do build "alone_$std" cc -std=$std "$out/alone.c"; pass; done
    for std in c++17 c++20; do build "alone_$std" c++ -std=$std -x c++ "$out/alone.c"; pass; done
    build alone_minimal cc -std=c99 -DPUSHCORE_MINIMAL "$out/alone.c"
    pass
fi

if wants request; then
    source=$here/request.c
    build c99 cc -std=c99 "$source" $link
    build c11 cc -std=c11 "$source" $link
    build cpp17 c++ -std=c++17 -x c++ "$source" $link
    # What pkg-config says is enough, for both kinds.
    build shared cc -std=c99 "$source" $(pkg-config --cflags --libs pushcore) -Wl,-rpath,"$tree/lib"
    build static cc -std=c99 "$source" "$tree/lib/libpushcore.a" $(pkg-config --static --libs pushcore | sed 's/-lpushcore//')
    # A program that was compiled against the header of 0.1 runs with this library.
    cc -std=c99 -Wall -Werror -I"$here/abi/0.1" "$source" $link -o "$out/of_0.1" || fail "the program of 0.1 does not build"
    for name in c99 c11 cpp17 shared static of_0.1; do
        "$out/$name" "$tree/key.p8" >"$out/said.$name" || { cat "$out/said.$name"; fail "$name"; }
        for line in '^ok$' '^method: POST$' '^path: /3/device/00fc13ad' '^header apns-topic: com.example.app$' '^header authorization: bearer '; do
            grep -q "$line" "$out/said.$name" || fail "$name: $line"
        done
        pass
    done
    readelf -d "$out/static" | grep -q libpushcore && fail "the static program asks for the shared library"
    # The program asks for the installed name, and the library needs nothing but libc's family, and stays mapped.
    readelf -d "$out/c99" | grep -q 'NEEDED.*libpushcore.so.0' || fail "soname"
    readelf -d "$tree/lib/libpushcore.so.0" | grep -q NODELETE || fail "nodelete"
    other=$(readelf -d "$tree/lib/libpushcore.so.0" | grep NEEDED | grep -vE 'lib(c|m|gcc_s|pthread|dl|rt)\.so|ld-linux' || true)
    [ -z "$other" ] || fail "needs $other"
    pass
fi

if wants abi; then
    # The library exports what the header declares and what the list names, and nothing else.
    "$python" "$here/abi/stub.py" "$tree/include/pushcore.h" --symbols >"$out/declared"
    nm -D --defined-only "$tree/lib/libpushcore.so.0" | awk '{ sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >"$out/exported"
    diff "$out/declared" "$out/exported" || fail "the header and the library differ"
    diff "$here/abi/symbols.txt" "$out/exported" || fail "tests/c/abi/symbols.txt is not what is exported: a removal breaks programs, an addition is listed"
    pass
    # The layout of everything that callers see, beside the baseline's. A struct that grows at its end on purpose makes a new baseline:
    # tests/c/abi/stub.py include/pushcore.h --strip >tests/c/abi/baseline.h
    if command -v abidiff >/dev/null; then
        for name in 0.1/pushcore.h baseline.h; do
            "$python" "$here/abi/stub.py" "$here/abi/$name" >"$out/old.c"
            "$python" "$here/abi/stub.py" "$tree/include/pushcore.h" >"$out/new.c"
            for stub in old new; do cc -g -shared -fPIC -w "$out/$stub.c" -o "$out/$stub.so" || fail "stub"; done
            status=0
            abidiff --no-added-syms "$out/old.so" "$out/new.so" >"$out/log" || status=$?
            # 0.1 has grown since: bit 8 alone, a removal or an incompatible change, breaks it. The baseline is held to the letter.
            case $name in baseline.h) allowed=0 ;; *) allowed=4 ;; esac
            [ "$status" -le $allowed ] || { cat "$out/log"; fail "the abi differs from $name"; }
            grep -qE '^Functions changes summary: 0 Removed' "$out/log" || [ "$status" = 0 ] || fail "functions are gone since $name"
            pass
        done
    elif [ -n "${CI:-}" ]; then fail "abidiff is missing (abigail-tools)"
    else echo "abidiff is missing (abigail-tools): the layout is not compared"; fi
fi

if wants messages || wants sanitizers || wants valgrind; then
    build messages cc -std=c99 "$here/messages.c" $link
fi
if wants network || wants valgrind; then
    build network cc -std=c99 "$here/network.c" $link -lpthread
fi
wants messages && try messages "$out/messages" "$tree/key.p8"
wants network && try network sandboxed --tokens 300 --gone 3 "$out/network"
wants bad_input && try bad_input "$python" "$here/bad_input.py" "$tree"
wants vectors && try vectors "$python" "$here/vectors.py" "$tree"
wants vectors && try dialects "$python" "$here/dialects.py" "$tree"

if wants drivers; then
    # The cases that every driver plays against a peer of its own (tests/drivers).
    if [ -z "${PUSHCORE_PEER:-}" ]; then
        cargo build -q -p pushcore-tests --bin pushcore-peer
        export PUSHCORE_PEER=$target/debug/pushcore-peer
    fi
    build drivers cc -std=gnu99 "$here/drivers.c" $link -lpthread
    try "drivers' suite" "$python" "$here/drivers.py" "$out/drivers" "$PUSHCORE_PEER"
    tail -1 "$out/log"
fi

if wants network; then
    # Opened and closed a hundred times, with a call in between.
    build reopen cc -std=c99 -D_GNU_SOURCE "$here/reopen.c" -ldl
    try reopen "$out/reopen" "$tree/lib/libpushcore.so.0" "$tree/key.p8"
fi

if wants sanitizers; then
    sanitized="-g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
    # LeakSanitizer needs ptrace, which some containers forbid: where it runs, it counts.
    build messages_asan cc -std=c99 $sanitized "$here/messages.c" $link
    build network_asan cc -std=c99 $sanitized "$here/network.c" $link -lpthread
    try "messages under asan, ubsan, lsan" "$out/messages_asan" "$tree/key.p8"
    try "network under asan, ubsan, lsan" sandboxed --tokens 300 --gone 3 "$out/network_asan"
fi

if wants valgrind && command -v valgrind >/dev/null; then
    grind="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect"
    try "request under valgrind" $grind "$out/messages" "$tree/key.p8"
    # Without --undef-value-errors=no valgrind takes the tag that ring's assembly for AES-GCM computes for uninitialised (the sandbox, which shares
    # no code with this library but ring, is told the same). Reads, writes and leaks are checked.
    try "network under valgrind" sandboxed --tokens 300 --gone 3 $grind --undef-value-errors=no "$out/network"
elif wants valgrind && [ -n "${CI:-}" ]; then fail "valgrind is missing"; fi

if wants cmake; then
    if command -v cmake >/dev/null; then
        for kind in pushcore static; do
            cmake -S "$here/cmake" -B "$out/cmake_$kind" -DCMAKE_PREFIX_PATH="$tree" -DKIND=$kind >"$out/log" 2>&1 || { cat "$out/log"; fail "cmake $kind"; }
            cmake --build "$out/cmake_$kind" >"$out/log" 2>&1 || { cat "$out/log"; fail "cmake $kind"; }
            LD_LIBRARY_PATH=$tree/lib "$out/cmake_$kind/request" "$tree/key.p8" | grep -qx ok || fail "cmake $kind"
            pass
        done
    elif [ -n "${CI:-}" ]; then fail "cmake is missing"; fi
fi

if wants cpp && [ -e "$root/tests/cpp/run.sh" ]; then
    . "$root/tests/cpp/run.sh"
fi
if wants examples && [ -e "$root/examples/c/run.sh" ]; then
    . "$root/examples/c/run.sh"
fi

if wants minimal; then
    # L1 and the receiver alone: the same tests, and no function of the network.
    CARGO_TARGET_DIR=$target/minimal PREFIX=$tree/minimal PROFILE=dev MINIMAL=1 scripts/install-c.sh >/dev/null
    cc -std=c99 $strict $(PKG_CONFIG_PATH=$tree/minimal/lib/pkgconfig pkg-config --cflags --libs pushcore) "$here/messages.c" \
        -L"$tree/minimal/lib" -lpushcore -Wl,-rpath,"$tree/minimal/lib" -o "$out/messages_minimal" || fail "minimal does not build"
    try "messages, minimal" "$out/messages_minimal" "$tree/key.p8"
    nm -D --defined-only "$tree/minimal/lib/libpushcore.so.0" | grep -qE 'pushcore_(client|batch|session|connection|dialect)_' && fail "minimal has clients or dialects"
    pass
fi

if wants receiver; then
    # The Web Push receiver alone: it decrypts, and nothing else is there. The dependencies are those of the minimal build.
    CARGO_TARGET_DIR=$target/minimal PREFIX=$tree/receiver PROFILE=dev RECEIVER=1 scripts/install-c.sh >/dev/null
    of_receiver=$(PKG_CONFIG_PATH=$tree/receiver/lib/pkgconfig pkg-config --cflags --libs pushcore)
    cc -std=c99 $strict $of_receiver "$here/receiver.c" $of_receiver -Wl,-rpath,"$tree/receiver/lib" -o "$out/receiver_only" || fail "the receiver does not build"
    try "receiver" "$out/receiver_only"
    printf '#include <pushcore.hpp>\nint main() { return pushcore::ReceiverKeys::generate() ? 0 : 1; }\n' >"$out/receiver.cpp"
    c++ -std=c++17 $strict $of_receiver "$out/receiver.cpp" $of_receiver -Wl,-rpath,"$tree/receiver/lib" -o "$out/receiver_hpp" || fail "pushcore.hpp, receiver"
    try "pushcore.hpp, receiver" "$out/receiver_hpp"
    printf '#include <pushcore.h>\n' | cc -E -P -DPUSHCORE_RECEIVER $flags -x c - >"$out/receiver.h"
    "$python" "$here/abi/stub.py" "$out/receiver.h" --symbols >"$out/declared"
    nm -D --defined-only "$tree/receiver/lib/libpushcore.so.0" | awk '{ sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >"$out/exported"
    diff "$out/declared" "$out/exported" || fail "the header and the receiver's library differ"
    pass
fi

if wants static; then
    # Beside another static library of Rust, in either order: nothing is defined twice.
    "${RUSTC:-rustc}" --edition 2024 --crate-type staticlib -C panic=unwind -o "$out/libother.a" "$here/beside/other.rs" || fail "other.rs does not build"
    libs=$(sed -n 's/^Libs.private: //p' "$tree/lib/pkgconfig/pushcore.pc")
    for order in "$tree/lib/libpushcore.a $out/libother.a" "$out/libother.a $tree/lib/libpushcore.a"; do
        build beside cc -std=c99 "$here/beside/main.c" $order $libs
        try "beside another Rust library" "$out/beside"
    done
fi

if wants go && [ -e "$here/go/run.sh" ] && command -v go >/dev/null; then
    . "$here/go/run.sh"
fi
echo "$passed passed, 0 failed"
