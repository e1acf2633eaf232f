#!/usr/bin/env bash
# test.sh: fetches the connector, and compiles and tests the key manager against it.
set -euo pipefail
cd "$(dirname "$0")"
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -f ../pom.xml \
  -Dartifact=org.unifiedpush.android:connector:3.1.2:aar -DoutputDirectory="$PWD/target/connector"
(cd target/connector && jar xf connector-3.1.2.aar classes.jar)
mvn -q -B verify
