#!/bin/sh
# Verifies a Callgate journal with sha256sum and openssl alone: sh verify-audit.sh ~/.callgate
# See audit-format.md. Prints the first bad entry and exits 1, or says how many entries are sound.
set -eu
export LC_ALL=C
root=${1:?usage: sh verify-audit.sh DATA_FOLDER}
public=$root/keys/journal-signing.pub.pem
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
q='"'
bad() { printf 'BAD %s\n' "$*"; exit 1; }
sha() { sha256sum | cut -c1-64; }
# The last occurrence of a field's name in a line is the entry's own: see "Reading one field" in audit-format.md.
field() { rest=${1##*"$q$2$q:"}; rest=${rest#"$q"}; printf '%s' "${rest%%[\",\}]*}"; }

key=$(openssl pkey -pubin -in "$public" -outform DER | tail -c 32 | sha256sum | cut -c1-16)
turn=-1 signed=0 head=
while IFS= read -r slot; do
  slot=${slot%"${slot##*[! ]}"}
  sig=$(field "$slot" sig)
  printf 'callgate.checkpoint.v1\n%s' "${slot%",${q}sig$q:"*},${q}time$q:${slot##*"${q}time$q:"}" >"$work/text"
  printf '%s' "$sig" | openssl base64 -d -A >"$work/sig"
  openssl pkeyutl -verify -pubin -inkey "$public" -rawin -in "$work/text" -sigfile "$work/sig" >"$work/out" 2>&1 || bad "checkpoint: wrong signature"
  if [ "$(field "$slot" turn)" -gt "$turn" ]; then turn=$(field "$slot" turn) signed=$(field "$slot" count) head=$(field "$slot" head); fi
done <"$root/keys/journal-checkpoint"
[ "$turn" -ge 0 ] || bad "checkpoint: empty"

count=0 segment=0 prev=0000000000000000000000000000000000000000000000000000000000000000
for file in "$root"/journal/*.jsonl; do
  [ -e "$file" ] || continue
  segment=$((segment + 1)) number=0
  [ "$(basename "$file")" = "$(printf '%06d.jsonl' "$segment")" ] || bad "$file: segment $segment is missing"
  while IFS= read -r line; do
    number=$((number + 1)) count=$((count + 1)) at="entry $count, $file:$number"
    hash=$(field "$line" hash)
    body=${line%",${q}hash$q:"*}${line##*"${q}hash$q:$q$hash$q"}
    [ "$(printf 'callgate.entry.v2\n%s' "$body" | sha)" = "$hash" ] || bad "$at: altered"
    [ "$(field "$line" seq)" = "$count" ] || bad "$at: out of order"
    [ "$(field "$line" prev)" = "$prev" ] || bad "$at: does not follow the entry before"
    [ "$(field "$line" key)" = "$key" ] || bad "$at: another key"
    [ "$count" != "$signed" ] || [ "$hash" = "$head" ] || bad "$at: not the entry that was signed"
    prev=$hash
  done <"$file"
done
[ "$count" -ge "$signed" ] || bad "entry $((count + 1)): cut off, $signed entries were signed"
printf 'OK %s entries, %s signed\n' "$count" "$signed"
