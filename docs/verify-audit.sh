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
command -v sha256sum >/dev/null || sha256sum() { shasum -a 256; }
sha() { sha256sum | cut -c1-64; }
# The last occurrence of a field's name in a line is the entry's own: see "Reading one field" in audit-format.md.
field() { rest=${1##*"$q$2$q:"}; rest=${rest#"$q"}; printf '%s' "${rest%%[\",\}]*}"; }
id() { openssl pkey -pubin -in "$1" -outform DER | tail -c 32 | sha256sum | cut -c1-16; }
# Numbers that the shell will count with: some shells would run commands that stand in other text.
digits() { case $1 in 0 | [1-9]*) ;; *) return 1 ;; esac; case $1 in *[!0-9]* | ????????????????*) return 1 ;; esac; }
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

# statement FILE DOMAIN: reads the one signed line of FILE, and nothing else may be in it.
statement() {
  line=; IFS= read -r line <"$1" || return 1
  printf '%s\n' "$line" | cmp -s - "$1" && signed "$2" "$line"
}

# Where the private key is, it says which public one counts; that of a change that was cut short stands beside it as a retired one.
if [ -r "$root/keys/journal-signing.pem" ]; then
  openssl pkey -in "$root/keys/journal-signing.pem" -pubout -out "$work/public.pem" 2>"$work/out" || bad "$root/keys/journal-signing.pem: no key"
  if [ -e "$public" ] && ! cmp -s "$public" "$work/public.pem"; then
    beside=$(id "$public")
    [ "$beside" = "$(id "$work/public.pem")" ] || cmp -s "$public" "$root/keys/journal-signing.$beside.pub.pem" || bad "$public: not of the private key beside it"
  fi
  public=$work/public.pem
fi
[ -e "$public" ] || bad "$public: missing"
key=$(id "$public")
turn=-1 count_signed=0 head='' wanted=0
[ -e "$root/keys/journal-checkpoint" ] && [ "$(wc -c <"$root/keys/journal-checkpoint")" -eq 1024 ] || bad "checkpoint: not two statements"
while IFS= read -r slot; do
  slot=${slot%"${slot##*[! ]}"}
  [ "$(field "$slot" key)" = "$key" ] && signed callgate.checkpoint.v1 "$slot" || bad "checkpoint: wrong signature"
  now=$(field "$slot" turn)
  digits "$now" && [ $((now % 2)) -eq "$wanted" ] || bad "checkpoint: a statement of the other line"
  [ "$turn" -lt 0 ] || [ $((now - turn)) -eq 1 ] || [ $((turn - now)) -eq 1 ] || bad "checkpoint: a statement of another time"
  if [ "$now" -gt "$turn" ]; then turn=$now count_signed=$(field "$slot" count) head=$(field "$slot" head); fi
  wanted=$((wanted + 1))
done <"$root/keys/journal-checkpoint"
[ "$wanted" -eq 2 ] && digits "$count_signed" || bad "checkpoint: not two statements"

count=0 segment=0 force='' next='' last_told='' prev=0000000000000000000000000000000000000000000000000000000000000000
while :; do
  segment=$((segment + 1)) number=0 first=$((count + 1)) name=$root/journal/$(printf '%06d' "$segment")
  if [ -e "$name.jsonl" ]; then file=$name.jsonl; cat "$file" >"$work/plain"
  elif [ -e "$name.jsonl.gz" ]; then file=$name.jsonl.gz; gzip -dc "$file" >"$work/plain" || bad "$file: cannot be unpacked"
  elif [ -e "$name.expired" ]; then
    statement "$name.expired" callgate.expired.v1 || bad "entry $first, $name.expired: wrong signature"
    many=$(field "$line" count)
    digits "$many" && [ "$(field "$line" first)" = "$first" ] && [ "$(field "$line" prev)" = "$prev" ] || bad "entry $first, $name.expired: does not follow"
    prev=$(field "$line" head) count=$((count + many)) last_told=${name##*/}
    printf '%s\n' "Segment $segment (entries $first to $count) was dropped: $(field "$line" reason). $(field "$line" root) $(field "$line" sha256)" >"$work/told.$last_told"
    printf '%s' "$first" >"$work/first.$last_told"
    continue
  else break
  fi
  # The shell leaves bytes of 0 out of what it reads.
  tr -d '\000' <"$work/plain" | cmp -s - "$work/plain" ||
    bad "entry $((first + $(tr '\n\000' '\001\n' <"$work/plain" | head -n 1 | tr -cd '\001' | wc -c))), $file: altered, it holds a byte 0"
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
      case $reason in "Segment "*" was dropped: "*) printf '%s\n' "$reason $(field "$line" root) $(field "$line" sha256)" >>"$work/said.$(printf '%06d' "$(field "$line" segment)")" ;; esac
      case $reason in "Segment "*" was sealed.") field "$line" root >"$work/sealed.$(printf '%06d' "$(field "$line" segment)")" ;; esac
    fi
    prev=$hash
  done <"$work/plain"
  later=$root/journal/$(printf '%06d' $((segment + 1)))
  if [ -e "$later.jsonl" ] || [ -e "$later.jsonl.gz" ] || [ -e "$later.expired" ]; then
    [ -z "$line" ] || bad "entry $((count + 1)), $file:$((number + 1)): half a line, and writers went on after it"
    [ "$number" -gt 0 ] || bad "entry $first, $file: empty"
  fi
  printf '%s' "$first" >"$work/first.$(printf '%06d' "$segment")"
  [ -e "$name.seal" ] || { [ "$file" = "$name.jsonl" ] || bad "entry $first, $name.seal: missing"; continue; }
  statement "$name.seal" callgate.seal.v1 || bad "entry $first, $name.seal: wrong signature"
  [ "$(field "$line" sha256)" = "$(sha <"$work/plain")" ] && [ "$(field "$line" head)" = "$prev" ] && [ "$(field "$line" segment)" = "$segment" ] ||
    bad "entry $first, $name.seal: not the seal of this segment"
  [ "$file" = "$name.jsonl" ] || [ "$(field "$line" gz)" = "$(sha <"$file")" ] || bad "entry $first, $file: not the file that was sealed"
done
for later in "$root"/journal/*; do
  case $(printf '%s' "$later" | tr A-Z a-z) in *.jsonl | *.jsonl.gz | *.seal | *.expired) ;; *) continue ;; esac
  part=${later##*/} part=${part%%.*} at=${part#"${part%%[!0]*}"}
  case $later in */"$part".jsonl | */"$part".jsonl.gz | */"$part".seal | */"$part".expired) ;; *) at= ;; esac
  digits "$at" && [ "$(printf '%06d' "$at")" = "$part" ] || bad "entry $((count + 1)), $later: no writer names a file like this"
  [ "$at" -lt "$segment" ] || bad "entry $((count + 1)), $name.jsonl: segment $segment is missing"
done
[ "$count" -ge "$count_signed" ] || bad "entry $((count + 1)): cut off, $count_signed entries were signed"
[ -z "$force" ] || [ "$force" = "$key" ] || [ "$next" = "$key" ] || bad "entry $count: under key $force, and the journal's key is $key"
for told in "$work"/told.*; do
  part=${told##*.}
  if [ -e "$work/said.$part" ]; then grep -qxF -f "$told" "$work/said.$part"
  else [ "$part" != "$last_told" ] && [ -e "$told" ] || [ -z "$last_told" ]
  fi || bad "entry $(cat "$work/first.$part"), $root/journal/$part.expired: no entry says this of a dropped segment"
done
for sealed in "$work"/sealed.*; do
  part=${sealed##*.} name=$root/journal/${sealed##*.}.seal
  [ -e "$work/first.$part" ] && [ ! -e "$work/told.$part" ] || continue
  [ -e "$name" ] && IFS= read -r line <"$name" && [ "$(field "$line" root)" = "$(cat "$sealed")" ] ||
    bad "entry $(cat "$work/first.$part"), $name: not the seal that the record names"
done
printf 'OK %s entries, %s signed\n' "$count" "$count_signed"
