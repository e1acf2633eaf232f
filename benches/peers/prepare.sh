#!/bin/sh
# a2 knows Apple's two hosts and the public roots, nothing else. For the benchmark its own source is
# copied out of cargo's registry and two things are changed: the sandbox host, and whom TLS trusts.
set -eu
cd "$(dirname "$0")"
to=../../target/bench/a2
version=0.10.0
if [ ! -f "$to/ready" ]; then
    rm -rf "$to"
    mkdir -p "$to"
    file=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/cache" -name "a2-$version.crate" | head -1)
    [ -n "$file" ] || { curl -sSfL "https://static.crates.io/crates/a2/a2-$version.crate" -o "$to.crate"; file=$to.crate; }
    tar -xzf "$file" -C "$to" --strip-components=1
    sed -i -e 's/"api.development.push.apple.com"/"localhost:9473"/' \
        -e '0,/^        .with_webpki_roots()/s//        .with_tls_config(bench_tls())/' "$to/src/client.rs"
    cat >> "$to/src/client.rs" <<'R'

fn bench_tls() -> rustls::ClientConfig {
    let pem = std::fs::read(std::env::var("BENCH_CA").expect("BENCH_CA")).expect("a readable CA");
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut &pem[..]) {
        roots.add(certificate.expect("pem")).expect("a certificate");
    }
    rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}
R
    touch "$to/ready"
fi
