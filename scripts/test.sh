#!/usr/bin/env bash
# npm test: from a fresh clone to every test's result. Arguments go to vitest, and --seed N too: what is random in the tests
# is made from it.
. "$(dirname "$0")/setup.sh"

# A line for each thing that the tests use: the command to look for, and the packages that have it.
install_fuse
install setpriv util-linux
install gcc gcc libc6-dev
install fio fio
install pgrep procps
install systemd-analyze systemd
install zsh zsh
install fish fish
install man man-db
install mandoc mandoc
install busybox busybox
install less less
install rsync rsync
install python3 python3
install redis-server redis-server
install openssl openssl
install ip iproute2
install nsenter util-linux
. scripts/valkey.sh
fetch_valkey

exec npx vitest run "${@/#--seed/--sequence.seed}"
