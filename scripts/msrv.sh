#!/usr/bin/env bash
# Proves the promised Rust version: `cargo check` of the whole workspace with the rustc 1.85 that
# Debian 13 carries, on a machine that may be older than that and has no rustup.
#
#   scripts/msrv.sh [CACHE_DIR]          default ~/.cache/pushcore-msrv (about 700 MB; keep it between runs)
#   scripts/msrv.sh CACHE_DIR COMMAND... runs COMMAND in that tree instead, in the repository
#
# The packages are resolved by apt with a state of its own (nothing of the system's apt is touched, every
# file is checked against Debian's signed index), unpacked, and entered by chroot in a private mount
# namespace that ends with the command. The crates come from `cargo vendor`, so the inside needs no network.
# Needs: root or user namespaces, apt, dpkg-deb, and a cargo that can vendor.
set -euo pipefail

CACHE=${1:-${PUSHCORE_MSRV_CACHE:-$HOME/.cache/pushcore-msrv}}
[ $# -eq 0 ] || shift
REPO=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
SUITE=trixie
# MSRV_ALSO adds packages and MSRV_ARCH an architecture, for a tree with other compilers in it (tests/c/cross.sh).
WANT="rustc cargo gcc libc6-dev bash coreutils ${MSRV_ALSO:-}"
KEY="rust-$SUITE-1${MSRV_ALSO:+ $MSRV_ALSO ${MSRV_ARCH:-}}"
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)
ROOT=$CACHE/root
say() { printf '[msrv %3ds] %s\n' "$SECONDS" "$*" >&2; }

# The archive this machine already uses.
mirror() {
  { cat /etc/apt/sources.list.d/*.sources | sed -n 's/^URIs: *//p'
    sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p' /etc/apt/sources.list; } 2>/dev/null | grep -m1 '/debian/*$' || true
}

make_root() {
  local tmp new
  tmp=$(mktemp -d); new=$ROOT.new.$$
  trap 'rm -rf "$tmp" "$new"' RETURN
  mkdir -p "$tmp/lists/partial" "$tmp/archives/partial" "$tmp/debs" "$new"/{proc,dev,tmp,root,etc,usr/bin,usr/sbin,usr/lib,usr/lib64}
  : >"$tmp/status"
  echo "deb [arch=$(dpkg --print-architecture)${MSRV_ARCH:+,$MSRV_ARCH} signed-by=/usr/share/keyrings/debian-archive-keyring.gpg target=Packages] ${DEBIAN_MIRROR:-$(mirror)} $SUITE main" >"$tmp/sources.list"
  cat >"$tmp/apt.conf" <<A
Dir::State "$tmp";
Dir::State::Lists "$tmp/lists";
Dir::State::status "$tmp/status";
Dir::Cache "$tmp";
Dir::Cache::archives "$tmp/archives";
Dir::Etc::SourceList "$tmp/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Architectures { "$(dpkg --print-architecture)"; ${MSRV_ARCH:+\"$MSRV_ARCH\";} };
APT::Sandbox::User "root";
A
  export APT_CONFIG=$tmp/apt.conf
  apt-get -qq update
  # shellcheck disable=SC2086
  apt-get install -y --print-uris $WANT | sed -n "s/^'[^']*' \([^ ]*\) .*/\1/p" >"$tmp/names"
  say "downloading $(wc -l <"$tmp/names") packages"
  (cd "$tmp/debs" && sed 's/^\([^_]*\)_.*_\([^_]*\)\.deb$/\1:\2/; s/:all$//' "$tmp/names" | xargs apt-get -qq download)
  unset APT_CONFIG
  say "unpacking"
  for d in bin sbin lib lib64; do ln -s "usr/$d" "$new/$d"; done
  for deb in "$tmp"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar -x -C "$new" --keep-directory-symlink --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
  done
  # What the packages' own scripts would have linked.
  [ -e "$new/usr/bin/sh" ] || ln -s bash "$new/usr/bin/sh"
  [ -e "$new/usr/bin/cc" ] || ln -s gcc "$new/usr/bin/cc"
  chmod 1777 "$new/tmp"
  echo "$KEY" >"$new/.key"
  rm -rf "$ROOT"
  mv "$new" "$ROOT"
}

[ "$(cat "$ROOT/.key" 2>/dev/null)" = "$KEY" ] || make_root

# The crates of Cargo.lock, once for each lock file.
LOCK=$(sha256sum "$REPO/Cargo.lock" | cut -c1-16)
if [ "$(cat "$CACHE/vendor/.lock" 2>/dev/null)" != "$LOCK" ]; then
  say "vendoring the crates"
  rm -rf "$CACHE/vendor"
  (cd "$REPO" && cargo vendor --locked -q "$CACHE/vendor" >/dev/null)
  echo "$LOCK" >"$CACHE/vendor/.lock"
fi
mkdir -p "$CACHE/target" "$CACHE/home"
cat >"$CACHE/home/config.toml" <<C
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "$CACHE/vendor"
[net]
offline = true
C

[ $# -gt 0 ] || set -- cargo check --workspace --all-targets --locked --offline
ns=(unshare --mount)
[ "$(id -u)" = 0 ] || ns=(unshare --map-root-user --mount)
export MSRV_ROOT=$ROOT MSRV_BINDS="$REPO
$CACHE/vendor
$CACHE/home
$CACHE/target" MSRV_REPO=$REPO MSRV_CACHE=$CACHE
say "rustc of $SUITE: $*"
# The mounts are private to this command. pyo3 needs no interpreter to be checked (abi3).
exec "${ns[@]}" /bin/bash -euc '
  mount --rbind /proc "$MSRV_ROOT/proc"; mount --rbind /dev "$MSRV_ROOT/dev"
  while IFS= read -r d; do mkdir -p "$MSRV_ROOT$d"; mount --bind "$d" "$MSRV_ROOT$d"; done <<<"$MSRV_BINDS"
  exec /usr/sbin/chroot "$MSRV_ROOT" /usr/bin/env -i PATH=/usr/bin:/bin LC_ALL=C HOME=/root PYO3_NO_PYTHON=1 PYO3_BUILD_EXTENSION_MODULE=1 \
    CARGO_HOME="$MSRV_CACHE/home" CARGO_TARGET_DIR="$MSRV_CACHE/target" \
    /bin/bash -euc "cd \"\$0\"; v=\$(rustc --version); echo \"\$v\" >&2; case \$v in \"rustc 1.85.\"*) ;; *) exit 3 ;; esac; exec \"\$@\"" "$MSRV_REPO" "$@"
' msrv "$@"
