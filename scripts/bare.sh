#!/usr/bin/env bash
# Runs README's two commands on a bare machine: a minimal Debian 12 root that has what README names and nothing else.
#
#   scripts/bare.sh                     make demo, then make test
#   scripts/bare.sh COMMAND...          COMMAND instead, for example: scripts/bare.sh make demo
#
# BARE_CACHE (default ~/.cache/pushcore-bare, about 400 MB) keeps the minimal root between runs; BARE_KEEP=1 keeps the
# used root as well, and goes on in it at the next run. The commands see a copy of what git knows of this repository,
# this machine's Rust toolchain and cargo's downloaded crates (both mounted, the toolchain read-only).
# Needs: root, debootstrap, unshare. The mounts are private to this script and end with it.
set -euo pipefail

CACHE=${BARE_CACHE:-$HOME/.cache/pushcore-bare}
REPO=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
ROOT=$CACHE/root
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
# What README names, and the `make` that its commands begin with.
NAMED=make,gcc,python3
say() { printf '[bare %4ds] %s\n' "$SECONDS" "$*" >&2; }
[ "$(id -u)" = 0 ] || { echo "scripts/bare.sh needs root: chroot and bind mounts" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "missing; type: apt-get install -y debootstrap" >&2; exit 1; }
mkdir -p "$CACHE"

if [ ! -s "$CACHE/bookworm.tar" ]; then
    say "debootstrap"
    rm -rf "$CACHE/new"
    debootstrap --variant=minbase --include="$NAMED" bookworm "$CACHE/new" "$MIRROR" >"$CACHE/debootstrap.log"
    rm -f "$CACHE"/new/var/cache/apt/archives/*.deb
    tar -C "$CACHE/new" -cf "$CACHE/bookworm.tar.part" .
    mv "$CACHE/bookworm.tar.part" "$CACHE/bookworm.tar"
    rm -rf "$CACHE/new"
fi
if [ -z "${BARE_KEEP:-}" ] || [ ! -d "$ROOT" ]; then
    say "a fresh root"
    rm -rf --one-file-system "$ROOT"
    mkdir -p "$ROOT"
    tar -C "$ROOT" -xf "$CACHE/bookworm.tar"
fi
cp -L /etc/resolv.conf "$ROOT/etc/resolv.conf"
# What an installer writes and debootstrap does not.
printf '127.0.0.1 localhost\n::1 localhost\n' >"$ROOT/etc/hosts"
# Tracked files and new ones, as they are now; what was built stays behind.
mkdir -p "$ROOT/src/pushcore"
git -C "$REPO" ls-files -z --cached --others --exclude-standard | (cd "$REPO" && xargs -0 ls -d 2>/dev/null) |
    tar -C "$REPO" -cf - --no-recursion -T - | tar -C "$ROOT/src/pushcore" -xf -

TOOLCHAIN=$(readlink -f "$(rustc --print sysroot)")
REGISTRY=$(readlink -f "${CARGO_HOME:-$HOME/.cargo}")/registry
# On a network that takes TLS apart, this machine's own list of CAs is the one that works.
CA=${SSL_CERT_FILE:-}
[ $# -gt 0 ] || set -- sh -c 'make demo && make test'

export BARE_ROOT=$ROOT BARE_TOOLCHAIN=$TOOLCHAIN BARE_REGISTRY=$REGISTRY BARE_CA=$CA
say "$*"
unshare --mount --pid --fork --kill-child /bin/bash -euc '
    root=$BARE_ROOT
    # A directory that is a mount of its own: without it nothing below can be made private.
    mount --bind "$root" "$root"
    mount --make-rprivate "$root"
    mkdir -p "$root$BARE_TOOLCHAIN" "$root/root/.cargo/registry"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$BARE_TOOLCHAIN" "$root$BARE_TOOLCHAIN"
    mount -o remount,bind,ro "$root$BARE_TOOLCHAIN"
    mount --bind "$BARE_REGISTRY" "$root/root/.cargo/registry"
    settings=(PATH="$BARE_TOOLCHAIN/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LC_ALL=C.UTF-8)
    if [ -n "$BARE_CA" ]; then
        cp -L "$BARE_CA" "$root/root/ca.pem"
        for name in SSL_CERT_FILE PIP_CERT CARGO_HTTP_CAINFO NODE_EXTRA_CA_CERTS; do settings+=("$name=/root/ca.pem"); done
    fi
    TIMEFORMAT="[bare] wall %R s, CPU %U + %S s"
    rc=0
    time chroot "$root" /usr/bin/env -i "${settings[@]}" /bin/sh -c "cd /src/pushcore && exec \"\$@\"" sh "$@" </dev/null || rc=$?
    exit $rc
' bare "$@" && rc=0 || rc=$?
say "ended with status $rc"
[ -n "${BARE_KEEP:-}" ] || rm -rf --one-file-system "$ROOT"
exit $rc
