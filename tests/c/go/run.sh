# Read by tests/c/run.sh: the vectors of FCM, ADM and Baidu through Go's cgo.
try "vectors by cgo" env -C "$here/go" CGO_ENABLED=1 CGO_CFLAGS="-I$tree/include" CGO_LDFLAGS="-L$tree/lib -lpushcore -Wl,-rpath,$tree/lib" \
    GOFLAGS=-mod=mod GOTOOLCHAIN=local go run . "$root/tests/vectors"
