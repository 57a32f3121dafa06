#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the packages of debian-packages.txt that the named groups need and that are missing.
# usage: install-packages.sh GROUP...    (build, test, check, cross, board, bench, fuzz)
set -euo pipefail

groups=(build test check cross board bench fuzz)
list="$(dirname "$0")/debian-packages.txt"

fail()
{
  echo "Error: $1" >&2
  exit "${2:-1}"
}

[ $# -gt 0 ] || fail "no group named; usage: $0 GROUP... (of: ${groups[*]})" 2
for group in "$@"; do
  [[ " ${groups[*]} " == *" $group "* ]] || fail "no such group of packages: $group (there are: ${groups[*]})" 2
done

mapfile -t wanted < <(awk -v asked="$*" '
  BEGIN { count = split(asked, names, " "); for (i = 1; i <= count; i++) is_asked[names[i]] = 1 }
  /^#/ || NF < 2 { next }
  { count = split($2, names, ","); for (i = 1; i <= count; i++) if (names[i] in is_asked) { print $1; next } }' "$list")
[ ${#wanted[@]} -gt 0 ] || exit 0

if ! command -v dpkg-query >/dev/null; then
  echo "Note: this is not a Debian system; make sure that it has what Debian calls: ${wanted[*]}" >&2
  exit 0
fi

installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
  awk '$1 == "installed" { printf "%s ", $2 }' || true)"
missing=()
for package in "${wanted[@]}"; do
  [[ "$installed" == *" $package "* ]] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    fail "packages are missing and there is no sudo; run as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi
echo "Installing: ${missing[*]}" >&2
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
"${apt[@]}" update || fail "apt-get update failed; packages still missing: ${missing[*]}"
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
  fail "apt-get could not install: ${missing[*]}; read its lines above"
