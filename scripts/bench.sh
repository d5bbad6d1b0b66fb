#!/usr/bin/env bash
# npm run bench: ramproc beside its peers, measured in one run. Arguments go to scripts/bench/main.ts.
. "$(dirname "$0")/setup.sh"

install_fuse
install fio fio
install gcc gcc libc6-dev
install pkg-config pkg-config
pkg-config --exists fuse3 || install fuse3.pc libfuse3-dev

exec npx tsx scripts/bench/main.ts "$@"
