#!/usr/bin/env bash
# npm run soak: hours of mixed work, compared with tmpfs throughout. Arguments go to test/soak/main.ts.
. "$(dirname "$0")/setup.sh"

install_fuse
install fio fio

exec npx tsx test/soak/main.ts "$@"
