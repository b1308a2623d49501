#!/bin/sh
# verify.sh checks the kit that it lies in, or bundles, with openssl 3 and nothing of trustpool's.
#
#   sh verify.sh [--kit-root FILE] [--root FILE] [--at 2026-11-21] [BUNDLE...]
#
# A kit's manifest must be signed under --kit-root, if that is given. Bundles must be signed under
# --root instead of Cisco's roots, and dates are judged at --at instead of now.
# Exit status: 0 all is well, 1 something is not, 2 something cannot be judged.
#
# A script that came with a kit proves nothing to somebody who does not trust the kit:
# whoever can change one can change the other. Take it from another place.

limits='
Not judged here, but by "trustpool receive" (kits) and "trustpool verify" (bundles):
  - the values of the signed attributes, name, version, signing time and content type,
    whether they are DER, and whether several signers agree on them;
  - whether what was signed is a list of certificates and nothing else, and whether bytes follow it;
  - what intermediates are for, certificate policies, and certificates signed with MD5 or by
    unusual algorithms;
  - whether a kit is as pack makes it, and its manifest and .pem files fit the bundles;
  - whether a bundle is older than the one that is here.'

# Cisco's roots: the SHA-256 of the certificate, the -auth_level for openssl (0 if certificates
# below it may be signed with SHA-1, else 1), and a name.
pins='@PINS@'

unset CDPATH IFS
export LC_ALL=C OPENSSL_CONF=/dev/null
say() { printf '%s\n' "$*"; }
bad() { status=1 && say "$*"; } # also if it cannot be said
fail() { say "verify.sh: $*" >&2; exit 2; }
pem() { openssl x509 -in "$1" -out "$2" 2>/dev/null; }
sha256() { openssl dgst -sha256 -r | cut -c 1-64; }

case $(openssl version 2>/dev/null) in 'OpenSSL 3.'* | 'OpenSSL '[4-9]*) ;; *) fail "openssl 3 is needed" ;; esac
tmp=$(mktemp -d) && tmp=$(cd "$tmp" && pwd) || fail "no directory for temporary files"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

status=0 kit_root='' root='' at=''
while [ $# -gt 0 ]; do
	case $1 in
	--kit-root) kit_root=${2-} && pem "$kit_root" "$tmp/kit-root.pem" || fail "$1 $kit_root: no certificate" ;;
	--root) root=${2-} && pem "$root" "$tmp/root.pem" || fail "$1 $root: no certificate" ;;
	--at) at=$(date -u -d "${2:-no day} 00:00:00" +%s 2>/dev/null) || fail "$1 ${2-}: write 2026-11-21" ;;
	-*) fail "unknown option $1: the head of this file has those that there are" ;;
	*) break ;;
	esac
	shift 2
done
for file; do [ -f "$file" ] && [ -r "$file" ] || fail "$file: cannot be read, or is not a file"; done

# judge MESSAGE ROOT LEVEL [CONTENT] has openssl verify a message under one root alone, and asks
# what openssl does not. If it fails, why says why.
judge() {
	openssl cms -verify -binary -inform DER -in "$1" ${4:+-content "$4"} ${at:+-attime "$at"} -purpose any \
		-CAfile "$2" -no-CApath -no-CAstore -partial_chain -auth_level "$3" \
		-signer "$tmp/signers.pem" -out "$tmp/content" 2>"$tmp/err" || {
		why="openssl says $(sed '$!d;s/.*Verify error: *//;s/.*routines:[^:]*:\([^:]*\):.*/\1/' "$tmp/err")"
		return 1
	}
	openssl cms -cmsout -print -noout -inform DER -in "$1" >"$tmp/print" 2>/dev/null
	why='a signer signed no attributes' # the line below has the first of them, or "<ABSENT>"
	[ "$(awk '/^ *signedAttrs:/{ getline; print $1 }' "$tmp/print" | sort -u)" = object: ] || return 1
	why='the digest is not SHA-256, SHA-384 or SHA-512' # the line below is "algorithm: sha256 (...)"
	[ "$(awk '/^ *digestAlgorithm:/{ getline; print $2 ~ /^sha(256|384|512)$/ }' "$tmp/print" | sort -u)" = 1 ] || return 1
	why="a signer's certificate is not for signing bundles" # the line below has the uses
	openssl storeutl -noout -text -certs "$tmp/signers.pem" 2>/dev/null | awk '
		/^Certificate:/ { signers++ }
		/X509v3 Key Usage:/ { getline; if (!/Digital Signature|Non Repudiation/) unfit = 1 }
		/X509v3 Extended Key Usage:/ { getline
			if (!/(^ *|, )(1\.3\.6\.1\.[34]\.1\.9\.21\.2\.3|E-mail Protection|Code Signing|Any Extended Key Usage)(,|$)/) unfit = 1 }
		END { exit unfit || !signers }'
}

# bundle FILE answers for one bundle, under the root that is given, or one that is in it.
bundle() {
	dir=$(mktemp -d "$tmp/XXXXXX") || fail "$tmp: cannot be written"
	openssl cms -cmsout -noout -inform DER -in "$1" -certsout /dev/stdout 2>/dev/null |
		(cd "$dir" && awk '/^-----BEGIN /{ close(file); file = ++n } file { print >file }') # a file for each
	for anchor in "$tmp/root.pem" "$dir"/*; do
		hash=$(openssl x509 -in "$anchor" -outform DER 2>/dev/null | sha256)
		pin=$(say "$pins" | grep "^$hash ") || pin=${root:+"$hash 1 the root $hash"}
		[ ! "$pin" ] || break
	done
	if [ ! "$pin" ]; then
		say "$1: cannot judge: no root that counts is in the message; give --root FILE"
		[ $status -ne 0 ] || status=2
	elif judge "$1" "$anchor" "$(say "$pin" | cut -d ' ' -f 2)"; then
		say "$1: verified by openssl, $(say "$pin" | cut -d ' ' -f 3-)"
	else
		bad "$1: not verified: $why"
	fi
}

if [ $# -eq 0 ]; then
	cd -- "${0%"${0##*/}"}." && [ -f manifest.json ] && [ -f SHA256SUMS ] ||
		fail "no kit here: manifest.json or SHA256SUMS is missing"
	if [ ! "$kit_root" ]; then
		say "manifest.json: whether it is signed is not looked at without --kit-root FILE"
	elif [ -f manifest.json.p7s ] && judge manifest.json.p7s "$tmp/kit-root.pem" 1 manifest.json; then
		say "manifest.json: signed under $kit_root, as openssl judges it"
	else
		bad "manifest.json: not signed under $kit_root"
	fi
	grep -q "^ *\"sha256\": \"$(sha256 <SHA256SUMS)\"," manifest.json || bad "SHA256SUMS: not as manifest.json has it"
	grep -x '[0-9a-f]\{64\}  [A-Za-z0-9][A-Za-z0-9._/-]*' SHA256SUMS >"$tmp/sums"
	while read -r sum name; do
		[ -f "$name" ] && [ "$(sha256 <"$name")" = "$sum" ] || bad "$name: changed or missing"
	done <"$tmp/sums"
	cut -c 67- "$tmp/sums" >"$tmp/listed"
	find . ! -type d ! -path ./SHA256SUMS ! -path ./manifest.json ! -path ./manifest.json.p7s -print0 >"$tmp/found" ||
		bad "files: some cannot be listed"
	tr -c 'A-Za-z0-9._/\000-' '?' <"$tmp/found" | tr '\000' '\n' | cut -c 3- >"$tmp/names" # a name can hold anything
	grep -vxF -f "$tmp/listed" "$tmp/names" >"$tmp/more"
	[ $? -eq 1 ] || bad "not in SHA256SUMS: $(tr '\n' ' ' <"$tmp/more")"
	[ $status -ne 0 ] || say "files: all have their sums"
	set -- $(grep '^bundles/.*\.p7b$' "$tmp/listed")
	[ $# -gt 0 ] || bad "bundles: there is none"
fi
for file; do [ ! -f "$file" ] || bundle "$file"; done
say "$limits"
exit $status
