# Sourced by the scripts beside it: what a fresh clone needs, installed when it is missing. Says what it does, does
# nothing when all is there, and ends in one sentence when something can't be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "ramproc: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# install COMMAND PACKAGE...: the packages that have the command, by apt.
updated=
install() {
  local command=$1 apt=()
  shift
  command -v "$command" >/dev/null && return
  command -v apt-get >/dev/null || fail "$command is missing, and there is no apt-get to install it: install $* by hand."
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "$command is missing: ask the administrator for \"apt-get install $*\"."
    apt=(sudo)
  fi
  say "installing $* with apt-get, for $command"
  apt+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  # The package lists of a new machine may be empty or old.
  { { [ "$updated" ] || "${apt[@]}" update; } && "${apt[@]}" install --no-install-recommends "$@"; } >/dev/null ||
    fail "\"apt-get install $*\" failed: see above, and install it by hand."
  updated=yes
}

# What mounting takes.
install_fuse() {
  [ -c /dev/fuse ] || fail '/dev/fuse is missing: load the kernel module with "modprobe fuse".'
  install fusermount3 fuse3
}

node -e 'process.exit(process.versions.node.localeCompare("20.19", undefined, { numeric: true }) < 0 ? 1 : 0)' 2>/dev/null ||
  fail "Node 20.19 or newer is needed, and $(node --version 2>/dev/null || echo none) is here: install it from nodejs.org or with your package manager."

if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  say "installing the npm packages of package-lock.json"
  npm ci --silent || fail '"npm ci" failed: see above.'
fi
if [ -n "$(find src scripts/{*.ts,manual} tsconfig*.json -newer dist/.tsbuildinfo -print -quit 2>&1)" ]; then
  say "building dist/"
  rm -rf dist
  npm run --silent build || fail '"npm run build" failed: see above.'
fi
