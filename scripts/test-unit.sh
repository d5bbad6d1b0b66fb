#!/usr/bin/env bash
# npm run test:unit: the tests that need neither root nor /dev/fuse, in seconds. Arguments go to vitest.
. "$(dirname "$0")/setup.sh"

install gcc gcc libc6-dev

exec npx vitest run --project unit --project bytes "$@"
