# Read by tests/c/run.sh: pushcore.hpp as C++17 and C++20, with and without exceptions, against the sandbox.
for std in c++17 c++20; do
    build "hpp_$std" c++ -std=$std -g -fsanitize=address,undefined "$root/tests/cpp/main.cpp" $link
    try "pushcore.hpp as $std" sandboxed --tokens 300 --gone 3 "$out/hpp_$std"
done
printf '#include <pushcore.hpp>\nint main() { return pushcore::SigningKey::generate() ? 0 : 1; }\n' >"$out/alone.cpp"
build hpp_plain c++ -std=c++17 -fno-exceptions -fno-rtti "$out/alone.cpp" $link
try "pushcore.hpp without exceptions" "$out/hpp_plain"
build hpp_minimal c++ -std=c++17 -DPUSHCORE_MINIMAL "$out/alone.cpp" $link
pass
