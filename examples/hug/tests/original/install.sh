#!/bin/sh
# Installs the original clients beside the build, each where it is in no other's way. Does nothing where they are there.
#
#     examples/hug/tests/original/install.sh PYTHON FOLDER
set -eu
python=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
package() { # FOLDER REQUIREMENT...: the marker is written last, so that an install that was cut off is done again.
    name=$1
    shift
    test -e "$folder/$name/.done-$(echo "$*" | tr -c 'a-z0-9.\n' '-')" && return
    rm -rf "${folder:?}/$name"
    "$python" -m pip install -q --disable-pip-version-check --target "$folder/$name" "$@"
    touch "$folder/$name/.done-$(echo "$*" | tr -c 'a-z0-9.\n' '-')"
}
package pushpad2 pushpad==2.0.0
package pushpad1 pushpad==1.0.0 requests
package pyfcm pyfcm==1.5.4
package python-gcm python-gcm==0.4 requests
package pyfcm-old pyfcm==1.3.1 requests
package pushjack pushjack==1.6.0
package boto3 'boto3>=1.43'
package awscli 'awscli>=1.40'
if ! cmp -s "$here/package.json" "$folder/node/package.json" || ! test -e "$folder/node/.done"; then
    mkdir -p "$folder/node"
    cp "$here/package.json" "$folder/node/package.json"
    (cd "$folder/node" && npm install --silent --no-audit --no-fund)
    touch "$folder/node/.done"
fi
