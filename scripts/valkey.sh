# Sourced by test.sh: Valkey's programs, in node_modules/.valkey. Debian 12 has them among its backports only, of which nothing is installed:
# the packages are fetched by apt-get and unpacked, and run with the libraries that redis-server came with.
valkey=$PWD/node_modules/.valkey

fetch_valkey() {
  command -v valkey-server >/dev/null && return
  [ -x "$valkey/usr/bin/valkey-server" ] && return
  local without='shared files are not tested with it; install valkey-server by hand to have them be.'
  command -v apt-get >/dev/null || { say "no Valkey here, and no apt-get to fetch it: $without"; return; }
  say 'fetching valkey-server with apt-get'
  local release archive suite
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  archive=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' | awk -v r="$release" '$2 == r { print $1; exit }')
  mkdir -p "$valkey"/{lists,cache/archives}/partial
  for suite in "$release" "$release-backports"; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main"
  done >"$valkey/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc::SourceList=$valkey/sources.list" -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$valkey/lists" -o "Dir::Cache=$valkey/cache" -o APT::Sandbox::User=root)
  (cd "$valkey" && "${apt[@]}" update && "${apt[@]}" download valkey-server valkey-tools) >/dev/null ||
    { rm -rf "$valkey"; say "no Valkey could be fetched: $without"; return; }
  for package in "$valkey"/*.deb; do dpkg -x "$package" "$valkey"; done
  rm -r "$valkey"/{lists,cache} "$valkey"/*.deb
}
