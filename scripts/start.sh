#!/usr/bin/env bash
# npm start: from a fresh clone to a mounted ./mnt.
. "$(dirname "$0")/setup.sh"

install_fuse

# A mount whose daemon died answers every call with ENOTCONN, also mkdir's and mountpoint's; "ramproc mount" replaces it.
mkdir -p mnt 2>/dev/null || true
if mountpoint -q mnt; then
  say "mnt is mounted already"
else
  node bin/ramproc.js mount mnt
fi
cat <<'TRY'

Try:
  echo hello > mnt/rust-proc-file && cat mnt/rust-proc-file
  dd if=/dev/urandom of=mnt/rust-proc-file bs=1M count=64 conv=notrunc
  fusermount -u mnt
TRY
