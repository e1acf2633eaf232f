#!/bin/sh
# Builds libpushcore and installs it: libraries, headers, pkg-config and CMake files.
#
#   PREFIX=/usr/local DESTDIR= LIBDIR=$PREFIX/lib scripts/install-c.sh
#
# PREFIX    where it is installed; default /usr/local
# DESTDIR   a folder that the whole tree is put under, for packagers; default none
# LIBDIR    where libraries go; default $PREFIX/lib
# MINIMAL=1 messages, requests, answers and the Web Push receiver only: no clients, sessions and connections
# RECEIVER=1 the Web Push receiver only: keys of a subscription, and decrypting
# PROFILE   release (default) or dev
# TARGET    a Rust target triple, to build for another machine
# OPT       the optimisation of the release: s (default) or 3
# CARGO     default cargo
#
# cargo-c would do the same, but wants the newest Rust and half an hour.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
LIBDIR=${LIBDIR:-$PREFIX/lib}
CARGO=${CARGO:-cargo}
profile=${PROFILE:-release}
case $PREFIX$LIBDIR in /*) ;; *) echo "PREFIX and LIBDIR are absolute paths" >&2; exit 2 ;; esac
case $profile in release | dev) ;; *) echo "PROFILE is release or dev" >&2; exit 2 ;; esac

# With the rlib among the kinds, cargo would leave the optimisation across crates out.
set -- -p pushcore-ffi --lib --crate-type cdylib,staticlib --profile "$profile" --locked
define= kind=
[ -z "${MINIMAL:-}" ] || { set -- "$@" --no-default-features --features l1; define=PUSHCORE_MINIMAL kind=minimal; }
[ -z "${RECEIVER:-}" ] || { set -- "$@" --no-default-features; define=PUSHCORE_RECEIVER kind=receiver; }
[ -z "${MINIMAL:-}" ] || [ -z "${RECEIVER:-}" ] || { echo "MINIMAL and RECEIVER exclude each other" >&2; exit 2; }
[ -z "${TARGET:-}" ] || set -- "$@" --target "$TARGET"
if [ "$profile" = release ]; then
    export CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_PROFILE_RELEASE_OPT_LEVEL="${OPT:-s}"
fi
# Each build has a folder of its own: what was built for one is not taken for another.
target=${CARGO_TARGET_DIR:-$root/target}
cd "$root"
log=$("$CARGO" rustc "$@" --target-dir "$target" -- --print native-static-libs 2>&1) || { echo "$log" >&2; exit 1; }
libs=$(printf '%s\n' "$log" | sed -n 's/^note: native-static-libs: //p' | tail -1)
[ -n "$libs" ] || { echo "rustc does not say which libraries a static library needs" >&2; exit 1; }

folder=$target/${TARGET:+$TARGET/}$(case $profile in dev) echo debug ;; *) echo release ;; esac)
version=$(sed -n 's/^#define PUSHCORE_VERSION "\(.*\)"$/\1/p' include/pushcore.h)
abi=$(sed -n 's/^#define PUSHCORE_ABI_VERSION \(.*\)$/\1/p' include/pushcore.h)
soversion=${version%%.*}
[ -n "$version" ] && [ -n "$abi" ] || { echo "include/pushcore.h has no version" >&2; exit 1; }
lib=$DESTDIR$LIBDIR
include=$DESTDIR$PREFIX/include
mkdir -p "$lib/pkgconfig" "$lib/cmake/pushcore" "$include"

put() { # MODE FROM TO
    rm -f "$3"
    install -m "$1" "$2" "$3"
}
put 644 include/pushcore.h "$include/pushcore.h"
[ ! -e include/pushcore.hpp ] || put 644 include/pushcore.hpp "$include/pushcore.hpp"
case ${TARGET:-$(uname -s)} in
*windows* | MINGW*)
    # The name of the DLL stands in the import library, so both are made for the name that is installed.
    mkdir -p "$DESTDIR$PREFIX/bin"
    shared=pushcore-$soversion.dll
    put 755 "$folder/pushcore_ffi.dll" "$DESTDIR$PREFIX/bin/$shared"
    { echo "LIBRARY $shared"; echo EXPORTS; grep -v '^#' tests/c/abi/symbols.txt; } >"$lib/pushcore.def"
    "${DLLTOOL:-x86_64-w64-mingw32-dlltool}" -d "$lib/pushcore.def" -D "$shared" -l "$lib/libpushcore.dll.a"
    if [ -e "$folder/libpushcore_ffi.a" ]; then put 644 "$folder/libpushcore_ffi.a" "$lib/libpushcore.a"
    else put 644 "$folder/pushcore_ffi.lib" "$lib/pushcore_static.lib"; fi
    link=libpushcore.dll.a
    ;;
*darwin* | *apple* | Darwin)
    put 755 "$folder/libpushcore_ffi.dylib" "$lib/libpushcore.$version.dylib"
    ln -sf "libpushcore.$version.dylib" "$lib/libpushcore.$soversion.dylib"
    ln -sf "libpushcore.$soversion.dylib" "$lib/libpushcore.dylib"
    put 644 "$folder/libpushcore_ffi.a" "$lib/libpushcore.a"
    link=libpushcore.dylib
    ;;
*)
    put 755 "$folder/libpushcore_ffi.so" "$lib/libpushcore.so.$version"
    ln -sf "libpushcore.so.$version" "$lib/libpushcore.so.$soversion"
    ln -sf "libpushcore.so.$soversion" "$lib/libpushcore.so"
    put 644 "$folder/libpushcore_ffi.a" "$lib/libpushcore.a"
    link=libpushcore.so
    ;;
esac

cat >"$lib/pkgconfig/pushcore.pc" <<END
prefix=$PREFIX
libdir=$LIBDIR
includedir=\${prefix}/include

Name: pushcore
Description: Speaks every push service correctly: APNs, FCM v1, Web Push, Amazon ADM, Baidu
URL: https://github.com/pushcore/pushcore
Version: $version
Cflags: -I\${includedir}${define:+ -D$define}
Libs: -L\${libdir} -lpushcore
Libs.private: $libs
END

# The tree may be moved as a whole: paths are told from where this file is.
up=$(printf '%s\n' "${LIBDIR#"$PREFIX"/}/cmake/pushcore" | sed 's|[^/][^/]*|..|g')
case $LIBDIR in "$PREFIX"/*) cmake_prefix="\${CMAKE_CURRENT_LIST_DIR}/$up" ;; *) cmake_prefix=$PREFIX ;; esac
cmake_libs=$(printf '%s' "$libs" | sed 's/^ *//; s/ *$//; s/  */;/g')
cat >"$lib/cmake/pushcore/pushcore-config.cmake" <<END
# pushcore::pushcore is the shared library, pushcore::static the static one.
get_filename_component(_pushcore_prefix "$cmake_prefix" ABSOLUTE)
get_filename_component(_pushcore_libdir "\${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
if(NOT TARGET pushcore::pushcore)
  add_library(pushcore::pushcore UNKNOWN IMPORTED)
  set_target_properties(pushcore::pushcore PROPERTIES
    IMPORTED_LOCATION "\${_pushcore_libdir}/$link"
    INTERFACE_INCLUDE_DIRECTORIES "\${_pushcore_prefix}/include"
    INTERFACE_COMPILE_DEFINITIONS "$define")
  add_library(pushcore::static STATIC IMPORTED)
  set_target_properties(pushcore::static PROPERTIES
    IMPORTED_LOCATION "\${_pushcore_libdir}/libpushcore.a"
    INTERFACE_INCLUDE_DIRECTORIES "\${_pushcore_prefix}/include"
    INTERFACE_COMPILE_DEFINITIONS "$define"
    INTERFACE_LINK_LIBRARIES "$cmake_libs")
endif()
set(pushcore_FOUND TRUE)
END
cat >"$lib/cmake/pushcore/pushcore-config-version.cmake" <<END
set(PACKAGE_VERSION "$version")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION OR NOT PACKAGE_FIND_VERSION_MAJOR EQUAL "${version%%.*}")
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
END
echo "libpushcore $version${kind:+ ($kind)} is in $DESTDIR$PREFIX"
