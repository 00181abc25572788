#!/bin/sh
# Verifies a proof of one entry with sha256sum and openssl: sh verify-proof.sh proof.json [public-key.pem]
# See "Showing one entry" in audit-format.md. Without a key the proof's own is used: then ask elsewhere whose key that is.
set -eu
export LC_ALL=C
proof=${1:?usage: sh verify-proof.sh PROOF [PUBLIC_KEY]}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
q='"'
bad() { printf 'BAD %s\n' "$*"; exit 1; }
field() { rest=${1##*"$q$2$q:"}; rest=${rest#"$q"}; printf '%s' "${rest%%[\",\}]*}"; }
# Hexadecimal digits as bytes.
bytes() { printf "$(printf '\\%03o' $(printf '%s' "$1" | sed 's/../0x& /g'))"; }
command -v sha256sum >/dev/null || sha256sum() { shasum -a 256; }
sha() { sha256sum | cut -c1-64; }
# Numbers that the shell will count with: some shells would run commands that stand in other text.
digits() { case $1 in 0 | [1-9]*) ;; *) return 1 ;; esac; case $1 in *[!0-9]* | ????????????????*) return 1 ;; esac; }

# The fields of a proof stand in this order: entry index publicKey siblings statement v.
all=; IFS= read -r all <"$proof" || [ -n "$all" ] || bad "there is no proof in $proof"
[ "$(wc -l <"$proof")" -le 1 ] || bad "there is more than one proof in $proof"
after=${all#"{${q}entry$q:$q"}
quoted=${after%"$q,${q}index$q:"*}
after=${after##*"$q,${q}index$q:"}
index=${after%%,*}
pem=${after#*"${q}publicKey$q:$q"}
printf '%b' "${pem%%"$q"*}" >"$work/key.pem"
[ $# -lt 2 ] || cmp -s "$2" "$work/key.pem" || bad "signed with another key"
siblings=${after#*"${q}siblings$q:["}
siblings=$(printf '%s' "${siblings%%]*}" | tr -d '"' | tr ',' ' ')
case $siblings in *[!0-9a-f\ ]*) bad "its siblings are no hashes" ;; esac
statement=${after#*"${q}statement$q:"}
statement=${statement%",${q}v$q:1}"}

# The entry is a JSON string: only \" and \\ are escaped in it, as an entry's own text holds no control characters.
printf '%s' "$quoted" | sed 's/\\\(["\\]\)/\1/g' >"$work/entry"
entry=$(cat "$work/entry")
hash=$(field "$entry" hash)
body=${entry%",${q}hash$q:"*}${entry##*"${q}hash$q:$q$hash$q"}
[ "$(printf 'callgate.entry.v2\n%s' "$body" | sha)" = "$hash" ] || bad "the entry was altered"

count=$(field "$statement" count) first=$(field "$statement" first)
digits "$count" && digits "$first" && digits "$index" || bad "its numbers are none"
[ "$((first + index))" = "$(field "$entry" seq)" ] || bad "the entry does not stand at this place"
node=$(bytes "00$hash" | sha) at=$index last=$((count - 1))
set -- $siblings
while [ "$last" -gt 0 ]; do
  if [ $((at % 2)) -eq 1 ] || [ "$at" -lt "$last" ]; then
    [ $# -gt 0 ] || bad "the way up is too short"
    if [ $((at % 2)) -eq 1 ]; then node=$(bytes "01$1$node" | sha); else node=$(bytes "01$node$1" | sha); fi
    shift
  fi
  at=$((at / 2)) last=$((last / 2))
done
[ $# -eq 0 ] && [ "$node" = "$(field "$statement" root)" ] || bad "the way up does not lead to the signed root"

sig=$(field "$statement" sig)
printf 'callgate.seal.v1\n%s' "${statement%",${q}sig$q:"*}${statement##*"${q}sig$q:$q$sig$q"}" >"$work/text"
printf '%s' "$sig" | openssl base64 -d -A >"$work/sig"
[ "$(openssl pkey -pubin -in "$work/key.pem" -outform DER | tail -c 32 | sha256sum | cut -c1-16)" = "$(field "$statement" key)" ] || bad "another key"
openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$work/text" -sigfile "$work/sig" >"$work/out" 2>&1 || bad "wrong signature"
printf 'OK entry %s of %s to %s, signed by %s\n' "$((first + index))" "$first" "$((first + count - 1))" "$(field "$statement" key)"
