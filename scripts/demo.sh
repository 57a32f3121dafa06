#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Plays the mission's session: a module with a factory firmware looks up, downloads, flashes, resets into and reports a
# new one. Then the next release comes with patches, and the same command fetches only what has changed. Called by
# `make demo`, which builds first. On a terminal it leaves you at the module's prompt.
set -euo pipefail
cd "$(dirname "$0")/.."

lifeboat=build/lifeboat
work=build/demo
rm -rf "$work"
mkdir -p "$work/sd" "$work/store"

# Three firmwares of the sizes, dates and names in the mission. What they would execute is of no importance here: the
# virtual module plays them by their description.
fill() { # FIRST-NUMBER
  seq "$1" $(($1 + 214000)) >"$work/code.raw"
}
make_image() { # FILE VERSION DATE TIME
  "$lifeboat" image make "$work/$1" --segment 0x400D0018="$work/code.raw" --version "$2" --project ovms3 \
    --date "$3" --time "$4" --idf v3.1-dev-453-g0f978bcb --size 2100352 >>"$work/make.log"
}
fill 100000
make_image factory.bin 3.1.003-2-g7ea18b4-dirty 'Apr  7 2018' 16:26:57
fill 200000
make_image older.bin 3.1.002 'Apr  7 2018' 10:05:44
fill 300000
make_image newer.bin 3.1.003 'Apr  7 2018' 13:11:19
# The next one: 23 places are corrected, and something new in the middle moves all behind it.
awk 'NR == 60000 { print "something newer" } NR % 9000 == 0 { $0 = "fixed!" } { print }' \
  "$work/code.raw" >"$work/code.next" && mv "$work/code.next" "$work/code.raw"
make_image newest.bin 3.1.004 'Apr 14 2018' 09:30:02
cp "$work/older.bin" "$work/sd/ovms3.bin"

depot="$work/depot"
"$lifeboat" depot publish "$depot" "$work/older.bin" --product v3.1 --tag main --patches 0
"$lifeboat" depot publish "$depot" "$work/newer.bin" --product v3.1 --tag main --patches 0

"$lifeboat" depot serve "$depot" --listen 127.0.0.1:0 >"$work/depot.out" 2>"$work/depot.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  [ -s "$work/depot.out" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/depot.log"; exit 1; }
  sleep 0.05
done
address=$(sed -nE 's|.*http://([^/]+)/.*|\1|p' "$work/depot.out")

"$lifeboat" flash create "$work/flash.bin" --factory "$work/factory.bin" --ota-1 "$work/older.bin"

module=("$lifeboat" module --flash "$work/flash.bin" --sd "$work/sd" --store "$work/store"
  --host "api.openvehicles.com=$address")
echo
"${module[@]}" --transcript 2>"$work/boot.log" <<'SESSION'
ota status
ota boot ota_1
ota status
ota flash http
ota status
module reset
ota status
SESSION

echo
echo "A week later the next release comes, with patches (--patches 1: from the release before):"
echo
"$lifeboat" depot publish "$depot" "$work/newest.bin" --product v3.1 --tag main --patches 1
echo
"${module[@]}" --transcript 2>>"$work/boot.log" <<'SESSION'
ota flash http
module reset
ota status
ota history
SESSION
echo
echo "The boot log is in $work/boot.log; the flash, as esptool would read it out of a module, in $work/flash.bin."

if [ -t 0 ] && [ -t 1 ]; then
  echo "The module is yours: 'help' lists its commands, /sd/ovms3.bin is an older firmware, Ctrl-D switches it off."
  echo
  "${module[@]}"
fi
