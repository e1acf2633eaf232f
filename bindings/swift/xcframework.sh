#!/usr/bin/env bash
# xcframework.sh [BUILD]: Pushcore.xcframework for iOS, its simulator and macOS. Needs a Mac with Xcode and the Rust targets.
#
# This was never run: it was written where there is no Mac.
set -euo pipefail
cd "$(dirname "$0")"
build=${1:-whole}
[ "$(uname)" = Darwin ] || { echo "xcframework.sh needs a Mac" >&2; exit 1; }
out=.build/xcframework
rm -rf "$out" Pushcore.xcframework
# In a folder of its own: Xcode copies the headers of all frameworks into one place.
mkdir -p "$out/Headers/PushcoreFFI"
cp "Sources/PushcoreFFI/$build/include/"{PushcoreFFI.h,module.modulemap} "$out/Headers/PushcoreFFI/"
for target in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin; do
  (cd ../uniffi && cargo rustc --release --locked -p pushcore-uniffi --lib --crate-type staticlib --target "$target" \
    --no-default-features --features "$build")
done
library() { echo "../uniffi/target/$1/release/libpushcore_uniffi.a"; }
mkdir -p "$out/simulator" "$out/macos"
lipo -create "$(library aarch64-apple-ios-sim)" "$(library x86_64-apple-ios)" -output "$out/simulator/libpushcore_uniffi.a"
lipo -create "$(library aarch64-apple-darwin)" "$(library x86_64-apple-darwin)" -output "$out/macos/libpushcore_uniffi.a"
xcodebuild -create-xcframework \
  -library "$(library aarch64-apple-ios)" -headers "$out/Headers" \
  -library "$out/simulator/libpushcore_uniffi.a" -headers "$out/Headers" \
  -library "$out/macos/libpushcore_uniffi.a" -headers "$out/Headers" \
  -output Pushcore.xcframework
