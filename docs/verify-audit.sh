#!/bin/sh
# Verifies a Callgate journal with sha256sum, gzip and openssl alone: sh verify-audit.sh ~/.callgate
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
id() { openssl pkey -pubin -in "$1" -outform DER | tail -c 32 | sha256sum | cut -c1-16; }
# signed DOMAIN LINE: LINE is canonical JSON with a `sig` over DOMAIN, a line feed and the same JSON without it.
signed() {
  by=$(field "$2" key) pem=$public
  [ "$by" = "$key" ] || pem=$root/keys/journal-signing.$by.pub.pem
  [ -e "$pem" ] && [ "$(id "$pem")" = "$by" ] || return 1
  sig=$(field "$2" sig)
  printf '%s\n%s' "$1" "${2%",${q}sig$q:"*}${2##*"${q}sig$q:$q$sig$q"}" >"$work/text"
  printf '%s' "$sig" | openssl base64 -d -A >"$work/sig"
  openssl pkeyutl -verify -pubin -inkey "$pem" -rawin -in "$work/text" -sigfile "$work/sig" >"$work/out" 2>&1
}

key=$(id "$public")
turn=-1 count_signed=0 head=
while IFS= read -r slot; do
  slot=${slot%"${slot##*[! ]}"}
  [ "$(field "$slot" key)" = "$key" ] && signed callgate.checkpoint.v1 "$slot" || bad "checkpoint: wrong signature"
  if [ "$(field "$slot" turn)" -gt "$turn" ]; then turn=$(field "$slot" turn) count_signed=$(field "$slot" count) head=$(field "$slot" head); fi
done <"$root/keys/journal-checkpoint"
[ "$turn" -ge 0 ] || bad "checkpoint: empty"

count=0 segment=0 force='' next='' told='' prev=0000000000000000000000000000000000000000000000000000000000000000
while :; do
  segment=$((segment + 1)) number=0 first=$((count + 1)) name=$root/journal/$(printf '%06d' "$segment")
  if [ -e "$name.jsonl" ]; then file=$name.jsonl; cat "$file" >"$work/plain"
  elif [ -e "$name.jsonl.gz" ]; then file=$name.jsonl.gz; gzip -dc "$file" >"$work/plain" || bad "$file: cannot be unpacked"
  elif [ -e "$name.expired" ]; then
    IFS= read -r line <"$name.expired"
    signed callgate.expired.v1 "$line" || bad "entry $first, $name.expired: wrong signature"
    [ "$(field "$line" first)" = "$first" ] && [ "$(field "$line" prev)" = "$prev" ] || bad "entry $first, $name.expired: does not follow"
    prev=$(field "$line" head) count=$((count + $(field "$line" count))) told="Segment $segment (entries $first to $count) was dropped"
    continue
  else break
  fi
  while IFS= read -r line; do
    number=$((number + 1)) count=$((count + 1)) at="entry $count, $file:$number"
    hash=$(field "$line" hash)
    body=${line%",${q}hash$q:"*}${line##*"${q}hash$q:$q$hash$q"}
    [ "$(printf 'callgate.entry.v2\n%s' "$body" | sha)" = "$hash" ] || bad "$at: altered"
    [ "$(field "$line" seq)" = "$count" ] || bad "$at: out of order"
    [ "$(field "$line" prev)" = "$prev" ] || bad "$at: does not follow the entry before"
    by=$(field "$line" key)
    [ -z "$force" ] || [ "$by" = "$force" ] || [ "$by" = "$next" ] || bad "$at: another key"
    force=$by next=
    [ "$count" != "$count_signed" ] || [ "$hash" = "$head" ] || bad "$at: not the entry that was signed"
    if [ "$(field "$line" kind)" = journal ]; then
      reason=$(field "$line" reason)
      case $reason in "Entries after this one are under key "*) next=${reason##* } next=${next%.} ;; esac
      case $reason in "$told:"*) told= ;; esac
    fi
    prev=$hash
  done <"$work/plain"
  [ -e "$name.seal" ] || { [ "$file" = "$name.jsonl" ] || bad "entry $first, $name.seal: missing"; continue; }
  IFS= read -r line <"$name.seal"
  signed callgate.seal.v1 "$line" || bad "entry $first, $name.seal: wrong signature"
  [ "$(field "$line" sha256)" = "$(sha <"$work/plain")" ] && [ "$(field "$line" head)" = "$prev" ] && [ "$(field "$line" segment)" = "$segment" ] ||
    bad "entry $first, $name.seal: not the seal of this segment"
  [ "$file" = "$name.jsonl" ] || [ "$(field "$line" gz)" = "$(sha <"$file")" ] || bad "entry $first, $file: not the file that was sealed"
done
for later in "$root"/journal/[0-9]*.*; do
  [ -e "$later" ] || continue
  part=$(basename "$later") part=${part%%.*}
  [ "$(expr "$part" + 0)" -lt "$segment" ] || bad "entry $((count + 1)), $name.jsonl: segment $segment is missing"
done
[ "$count" -ge "$count_signed" ] || bad "entry $((count + 1)): cut off, $count_signed entries were signed"
[ -z "$force" ] || [ "$force" = "$key" ] || [ "$next" = "$key" ] || bad "entry $count: under key $force, and the journal's key is $key"
[ -z "$told" ] || bad "segment before entry $first: no entry says that it was dropped"
printf 'OK %s entries, %s signed\n' "$count" "$count_signed"
