#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fetches Debian source packages of debian-sources.txt and unpacks them, Debian's patches applied, into
# build/sources/NAME. Does nothing for those that are there already. Needs no root.
# usage: fetch-sources.sh NAME...
#
# Machines seldom have deb-src lines, and those need root to add. So the machine's own apt sources are copied into a
# private folder as deb-src lines, and apt works in that folder; hosts, keys and proxies stay those of the machine.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
list="$here/debian-sources.txt"
sources="$(dirname "$here")/build/sources"
private="$sources/apt"

fail()
{
  echo "Error: $1" >&2
  exit "${2:-1}"
}

# The machine's sources of its own release (a suite of another maker seldom has source packages), as deb-src.
derive_apt_sources()
{
  local codename file name list parts
  codename="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")"
  eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/f)"
  rm -rf "$private/parts"
  mkdir -p "$private/parts"
  for file in "$list" "$parts"/*.list; do
    [ -r "$file" ] || continue
    name="$(basename "$file")"
    [ "$file" != "$list" ] || name="the-list-itself.list" # whatever a part is called
    awk -v codename="$codename" '
      $1 != "deb" { next }
      { suite = 3; if ($2 ~ /^\[/) { for (suite = 2; suite < NF && $suite !~ /\]$/; suite++); suite += 2 } }
      $suite == codename || index($suite, codename "-") == 1 || $suite ~ /^(old)?stable(-|$)/ {
        $1 = "deb-src"; print }' "$file" > "$private/parts/$name"
  done
  for file in "$parts"/*.sources; do
    [ -r "$file" ] || continue
    awk -v codename="$codename" '
      function put() { if (wanted && stanza != "") printf "%s\n", stanza; stanza = ""; wanted = 0 }
      /^[ \t]*$/ { put(); next }
      /^#/ { next }
      tolower($1) == "types:" { if (index($0 " ", " deb ")) stanza = stanza "Types: deb-src\n"; next }
      tolower($1) == "suites:" {
        for (i = 2; i <= NF; i++)
          if ($i == codename || index($i, codename "-") == 1 || $i ~ /^(old)?stable(-|$)/) wanted = 1 }
      { stanza = stanza $0 "\n" }
      END { put() }' "$file" > "$private/parts/$(basename "$file")"
  done
  find "$private/parts" -type f -empty -delete
  [ -n "$(ls "$private/parts")" ] || fail "no apt source of $codename found in $list and $parts to derive deb-src lines from"
}

# The machine's own hooks, which tidy what belongs to root, are left out.
private_apt()
{
  apt-get -q -c "$private/apt.conf" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$private/parts" \
    -o Dir::State::lists="$private/lists" -o Dir::Cache="$private/cache" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}

# Unpacks beside its place and moves it there, so that what is there is always complete.
fetch()
{
  local name="$1" work="$private/work/$1" version tried
  rm -rf "$work"
  mkdir -p "$work"
  (cd "$work" && private_apt source --download-only "$name") >> "$private/log" 2>&1 || give_up "$name"
  dpkg-source --no-check -x "$work"/*.dsc "$work/tree" >> "$private/log" 2>&1 || give_up "$name"
  version="$(awk '$1 == "Version:" { print $2; exit }' "$work"/*.dsc)"
  tried="$(awk -v name="$name" '$1 == name { print $2 }' "$list")"
  [ "$version" = "$tried" ] || echo "Note: $name is $version here; the build was tried with $tried" >&2
  echo "$version" > "$work/tree/.fetched"
  rm -rf "${sources:?}/$name"
  mv "$work/tree" "$sources/$name"
  rm -rf "$work"
  echo "Fetched: $name $version" >&2
}

give_up()
{
  tail -n 15 "$private/log" >&2
  fail "could not fetch the source package $1; is there a network, and does apt-get update work? (all of apt's lines: $private/log)"
}

[ $# -gt 0 ] || fail "no source package named; usage: $0 NAME..." 2
missing=()
for name in "$@"; do
  awk -v name="$name" '$1 == name { found = 1 } END { exit !found }' "$list" ||
    fail "no such source package in $(basename "$list"): $name" 2
  [ -e "$sources/$name/.fetched" ] || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

for program in apt-get dpkg-source; do
  command -v "$program" >/dev/null ||
    fail "$program is missing; on Debian run packaging/install-packages.sh board, elsewhere unpack the sources into $sources"
done
mkdir -p "$private/lists/partial" "$private/cache/archives/partial"
exec 9> "$private/lock"
flock 9
: > "$private/log"
printf '#clear APT::Update::%s;\n' Pre-Invoke Post-Invoke Post-Invoke-Success > "$private/apt.conf"
derive_apt_sources
private_apt update >> "$private/log" 2>&1 || true # one source may fail that nothing is needed of; fetching tells
for name in "${missing[@]}"; do
  [ -e "$sources/$name/.fetched" ] || fetch "$name"
done
