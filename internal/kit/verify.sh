#!/bin/sh
# verify.sh checks this kit, or bundles, with openssl 3 and nothing of trustpool's.
#
#   sh verify.sh [--kit-root FILE] [--root FILE] [--at DATE]     the kit that it lies in
#   sh verify.sh [--root FILE] [--at DATE] FILE...               bundles
#
#   --kit-root FILE  the root of those who sign kits: the manifest must be signed under it
#   --root FILE      the root that bundles must be signed under, instead of Cisco's
#   --at DATE        judge dates at DATE, 2026-11-21, instead of now
#
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

# The roots that count without --root: the SHA-256 of the certificate, sha1 if certificates
# below it may be signed with SHA-1 and else -, and a name.
pins='@PINS@'

LC_ALL=C OPENSSL_CONF=/dev/null SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/dev/null
export LC_ALL OPENSSL_CONF SSL_CERT_FILE SSL_CERT_DIR # no certificate of this machine counts
unset CDPATH IFS
umask 077
say() { printf '%s\n' "$*"; }
fail() { say "verify.sh: $*" >&2; exit 2; }
status=0
bad() { status=1; say "$*"; }

kit_root='' root='' at=''
while [ $# -gt 0 ]; do
	case $1 in
	--kit-root | --root | --at) [ $# -ge 2 ] || fail "$1 needs a value" ;;
	-*) fail "unknown option $1: the head of this file has those that there are" ;;
	*) break ;;
	esac
	case $1 in
	--kit-root) kit_root=$2 ;;
	--root) root=$2 ;;
	--at) at="-attime $(date -u -d "$2 00:00:00" +%s 2>/dev/null)" || fail "--at $2: write 2026-11-21" ;;
	esac
	shift 2
done
case $(openssl version 2>/dev/null) in 'OpenSSL 3.'* | 'OpenSSL '[4-9]*) ;; *) fail "openssl 3 is needed" ;; esac
tmp=$(mktemp -d "${TMPDIR:-/tmp}/verify.XXXXXX") && tmp=$(cd "$tmp" && pwd) || fail "no directory for temporary files"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

sha256() { openssl dgst -sha256 -r "$1" | cut -c 1-64; }

# each COMMAND gives every certificate of a PEM stream to COMMAND, in DER, in $tmp/one,
# until COMMAND takes one.
each() {
	pem=''
	while IFS= read -r line; do
		case $line in '-----BEGIN '*) pem='' ;; esac
		pem="$pem$line
"
		case $line in '-----END '*) say "$pem" | openssl x509 -outform DER -out "$tmp/one" && "$@" && return ;; esac
	done
	return 1
}

# pinned takes a certificate that is one of the pins.
pinned() {
	hash=$(sha256 "$tmp/one") name='' level=1
	while read -r pin tolerates label; do
		[ "$pin" != "$hash" ] || { name=$label; [ "$tolerates" != sha1 ] || level=0; }
	done <<-END
		$pins
	END
	[ "$name" ]
}

# unfit takes a certificate that is not for signing bundles.
unfit() {
	usage=$(openssl x509 -in "$tmp/one" -noout -ext keyUsage 2>/dev/null | sed -n '2s/^ *//p')
	case ", ${usage:-Digital Signature}," in *', Digital Signature,'* | *', Non Repudiation,'*) ;; *) return 0 ;; esac
	usage=$(openssl x509 -in "$tmp/one" -noout -ext extendedKeyUsage 2>/dev/null | sed -n '2s/^ *//p')
	case ", ${usage:-Any Extended Key Usage}," in
	*', 1.3.6.1.3.1.9.21.2.3,'* | *', 1.3.6.1.4.1.9.21.2.3,'* | *', E-mail Protection,'* | *', Code Signing,'* | *', Any Extended Key Usage,'*) return 1 ;;
	esac
}

# cms FILE ROOT LEVEL ARGUMENT... has openssl verify a message under one root alone.
cms() {
	message=$1 ca=$2 auth=$3
	shift 3
	# shellcheck disable=SC2086
	openssl cms -verify -binary -inform DER -in "$message" -CAfile "$ca" -no-CApath -no-CAstore -partial_chain -purpose any \
		-auth_level "$auth" $at -signer "$tmp/signers.pem" -out "$tmp/content" "$@" 2>"$tmp/err"
}

# bundle FILE answers for one bundle.
bundle() {
	openssl pkcs7 -inform DER -in "$1" -print_certs -out "$tmp/beside.pem" 2>/dev/null || : >"$tmp/beside.pem"
	if [ "$root" ]; then
		cp "$tmp/root.der" "$tmp/one"
		pinned || name="the root $hash"
	elif ! each pinned <"$tmp/beside.pem"; then
		say "$1: cannot judge: no root that counts is in the message; give --root FILE"
		[ $status -ne 0 ] || status=2
		return
	fi
	openssl x509 -in "$tmp/one" -out "$tmp/root.pem"
	# The first line within each of these: "<ABSENT>" or "object: ...", "algorithm: sha256 (...)".
	openssl cms -cmsout -print -noout -inform DER -in "$1" >"$tmp/print" 2>/dev/null
	attributes=$(sed -n '/^ *signedAttrs:/{n;s/^ *\([a-zA-Z<]*\).*/\1/p;}' "$tmp/print" | sort -u)
	weak=$(sed -n '/^ *digestAlgorithm:/{n;p;}' "$tmp/print" | grep -v '^ *algorithm: sha\(256\|384\|512\) (')
	if ! cms "$1" "$tmp/root.pem" $level || ! [ -s "$tmp/content" ]; then
		bad "$1: not verified: openssl says $(sed '$!d;s/.*Verify error: *//;s/.*routines:[^:]*:\([^:]*\):.*/\1/' "$tmp/err")"
	elif [ "$attributes" != object ]; then
		bad "$1: not verified: a signer signed no attributes"
	elif [ "$weak" ]; then
		bad "$1: not verified: the digest is not SHA-256, SHA-384 or SHA-512"
	elif each unfit <"$tmp/signers.pem"; then
		bad "$1: not verified: a signer's certificate is not for signing bundles"
	else
		say "$1: verified by openssl, $name"
	fi
}

[ ! "$root" ] || openssl x509 -in "$root" -outform DER -out "$tmp/root.der" 2>/dev/null || fail "--root $root: no certificate"
[ ! "$kit_root" ] || openssl x509 -in "$kit_root" -out "$tmp/kit-root.pem" 2>/dev/null || fail "--kit-root $kit_root: no certificate"
if [ $# -gt 0 ]; then
	for file; do [ -r "$file" ] || fail "$file: cannot be read"; bundle "$file"; done
	say "$limits"
	exit $status
fi

cd -- "$(dirname -- "$0")" && [ -r manifest.json ] && [ -r SHA256SUMS ] || fail "no kit here: manifest.json or SHA256SUMS is missing"
if [ ! "$kit_root" ]; then
	say "manifest.json: whether it is signed is not looked at without --kit-root FILE"
elif [ -r manifest.json.p7s ] && cms manifest.json.p7s "$tmp/kit-root.pem" 1 -content manifest.json; then
	say "manifest.json: signed under $kit_root, as openssl judges it"
else
	bad "manifest.json: not signed under $kit_root"
fi
grep -q "^ *\"sha256\": \"$(sha256 SHA256SUMS)\"," manifest.json || bad "SHA256SUMS: not as manifest.json has it"
: >"$tmp/listed"
while read -r sum name || [ "$sum" ]; do
	case $name in [!A-Za-z0-9]* | *[!A-Za-z0-9._/-]* | *..* | '') bad "SHA256SUMS: a line that no kit has"; continue ;; esac
	say "./$name" >>"$tmp/listed"
	[ -f "$name" ] && [ "$(sha256 "$name")" = "$sum" ] || bad "$name: changed or missing"
done <SHA256SUMS
find . ! -type d ! -path ./manifest.json ! -path ./manifest.json.p7s ! -path ./SHA256SUMS | grep -vxF -f "$tmp/listed" >"$tmp/more" &&
	bad "not in SHA256SUMS: $(tr -c 'A-Za-z0-9._/\n-' '?' <"$tmp/more" | tr '\n' ' ')"
[ $status -ne 0 ] || say "files: all have their sums"
grep -q '^\./bundles/.*\.p7b$' "$tmp/listed" || bad "bundles: there is none"
while read -r file; do
	case $file in ./bundles/*.p7b) bundle "${file#./}" ;; esac
done <"$tmp/listed"
say "$limits"
exit $status
