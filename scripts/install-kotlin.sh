#!/usr/bin/env bash
# install-kotlin.sh: what `make test-kotlin` needs. Kotlin itself, JNA and JUnit come from Maven Central with the first run.
set -euo pipefail
if command -v mvn >/dev/null && command -v javac >/dev/null; then exit 0; fi
packages="maven openjdk-17-jdk-headless"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing: apt-get install -y $packages" >&2
  exit 1
fi
apt-get install -y -q --no-install-recommends $packages || { apt-get update -q && apt-get install -y -q --no-install-recommends $packages; }
