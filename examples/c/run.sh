# Read by tests/c/run.sh: the examples from the installed tree, against the sandbox.
examples=$root/examples/c
arguments='"$SANDBOX_APNS_P8_FILE" "$SANDBOX_APNS_KEY_ID" "$SANDBOX_APNS_TEAM_ID" "$SANDBOX_APNS_TOPIC" "$SANDBOX_TOKENS" "$SANDBOX_APNS_AUTHORITY" "$SANDBOX_CA_FILE"'
names="bulk epoll"
build bulk cc -std=c99 "$examples/bulk.c" $link
build epoll cc -std=c99 "$examples/epoll.c" $link
if printf '#include <curl/curl.h>\nint main(void){return 0;}\n' | cc -x c - -o "$out/has_curl" -lcurl 2>/dev/null; then
    build curl cc -std=gnu99 "$examples/curl.c" $link -lcurl
    names="$names curl"
elif [ -n "${CI:-}" ]; then fail "libcurl's headers are missing (libcurl4-openssl-dev)"
else echo "libcurl's headers are missing: examples/c/curl.c is not tried"; fi
if pkg-config --exists libuv; then
    build uv cc -std=gnu99 "$examples/uv.c" $link $(pkg-config --cflags --libs libuv)
    names="$names uv"
elif [ -n "${CI:-}" ]; then fail "libuv's headers are missing (libuv1-dev)"
else echo "libuv's headers are missing: examples/c/uv.c is not tried"; fi
asio=
printf '#include <asio.hpp>\nint main() {}\n' | c++ -std=c++17 -x c++ -fsyntax-only - 2>/dev/null && asio=yes
printf '#include <boost/asio.hpp>\nint main() {}\n' | c++ -std=c++17 -x c++ -fsyntax-only - 2>/dev/null && asio=-DPUSHCORE_BOOST
if [ -n "$asio" ]; then
    # Asio's own headers are not for every warning.
    c++ -std=c++17 -Wall -Wextra $flags ${asio#yes} "$examples/asio.cpp" $link -lpthread -o "$out/asio" || fail "asio does not build"
    names="$names asio"
elif [ -n "${CI:-}" ]; then fail "Asio's headers are missing (libasio-dev or libboost-dev)"
else echo "Asio's headers are missing: examples/c/asio.cpp is not tried"; fi
# One in a hundred tokens is dead, one request in a hundred is refused below HTTP, one connection is told to go.
refused='{"service":"apns","every":100,"action":{"kind":"rst","code":7}}'
away='{"service":"apns","skip":400,"times":1,"processed":false,"action":{"kind":"goaway","last":"before","close":true}}'
for name in $names; do
    faults=("--fault" "$refused" "--fault" "$away")
    # libcurl does not send again what was refused: that is what a session is for.
    [ "$name" != curl ] || faults=()
    try "example $name" sandboxed --tokens 1000 --gone 10 "${faults[@]}" sh -c "\"$out/$name\" $arguments >\"$out/gone.$name\""
    grep -q '990 accepted, 10 gone' "$out/log" || { cat "$out/log"; fail "example $name: not all are accounted for"; }
    [ "$name" = curl ] || [ "$(wc -l <"$out/gone.$name")" = 10 ] || fail "example $name: the dead tokens are not told"
    grep -q 'sandbox: 990 of 1000 accepted, 0 twice' "$out/log" || { cat "$out/log"; fail "example $name: the sandbox counts otherwise"; }
done
build receiver cc -std=c99 -D_POSIX_C_SOURCE=200809L "$examples/receiver.c" $link
subscription=$("$out/receiver" new "$out/keys" https://updates.push.services.mozilla.com/wpush/v2/abc) || fail "receiver new"
"$python" "$here/encrypt.py" "$tree" "$subscription" "grüße" >"$out/body" || fail "encrypt"
[ "$("$out/receiver" decrypt "$out/keys" <"$out/body")" = "grüße" ] || fail "receiver decrypt"
pass
