#!/bin/sh
# verify.sh: check this kit, or bundles, with openssl and nothing of trustpool's.
#
#   sh verify.sh [--kit-root FILE] [--root FILE] [--at TIME]             the kit that it lies in
#   sh verify.sh --bundle [--root FILE] [--at TIME] FILE...              bundles
#
#   --kit-root FILE  the root of those who sign kits: the list of files must be signed under it
#   --root FILE      the root that bundles must be signed under, instead of Cisco's
#   --at TIME        judge dates of bundles at 2026-11-21 or 2026-11-21T08:30:00Z (default now)
#
# Each bundle gets one of three answers:
#   verified       its signature leads to a pinned root, by the rules of trustpool verify
#   not verified   it does not, and why
#   cannot judge   openssl and this script cannot say; trustpool verify can
# Exit status: 0 all is well and all verified, 1 something is not, 2 something could not be judged or read.
#
# A script that came with a kit proves nothing to who does not trust the kit: whoever
# can change one can change the other. Take it from another place, or use trustpool receive.
#
# It needs openssl 1.1.1 or later, a POSIX shell, and the programs that it asks for below.
# All rules but the arithmetic of signatures are in the awk program below, because
# openssl cms -verify lets pass what they refuse: attributes that are not signed or not
# DER, weak digests, signers and intermediates of other purposes, SHA-1 under any root.

# The roots that count where --root names none, by the SHA-256 of the certificate;
# sha1 where certificates below it may be signed with SHA-1, else -.
pins='
@PINS@'

LC_ALL=C
OPENSSL_CONF=/dev/null
# This machine's roots count for nothing, and take long to read.
SSL_CERT_FILE=/dev/null
SSL_CERT_DIR=/dev/null
export LC_ALL OPENSSL_CONF SSL_CERT_FILE SSL_CERT_DIR
umask 077
unset CDPATH # or cd could lead to another directory of that name
me=$0
kit_root='' root='' at='' bundles=''
say() { printf '%s\n' "$*"; }
fail() { say "verify.sh: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
	case $1 in
	--kit-root | --root | --at)
		[ $# -ge 2 ] || fail "$1 needs a value"
		case $1 in --kit-root) kit_root=$2 ;; --root) root=$2 ;; *) at=$2 ;; esac
		shift 2 ;;
	--bundle) bundles=yes; shift ;;
	--help | -h) sed -n '2,/^$/s/^# \{0,1\}//p' "$me"; exit 0 ;;
	-?*) fail "unknown option $1; see --help" ;;
	*) break ;;
	esac
done
if [ "$bundles" ]; then
	[ $# -gt 0 ] || fail "--bundle needs a FILE"
else
	[ $# -eq 0 ] || fail "one argument too many: $1"
fi

for program in awk cat cut date dd dirname mktemp od rm tr; do
	command -v "$program" >/dev/null || fail "there is no $program here"
done

# Times are compared as 14 digits.
[ "$at" ] || at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
case $at in
[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) at=${at}T00:00:00Z ;;
[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z) ;;
*) fail "--at $at: write 2026-11-21 or 2026-11-21T08:30:00Z" ;;
esac
at=$(say "$at" | tr -d ':TZ-')

case $(openssl version 2>/dev/null) in
'OpenSSL 1.1.1'*) only='-no-CApath' ;;
'OpenSSL '[3-9]*) only='-no-CApath -no-CAstore' ;;
*) fail "openssl 1.1.1 or later is needed" ;;
esac

tmp=$(mktemp -d "${TMPDIR:-/tmp}/verify.XXXXXX") || fail "no directory for temporary files"
case $tmp in /*) ;; *) tmp=$PWD/$tmp ;; esac # the kit's directory is entered later
export tmp
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

# The rules, as an awk program. It reads pairs of files: the bytes in hex, on one
# line, and what openssl asn1parse prints of them. What it prints is either a verdict,
# "no WHY" or "cannot WHY", or what is left for openssl to compute.
cat >"$tmp/rules.awk" <<'AWK'
@RULES@
AWK

# read_der FILE NAME makes of a file in DER what the rules read: NAME.hex and NAME.asn.
# Bytes that no PrintableString has become a star, so that none is lost on the way; where
# openssl gives up there is an empty line, which is no element.
read_der() {
	od -An -v -tx1 "$1" | tr -d ' \n' >"$tmp/$2.hex"
	echo >>"$tmp/$2.hex"
	openssl asn1parse -inform DER -in "$1" >"$tmp/parsed" 2>/dev/null || echo >>"$tmp/parsed"
	tr '\000-\011\013-\037\177-\377' '*' <"$tmp/parsed" >"$tmp/$2.asn"
}
slice() { dd if="$1" bs=1 skip="$2" count="$3" 2>/dev/null; }

# signed FILE HASH KEY PLACE checks the signature of the certificate at PLACE of a message.
signed() {
	# shellcheck disable=SC2086
	set -- "$1" "$2" "$3" $4
	slice "$1" "$4" "$5" >"$tmp/tbs"
	slice "$1" "$6" "$7" >"$tmp/sig"
	openssl dgst "-$2" -verify "$tmp/$3" -signature "$tmp/sig" "$tmp/tbs" >/dev/null 2>&1
}

# judge FILE SHA1 judges a bundle under the root of use, and answers in one line.
judge() {
	read_der "$1" m
	awk -v at="$at" -v sha1="$2" -f "$tmp/rules.awk" what=hex "$tmp/r.hex" what=asn "$tmp/r.asn" \
		what=hex "$tmp/m.hex" what=asn "$tmp/m.asn" >"$tmp/facts" || { echo "cannot judge: awk fails on it"; return; }
	read -r verdict why <"$tmp/facts"
	case $verdict in
	no) say "not verified: $why"; return ;;
	cannot) say "cannot judge: $why"; return ;;
	link | other) ;;
	*) echo "cannot judge: it cannot be read"; return ;;
	esac
	# The signers' own signatures.
	# shellcheck disable=SC2086
	if ! openssl cms -verify -binary -inform DER -in "$1" -noverify -nointern -certfile "$tmp/signers.pem" $only -out "$tmp/content" 2>"$tmp/err"; then
		case $(cat "$tmp/err") in
		*'erification failure'*) echo "not verified: the signature is not that of the signer's key over this content" ;;
		*) echo "cannot judge: openssl does not read it" ;;
		esac
		return
	fi
	# Each certificate of a chain by the key of the next.
	broken='' hash='' others=''
	while read -r kind i key next_hash place; do
		if [ "$kind" = other ]; then others=yes; continue; fi
		if [ "$i" != 1 ] && ! signed "$1" "$hash" "$key" "$below"; then broken=$key; fi
		hash=$next_hash below=$place
	done <"$tmp/facts"
	if [ "$broken" ]; then
		while [ "$others" ] && read -r kind i other_key hash place; do
			if [ "$kind" = other ] && { [ "$hash" = '?' ] || [ "$hash" != no ] && signed "$1" "$hash" "$broken" "$place"; }; then
				echo "cannot judge: several certificates bear the name of an issuer"
				return
			fi
		done <"$tmp/facts"
		echo "not verified: a certificate of its chain is not signed by its issuer's key"
		return
	fi
	read_der "$tmp/content" m
	awk -f "$tmp/rules.awk" what=hex "$tmp/m.hex" what=pool "$tmp/m.asn" >"$tmp/facts"
	read -r verdict why <"$tmp/facts"
	case $verdict in
	pool) ;;
	no) say "not verified: in the signed content: $why"; return ;;
	*) say "cannot judge: in the signed content: $why"; return ;;
	esac
	# At last openssl judges the whole, but for dates, which it counts by the second less.
	# shellcheck disable=SC2086
	if ! openssl cms -verify -binary -inform DER -in "$1" -purpose any -no_check_time -partial_chain -auth_level 0 \
		-CAfile "$tmp/root.pem" $only -out /dev/null 2>"$tmp/err"; then
		say "cannot judge: openssl refuses it: $(tr '\n' ' ' <"$tmp/err")"
		return
	fi
	echo verified
}

# use ROOT makes a root in DER the one to judge under.
use() {
	read_der "$1" r
	openssl x509 -inform DER -in "$1" -out "$tmp/root.pem" 2>/dev/null
}

# pinned FILE looks up a certificate in DER: its name, and whether SHA-1 is tolerated below it.
pinned() {
	hash=$(sha256 "$1")
	while read -r pin tolerates name; do
		[ "$tolerates" = sha1 ] || tolerates=''
		if [ "$pin" ] && [ "$pin" = "$hash" ]; then return; fi
	done <<END
$pins
END
	tolerates='' name=''
	return 1
}

# bundle FILE answers for one bundle, under --root or under what it holds of the pins.
bundle() {
	if [ ! -s "$1" ]; then echo "not verified: there is nothing in it"; return; fi
	if [ "$root" ]; then judge "$1" "$tolerated"; return; fi
	read_der "$1" m
	awk -f "$tmp/rules.awk" what=hex "$tmp/m.hex" what=list "$tmp/m.asn" >"$tmp/list" || { echo "cannot judge: awk fails on it"; return; }
	answer='cannot judge: the message does not hold a pinned root: give --root FILE'
	while read -r at1 len1; do
		case $at1 in
		no) say "not verified: $len1"; return ;;
		cannot) say "cannot judge: $len1"; return ;;
		esac
		slice "$1" "$at1" "$len1" >"$tmp/candidate"
		pinned "$tmp/candidate" && use "$tmp/candidate" || continue
		answer="$(judge "$1" "$tolerates")"
		[ "$answer" != verified ] || { say "verified, $name"; return; }
	done <"$tmp/list"
	say "$answer"
}

sha256() {
	hash=$(openssl dgst -sha256 -r "$1")
	say "${hash%% *}"
}

# plain NAME is true for names as kits have: nothing in them is read as anything else.
plain() { case $1 in [!A-Za-z0-9]* | *[!A-Za-z0-9._/-]* | *..* | '') return 1 ;; esac; }

status=0 tolerates='' tolerated=''
worse() { [ "$status" -ge "$1" ] || status=$1; }
# tell NAME ANSWER prints a bundle's answer and counts it.
tell() {
	say "$1: $2"
	case $2 in
	verified*) ;;
	'not verified'*) worse 1 ;;
	*) undecided=yes ;;
	esac
}

if [ "$root" ]; then
	{ openssl x509 -in "$root" -outform DER -out "$tmp/root.der" || openssl x509 -inform DER -in "$root" -outform DER -out "$tmp/root.der"; } 2>/dev/null ||
		fail "--root $root: no certificate"
	root=$tmp/root.der
	use "$root"
	pinned "$root" || : # what is tolerated goes with the root, however it is named
	tolerated=$tolerates
fi
if [ "$kit_root" ]; then
	{ openssl x509 -in "$kit_root" -out "$tmp/kit-root.pem" || openssl x509 -inform DER -in "$kit_root" -out "$tmp/kit-root.pem"; } 2>/dev/null ||
		fail "--kit-root $kit_root: no certificate"
fi
undecided=''
if [ "$bundles" ]; then
	for file; do
		[ -r "$file" ] || fail "$file: cannot be read"
		tell "$file" "$(bundle "$file")"
	done
else
	cd -- "$(dirname -- "$me")" || fail "the kit's directory cannot be entered"
	[ -r manifest.json ] && [ -r SHA256SUMS ] || fail "no kit here: manifest.json or SHA256SUMS is missing"
	# The list of files, then the sums, then the files.
	if [ "$kit_root" ]; then
		# shellcheck disable=SC2086
		if [ -r manifest.json.p7s ] && openssl cms -verify -binary -inform DER -in manifest.json.p7s -content manifest.json -purpose any -partial_chain -CAfile "$tmp/kit-root.pem" $only \
			-out /dev/null 2>/dev/null; then
			say "manifest.json: signed under $kit_root, as openssl judges it"
		else
			say "manifest.json: not signed under $kit_root"
			worse 1
		fi
	elif [ -r manifest.json.p7s ]; then
		echo "manifest.json: signed, and not looked at by whom: give --kit-root FILE"
	else
		echo "manifest.json: nobody has signed it"
	fi
	if awk -v want="$(sha256 SHA256SUMS)" '
		/^ *"path": / { path = $0 }
		/^ *"sha256": / && path ~ /"SHA256SUMS",?$/ { split($0, part, "\""); found = part[4] }
		END { exit found == "" || found != want }' manifest.json; then
		echo "SHA256SUMS: as manifest.json has it"
	else
		echo "SHA256SUMS: not as manifest.json has it"
		worse 1
	fi
	# All sums at once: each name is looked at before openssl sees it.
	set --
	while read -r sum name || [ "$sum" ]; do
		if ! plain "$name"; then
			echo "SHA256SUMS: a line that no kit has"
			worse 1
		elif [ -f "$name" ]; then
			set -- "$@" "$name"
		fi
	done <SHA256SUMS
	have="
$(openssl dgst -sha256 -r "$@" 2>/dev/null </dev/null)
"
	listed="
"
	while read -r sum name || [ "$sum" ]; do
		plain "$name" || continue
		listed="$listed$name
"
		case $have in *"
$sum *$name
"*) continue ;; esac
		if [ -f "$name" ]; then say "$name: changed"; else say "$name: missing"; fi
		worse 1
	done <SHA256SUMS
	# No kit has hidden files, nor directories within these.
	for name in * .[!.]* ..?* */* */.[!.]* */..?*; do
		case $name in
		manifest.json | manifest.json.p7s | SHA256SUMS) continue ;;
		audit | bundles | changes | commands) [ ! -d "$name" ] || continue ;;
		esac
		if ! plain "$name"; then
			[ ! -e "$name" ] && [ ! -h "$name" ] && continue # a pattern that fits nothing
			say "$(say "$name" | tr -c 'A-Za-z0-9._/\n-' '?' | tr '\n' ' '): a name that no kit has"
			worse 1
			continue
		fi
		case $listed in *"
$name
"*) continue ;; esac
		say "$name: not in SHA256SUMS"
		worse 1
	done
	[ $status -ne 0 ] || echo "files: all have their sums"
	any=''
	for file in bundles/*.p7b; do
		plain "$file" || continue # said above
		any=yes
		tell "$file" "$(bundle "$file")"
	done
	[ "$any" ] || tell bundles "not verified: there is none"
fi
if [ "$status" -eq 0 ] && [ "$undecided" ]; then status=2; fi
exit "$status"
