#!/bin/sh
# Installs the C library into a folder of its own, compiles tests/c against that folder only, runs it.
# Usage: run.sh   (from anywhere; needs cc, c++, openssl)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0
fail() { echo "FAILED: $1"; echo "$passed passed, 1 failed"; exit 1; }

(cd "$root" && cargo build -q -p pushcore-ffi)
mkdir -p "$tree/lib" "$tree/include" "$tree/bin"
cp "$target/debug/libpushcore_ffi.so" "$tree/lib/libpushcore.so.0"
ln -s libpushcore.so.0 "$tree/lib/libpushcore.so"
cp "$target/debug/libpushcore_ffi.a" "$tree/lib/libpushcore.a"
cp "$root/include/pushcore.h" "$tree/include/"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$tree/key.p8" 2>/dev/null

build() { # name, compiler and flags, how to link
    name=$1; shift
    "$@" -Wall -Wextra -Werror -I"$tree/include" -o "$tree/bin/$name" || fail "$name does not build"
}
source=$root/tests/c/request.c
build c99 cc -std=c99 -pedantic "$source" -L"$tree/lib" -lpushcore -Wl,-rpath,"$tree/lib"
build c11 cc -std=c11 "$source" -L"$tree/lib" -lpushcore -Wl,-rpath,"$tree/lib"
build cpp17 c++ -std=c++17 -x c++ "$source" -L"$tree/lib" -lpushcore -Wl,-rpath,"$tree/lib"
build static cc -std=c99 "$source" "$tree/lib/libpushcore.a" -lpthread -ldl -lm

for name in c99 c11 cpp17 static; do
    "$tree/bin/$name" "$tree/key.p8" >"$tree/out.$name" || { cat "$tree/out.$name"; fail "$name"; }
    tail -1 "$tree/out.$name" | grep -qx ok || fail "$name says no ok"
    grep -q '^method: POST$' "$tree/out.$name" || fail "$name: method"
    grep -q '^path: /3/device/00fc13ad' "$tree/out.$name" || fail "$name: path"
    grep -q '^header apns-topic: com.example.app$' "$tree/out.$name" || fail "$name: topic"
    grep -q '^header authorization: bearer ' "$tree/out.$name" || fail "$name: authorization"
    passed=$((passed + 1))
done

# The program asks for the installed name, and the library needs nothing but libc's family.
readelf -d "$tree/bin/c99" | grep -q 'NEEDED.*libpushcore.so.0' || fail "soname"
passed=$((passed + 1))
other=$(readelf -d "$tree/lib/libpushcore.so.0" | grep NEEDED | grep -vE 'lib(c|m|gcc_s|pthread|dl|rt)\.so|ld-linux' || true)
[ -z "$other" ] || fail "needs $other"
passed=$((passed + 1))
if command -v valgrind >/dev/null; then
    valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect \
        "$tree/bin/c99" "$tree/key.p8" >/dev/null || fail "valgrind"
    passed=$((passed + 1))
fi
echo "$passed passed, 0 failed"
