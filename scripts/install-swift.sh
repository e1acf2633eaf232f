#!/usr/bin/env bash
# install-swift.sh [PREFIX] [CACHE]: the Swift 6 of Debian 13 in a folder of its own, on a Debian of amd64 that is older.
#
#   PREFIX  where it is unpacked; default $PUSHCORE_SWIFT or /opt/pushcore-swift (1 GB)
#   CACHE   where the packed tree is kept for the next time; default ~/.cache/pushcore-swift (310 MB)
#
# Nothing is installed on the system. apt resolves, downloads and verifies the packages against the signed index of
# trixie; they are unpacked, not configured. PREFIX/enter COMMAND enters the folder with chroot, in a mount namespace of its
# own that ends with the command, because Swift needs a newer C library than Debian 12 has. That takes root or user
# namespaces; a container without either cannot run it.
set -euo pipefail
prefix=${1:-${PUSHCORE_SWIFT:-/opt/pushcore-swift}}
cache=${2:-$HOME/.cache/pushcore-swift}
version=6.0.3-2
suite=trixie
key="swift-$version-$suite-1"

tell() { printf 'install-swift: %s (%d s)\n' "$*" "$SECONDS" >&2; }
fail() { tell "$*"; exit 1; }

[ "$(cat "$prefix/key" 2>/dev/null)" != "$key" ] || { tell "$prefix is ready"; exit 0; }
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "only for Debian on amd64"
for tool in apt-get unshare zstd; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install -y zstd util-linux"
done

mkdir -p "$cache" "$(dirname "$prefix")"
packed=$cache/$key.tar.zst
work=$(mktemp -d)
tree=$prefix.part.$$
trap 'rm -rf "$work" "$tree"' EXIT
mkdir -p "$tree"

# The archive that this machine already uses.
mirror() {
  if [ -n "${DEBIAN_MIRROR:-}" ]; then echo "$DEBIAN_MIRROR"; return; fi
  local found
  found=$({ sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources
    sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list; } 2>/dev/null |
    grep -m1 '/debian/*$' || true)
  echo "${found:-http://deb.debian.org/debian}"
}

# Of the packages that Swift depends on, the ones that neither a build nor a test runs: other compilers (swiftc brings
# its own clang), their sanitizers, what lldb wants.
unused='^(gcc|cpp)(-14)?(-x86-64-linux-gnu)?$|^lib(asan8|tsan2|lsan0|hwasan0|ubsan1|itm1|gomp1|quadmath0|cc1-0|isl23|mpc3|mpfr6|gprofng0)$'
unused="$unused|^libpython3|^(debconf|mawk|media-types|netbase|rpcsvc-proto|readline-common|libc-dev-bin|openssl-provider-legacy|libdb5.3t64)$"
# And the parts of Swift itself: debugger, language server, documentation, static libraries.
leave_out=(share/doc share/man share/locale share/info share/lintian
  'libexec/swift/bin/lldb*' 'libexec/swift/bin/*lld*' libexec/swift/bin/{clangd,sourcekit-lsp,docc,swift-format,repl_swift,swift-build-sdk-interfaces}
  'libexec/swift/lib/liblldb*' 'libexec/swift/lib/libLTO*' libexec/swift/lib/libsourcekitdInProc.so
  libexec/swift/lib/swift/{embedded,FrameworkABIBaseline,migrator} libexec/swift/lib/swift_static)

download() {
  mkdir -p "$work"/{state/lists/partial,archives/partial,debs}
  : >"$work/state/status" # an empty system: the whole closure is wanted
  printf 'deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$(mirror)" "$suite" >"$work/sources.list"
  cat >"$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "$work/state/status";
Dir::Cache "$work";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
CONF
  export APT_CONFIG=$work/apt.conf
  apt-get -qq update
  apt-get install -y --print-uris "swiftlang=$version" libc6-dev libstdc++-14-dev libc-bin bash coreutils |
    sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | grep -vE "$unused" >"$work/names"
  tell "downloading $(wc -l <"$work/names") packages of $suite"
  (cd "$work/debs" && xargs apt-get -qq download <"$work/names")
  unset APT_CONFIG
}

unpack() {
  local not=() path deb
  for path in "${leave_out[@]}"; do not+=("--exclude=./usr/$path"); done
  mkdir -p "$tree"/{proc,dev,tmp,root,etc,usr/bin,usr/sbin,usr/lib,usr/lib64}
  chmod 1777 "$tree/tmp"
  for path in bin sbin lib lib64; do ln -s "usr/$path" "$tree/$path"; done
  tell "unpacking"
  for deb in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tree" --wildcards --keep-directory-symlink "${not[@]}"
    rm "$deb"
  done
  # What the maintainer scripts would have linked.
  [ -e "$tree/usr/bin/sh" ] || ln -s bash "$tree/usr/bin/sh"
  [ -e "$tree/usr/bin/ld" ] || ln -s x86_64-linux-gnu-ld "$tree/usr/bin/ld"
  echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
  echo 'root:x:0:' >"$tree/etc/group"
  echo '127.0.0.1 localhost' >"$tree/etc/hosts"
}

if (cd "$cache" && sha256sum -c --status "$key.sha256") 2>/dev/null; then
  tell "unpacking $packed"
  zstd -dcq "$packed" | tar -x -C "$tree"
else
  download
  unpack
  tell "packing for the next time"
  tar -c -C "$tree" . | zstd -3 -T0 -q >"$packed.part"
  mv "$packed.part" "$packed"
  (cd "$cache" && sha256sum "$key.tar.zst" >"$key.sha256")
fi

cat >"$tree/enter" <<'RUN'
#!/usr/bin/env bash
# enter COMMAND...: in the tree of Swift, with the folder of $PUSHCORE_BIND (or the current one) at its own path.
# PUSHCORE_ENV names the variables that the command sees; nothing else of the environment goes in.
set -euo pipefail
tree=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
namespace=(unshare --mount)
[ "$(id -u)" = 0 ] || namespace+=(--map-root-user)
variables=()
for name in ${PUSHCORE_ENV:-}; do [ -z "${!name+set}" ] || variables+=("$name=${!name}"); done
exec "${namespace[@]}" bash -euc '
  tree=$1 bind=$2 at=$3; shift 3
  # Swift finds its own libraries through /proc/self/exe.
  mount --rbind /proc "$tree/proc"; mount --rbind /dev "$tree/dev"
  mkdir -p "$tree$bind"; mount --bind "$bind" "$tree$bind"
  exec chroot "$tree" /usr/bin/env -i PATH=/usr/libexec/swift/bin:/usr/bin:/bin LC_ALL=C.UTF-8 HOME=/root "$@"
' run "$tree" "$(readlink -f "${PUSHCORE_BIND:-$PWD}")" "$PWD" \
  "${variables[@]}" bash -c 'cd "$0" && exec "$@"' "$PWD" "$@"
RUN
chmod 755 "$tree/enter"

cat >"$work/try.swift" <<'TRY'
import Foundation
print("swift", Data([1, 2, 3]).count)
TRY
tell "trying it"
said=$(cd "$work" && "$tree/enter" sh -c 'swiftc try.swift -o try && ./try') || true
[ "$said" = "swift 3" ] || fail "the first program does not run: $said"
echo "$key" >"$tree/key"
rm -rf "$prefix"
mv "$tree" "$prefix"
tell "$prefix is ready, $(du -sm "$prefix" | cut -f1) MB"
