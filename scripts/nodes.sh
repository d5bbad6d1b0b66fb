#!/usr/bin/env bash
# npm run test:nodes: npm test on each line of Node that the package is for, one after the other, and a table of the
# results. Arguments go to vitest. The Nodes come from the npm registry, and stay in a cache that other users, as whom
# the tests act, can read.
. "$(dirname "$0")/setup.sh"

lines=(20 22 24 26)
cache=${XDG_CACHE_HOME:-/var/cache}/ramproc-nodes
# The program lies ready in this package. The one named `node` has an install script, and fetches it by that.
package=node-$(node -p 'process.platform + "-" + process.arch')
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT

# A row of the table, from vitest's report; without one, vitest itself failed.
row='
  const file = process.argv[1];
  const { numPassedTests = "none", numFailedTests = "none", startTime = 0, testResults = [] } =
    require("node:fs").existsSync(file) ? require(file) : {};
  const seconds = (Math.max(startTime, ...testResults.map(({ endTime }) => endTime)) - startTime) / 1000;
  console.log(`| ${process.version} | ${numPassedTests} | ${numFailedTests} | ${Math.round(seconds)} s |`);
'
table='| Node | passed | failed | time |
| --- | --- | --- | --- |'
status=0
for line in "${lines[@]}"; do
  bin=$cache/$line/node_modules/$package/bin
  if [ ! -x "$bin/node" ]; then
    say "installing Node $line into $cache"
    npm install --silent --ignore-scripts --no-save --prefix "$cache/$line" "$package@$line" ||
      fail "\"npm install $package@$line\" failed: see above."
  fi
  say "the tests on Node $("$bin/node" --version)"
  report=$reports/$line.json
  PATH=$bin:$PATH bash scripts/test.sh --reporter=default --reporter=json --outputFile="$report" "$@" || status=1
  table+=$'\n'$("$bin/node" -e "$row" "$report")
done
printf '%s\n' "$table"
exit $status
