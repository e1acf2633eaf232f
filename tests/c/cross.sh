#!/usr/bin/env bash
# Builds libpushcore for other machines in a tree of Debian 13's compilers, which scripts/msrv.sh makes (about 3 GB), and runs on them what runs here.
#
#   tests/c/cross.sh aarch64|windows|small [CACHE_DIR]       CACHE_DIR is ~/.cache/pushcore-cross by default
#
# aarch64: built with aarch64-linux-gnu-gcc; messages.c and request.c, with the shared and with the static library, are run by qemu-user.
# windows: built with mingw-w64 and a standard library out of rust-src; the DLL, its import library and a program that is linked with it are looked at, not
#          run.
# small:   the receiver with a standard library that has no backtraces, stripped; its size, and receiver.c.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
kind=${1:-aarch64}
cache=${2:-$HOME/.cache/pushcore-cross}
export MSRV_ARCH=arm64
export MSRV_ALSO="rust-src gcc-mingw-w64-x86-64-win32 musl-tools gcc-aarch64-linux-gnu libc6-dev-arm64-cross libstd-rust-dev:arm64 qemu-user grep sed mawk"
mkdir -p "$cache/target"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$cache/target/key.p8" 2>/dev/null
inside() { "$root/scripts/msrv.sh" "$cache" bash -euc "export PROFILE=dev; $1"; }

# The crates of the standard library, beside those of Cargo.lock: Debian has no standard library for these targets.
with_std() {
    inside true
    if [ ! -e "$cache/vendor/.std" ]; then
        library=$(echo "$cache"/root/usr/src/rustc-*/library/Cargo.toml)
        RUSTC_BOOTSTRAP=1 cargo vendor --locked -q --manifest-path "$library" --versioned-dirs "$cache/vendor-std" >/dev/null
        cp -r "$cache/vendor-std/." "$cache/vendor/"
        touch "$cache/vendor/.std"
    fi
    inside "export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD='std panic_unwind'; $1"
}

# shellcheck disable=SC2016
case $kind in
aarch64)
    inside '
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc TARGET=aarch64-unknown-linux-gnu
        out=$CARGO_TARGET_DIR/aarch64-tree
        PREFIX=$out scripts/install-c.sh
        libs=$(sed -n "s/^Libs.private: //p" "$out/lib/pkgconfig/pushcore.pc")
        for name in messages request; do
            aarch64-linux-gnu-gcc -std=c99 -Wall -Wextra -Werror -I"$out/include" tests/c/$name.c -L"$out/lib" -lpushcore -o "$out/$name"
            aarch64-linux-gnu-gcc -std=c99 -Wall -Wextra -Werror -I"$out/include" tests/c/$name.c "$out/lib/libpushcore.a" $libs -o "$out/$name.static"
            for program in $name $name.static; do
                qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$out/lib" "$out/$program" "$CARGO_TARGET_DIR/key.p8" >"$out/said"
                echo "aarch64: $program runs"
            done
        done'
    ;;
windows)
    with_std '
        export TARGET=x86_64-pc-windows-gnu
        out=$CARGO_TARGET_DIR/windows-tree
        PREFIX=$out scripts/install-c.sh
        x86_64-w64-mingw32-gcc -std=c99 -Wall -Wextra -Werror -I"$out/include" tests/c/request.c -L"$out/lib" -l:libpushcore.dll.a -o "$out/request.exe"
        x86_64-w64-mingw32-objdump -p "$out/request.exe" | grep "DLL Name: pushcore-0.dll"
        x86_64-w64-mingw32-objdump -p "$out/bin/pushcore-0.dll" | grep "DLL Name"
        x86_64-w64-mingw32-nm "$out/lib/libpushcore.dll.a" | grep -c " T pushcore_"'
    ;;
small)
    with_std '
        export TARGET=x86_64-unknown-linux-gnu PROFILE=release RECEIVER=1 CARGO_UNSTABLE_BUILD_STD_FEATURES=
        out=$CARGO_TARGET_DIR/small-tree
        PREFIX=$out scripts/install-c.sh
        cc -std=c99 -DPUSHCORE_RECEIVER -I"$out/include" tests/c/receiver.c -L"$out/lib" -lpushcore -Wl,-rpath,"$out/lib" -o "$out/receiver"
        "$out/receiver"
        echo "receiver without backtraces: $(wc -c <"$(readlink -f "$out/lib/libpushcore.so")") bytes"'
    ;;
*) echo "usage: $0 aarch64|windows|small [CACHE_DIR]" >&2; exit 2 ;;
esac
