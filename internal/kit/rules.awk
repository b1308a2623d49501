function no(why) { if (!done) print "no " why; done = 1; exit }
function cannot(why) { if (!done) print "cannot " why; done = 1; exit }
function minimal(l) { return l < 128 ? 2 : l < 256 ? 3 : l < 65536 ? 4 : l < 16777216 ? 5 : 6 }

# Every line must be one element that begins where the one before it ends: so text
# with line breaks in it cannot pass for elements.
what == "hex" {
	if (substr($0, 1, 2) != "30") cannot("it is not DER; PEM and base64 are not read here")
	hex[++files] = $0; end = length($0) / 2; at_octet = 0; base[files] = n + 1
	next
}
{
	if ($0 ~ /l=inf /) cannot("it is framed in BER, not DER")
	if ($0 ~ /length is greater than [0-9]+$/) no("it is cut short")
	if ($0 !~ /^ *[0-9]+:d=[0-9]+ +hl=[0-9]+ +l= *[0-9]+ (prim|cons): /) cannot("openssl asn1parse prints it in no way known here")
	s = $0
	sub(/^ */, "", s); off[++n] = s + 0
	sub(/^[0-9]*:d=/, "", s); depth[n] = s + 0
	sub(/^[0-9]* *hl=/, "", s); head[n] = s + 0
	sub(/^[0-9]* *l= */, "", s); len[n] = s + 0
	sub(/^[0-9]* /, "", s)
	cons[n] = substr(s, 1, 4) == "cons"
	tag[n] = substr(s, 7, 18); sub(/ *$/, "", tag[n])
	value[n] = substr(s, 25)
	file[n] = files
	if (off[n] != at_octet) cannot("openssl asn1parse prints it in no way known here")
	if (depth[n] > 30) cannot("it nests deeper than is judged here")
	at_octet = off[n] + head[n] + (cons[n] ? 0 : len[n])
	if (at_octet > end || depth[n] == 0 && n > base[files]) no("something follows the message")
	if (head[n] != minimal(len[n]) && !long) long = n
	if (cons[n] && tag[n] ~ /STRING/) cannot("it is framed in BER, not DER")
}
function stop(i) { return off[i] + head[i] + len[i] }
function digit(h) { return index("0123456789abcdef", h) - 1 }
function byte(h, i) { return 16 * digit(substr(h, i, 1)) + digit(substr(h, i + 1, 1)) }
function twice(times,    p) { for (p = 1; times > 0; times--) p *= 2; return p } # busybox may have no ^
function bytes(i) { return substr(hex[file[i]], 2 * off[i] + 1, 2 * (head[i] + len[i])) }
function body(i) { return substr(hex[file[i]], 2 * (off[i] + head[i]) + 1, 2 * len[i]) }
# kids puts the elements within i into k[1..].
function kids(i, k,    j, c) {
	c = 0
	if (cons[i])
		for (j = i + 1; j <= n && file[j] == file[i] && off[j] < stop(i); j++)
			if (depth[j] == depth[i] + 1) k[++c] = j
	return c
}
function is(i, t) { return i && tag[i] == t }
# shape is all that is within i, and i: to compare with what it must be.
function shape(i,    j, s) {
	for (j = i; j <= n && file[j] == file[i] && (j == i || off[j] < stop(i)); j++) s = s " " tag[j] value[j]
	return s
}
function plain(i, oid) { return shape(i) == " SEQUENCE OBJECT:" oid || shape(i) == " SEQUENCE OBJECT:" oid " NULL" }

# date makes 14 digits of a time, or nothing.
function date(i,    v, y, m, d, days) {
	v = substr(value[i], 2)
	if (is(i, "UTCTIME") && v ~ /^[0-9]+Z$/ && length(v) == 13) v = (v < "5" ? "20" : "19") v
	else if (!is(i, "GENERALIZEDTIME") || v !~ /^[0-9]+Z$/ || length(v) != 15) return ""
	y = substr(v, 1, 4) + 0; m = substr(v, 5, 2) + 0; d = substr(v, 7, 2) + 0
	days = m == 2 ? 28 + (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)) : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31
	if (m < 1 || m > 12 || d < 1 || d > days || substr(v, 9, 2) > "23" || substr(v, 11, 2) > "59" || substr(v, 13, 2) > "59") return ""
	return substr(v, 1, 14)
}

# algorithm is the hash of a certificate's signature, "no" where no bundle may lean on it.
function algorithm(i,    s) {
	s = shape(i)
	if (sub(/^ SEQUENCE OBJECT:/, "", s) != 1) return "?"
	if (s == "rsassaPss" || s ~ /^rsassaPss /) return "?"
	sub(/ NULL$/, "", s)
	if (s == "sha1WithRSAEncryption" || s == "ecdsa-with-SHA1") return "sha1"
	if (s ~ /^sha(256|384|512)WithRSAEncryption$/ || s ~ /^ecdsa-with-SHA(256|384|512)$/) { gsub(/[^0-9]/, "", s); return "sha" s }
	if (s ~ /^(ED25519|ED448)/) return "?"
	return "no"
}

# usual says whether a key is of a kind that openssl and trustpool use alike.
function usual(i,    k, s, b) {
	kids(i, k)
	s = shape(k[1]); b = body(k[2])
	if (s == " SEQUENCE OBJECT:rsaEncryption NULL") # 2,048 to 8,192 bits, exponent 3 or 65537
		return len[k[2]] >= 260 && len[k[2]] <= 1100 && b ~ /^003082....0282....00[89a-f]/ && substr(b, 2 * (256 * byte(b, 15) + byte(b, 17)) + 19) ~ /^02(0103|03010001)$/
	if (s == " SEQUENCE OBJECT:id-ecPublicKey OBJECT:prime256v1") return b ~ /^0004/ && length(b) == 132
	if (s == " SEQUENCE OBJECT:id-ecPublicKey OBJECT:secp384r1") return b ~ /^0004/ && length(b) == 196
	if (s == " SEQUENCE OBJECT:id-ecPublicKey OBJECT:secp521r1") return b ~ /^0004/ && length(b) == 268
	return 0
}

# purposes are letters for those of RFC 5280 4.2.1.12 that signers of bundles have:
# Cisco's in both spellings, emailProtection, codeSigning.
function purposes(v,    s, l, o) {
	s = ""
	if (substr(v, 1, 2) != "30" || length(v) > 254 || length(v) != 2 * byte(v, 3) + 4) return "?"
	v = substr(v, 5)
	if (v == "") return "none"
	while (v != "") {
		if (substr(v, 1, 2) != "06") return "?"
		l = 2 * byte(v, 3) + 4
		if (l > length(v) || l < 6) return "?"
		o = substr(v, 5, l - 4)
		if (o == "551d2500") return "cem"
		if (o == "2b0601030109150203" || o == "2b0601040109150203") { if (s !~ /c/) s = s "c" }
		if (o == "2b06010505070304" && s !~ /e/) s = s "e"
		if (o == "2b06010505070303" && s !~ /m/) s = s "m"
		v = substr(v, l + 1)
	}
	return s
}

# certificate reads the certificate at i as number c. bad[c] is what keeps it out of
# every chain, odd[c] what cannot be judged of it.
function certificate(i, c,    k, f, e, x, m, p, t, j, v, b, z) {
	where[c] = i; der[c] = bytes(i); ca[c] = 0; usage[c] = ""; eku[c] = "cem"; path[c] = -1; keyid[c] = ""
	m = kids(i, k); p = kids(k[1], f)
	if (m != 3 || p < 6 || !is(k[1], "SEQUENCE") || !is(k[2], "SEQUENCE") || !is(k[3], "BIT STRING")) { odd[c] = "it is no usual certificate"; return }
	t = 1
	if (is(f[1], "cont [ 0 ]")) { kids(f[1], x); z = value[x[1]]; t = 2 }
	serial[c] = bytes(f[t]); issuer[c] = bytes(f[t + 2]); subject[c] = bytes(f[t + 4])
	tbs[c] = k[1]; sig[c] = k[3]; spki[c] = f[t + 5]
	alg[c] = algorithm(k[2])
	if (bytes(k[2]) != bytes(f[t + 1])) alg[c] = "no"
	if (substr(body(k[3]), 1, 2) != "00") bad[c] = "its signature is no whole number of bytes"
	if (kids(f[t + 3], x) != 2) odd[c] = "its dates cannot be read here"
	from[c] = date(x[1]); until[c] = date(x[2])
	for (j = 1; j <= 2; j++)
		if (date(x[j]) == "") { if (is(x[j], "UTCTIME")) bad[c] = "a date of it cannot be read"; else odd[c] = "its dates cannot be read here" }
	if (!usual(spki[c])) odd[c] = "its key is of a kind not judged here"
	for (j = t + 6; j <= p; j++) if (is(f[j], "cont [ 3 ]")) e = f[j]
	if (z != ":02") { if (e) bad[c] = "it has extensions and is not X.509 version 3"; else old[c] = 1; return }
	if (!e) return
	kids(e, x); p = kids(x[1], f); b = " "
	for (j = 1; j <= p; j++) {
		m = kids(f[j], k); v = value[k[1]]; sub(/^:/, "", v)
		if (index(b, " " v " ")) { bad[c] = "it has the extension " v " twice"; return }
		b = b v " "
		if (!is(k[1], "OBJECT") || !is(k[m], "OCTET STRING") || m == 3 && (!is(k[2], "BOOLEAN") || value[k[2]] != ":255") || m < 2 || m > 3) { odd[c] = "its extensions cannot be read here"; return }
		x[1] = body(k[m])
		if (v == "X509v3 Basic Constraints") {
			if (x[1] ~ /^30030101ff$/) ca[c] = 1
			else if (x[1] ~ /^30060101ff0201[0-7].$/) { ca[c] = 1; path[c] = byte(x[1], 15) }
			else if (x[1] != "3000") odd[c] = "its basicConstraints cannot be read here"
		} else if (v == "X509v3 Key Usage") {
			if (x[1] !~ /^03020[0-7]..$/ && x[1] !~ /^03030[0-7]....$/ || byte(x[1], length(x[1]) - 1) % twice(byte(x[1], 5))) odd[c] = "its keyUsage cannot be read here"
			usage[c] = substr(x[1], 7, 2)
		} else if (v == "X509v3 Extended Key Usage") {
			eku[c] = purposes(x[1])
			if (eku[c] == "none") bad[c] = "its extendedKeyUsage is empty"
			if (eku[c] == "?") odd[c] = "its extendedKeyUsage cannot be read here"
		} else if (v == "X509v3 Subject Key Identifier") {
			if (substr(x[1], 1, 2) == "04") keyid[c] = substr(x[1], 5)
		} else if (v == "X509v3 Name Constraints") bad[c] = "it has name constraints, which are not evaluated"
		else if (m == 3 && v !~ /^X509v3 (Authority Key Identifier|Subject Alternative Name|Issuer Alternative Name|CRL Distribution Points|Certificate Policies)$/) bad[c] = "it has the critical extension " v
	}
}
function signs(c) { return usage[c] == "" || substr(usage[c], 1, 1) ~ /[4-9a-f]/ }
function certifies(c) { return usage[c] == "" || substr(usage[c], 2, 1) ~ /[4-7c-f]/ }
function common(a, b,    i, s) { for (i = 1; i <= length(a); i++) if (index(b, substr(a, i, 1))) s = s substr(a, i, 1); return s }

# attributes applies the rules on the signed attributes of signer s.
function attributes(i, s,    k, a, v, j, m, type, last, b, t, y) {
	m = kids(i, k)
	if (m == 0) no("the signer signed no attributes")
	if (m > 16 || len[i] > 8192) cannot("there are more signed attributes than are judged here")
	for (j = i; j <= n && off[j] < stop(i); j++) {
		if (head[j] != minimal(len[j])) no("the signed attributes are not DER")
		if (is(j, "BOOLEAN") && value[j] != ":255" && value[j] != ":0") no("the signed attributes are not DER")
	}
	for (j = 1; j <= m; j++) {
		b = "x" bytes(k[j])
		if (b < last) no("the signed attributes are not in the order of DER")
		last = b
		if (kids(k[j], a) != 2 || !is(k[j], "SEQUENCE") || !is(a[1], "OBJECT") || !is(a[2], "SET")) no("a signed attribute is malformed")
		y = kids(a[2], v); type = substr(value[a[1]], 2); t = tag[v[1]]
		if (y == 0) no("a signed attribute has no value")
		if (type !~ /^(contentType|messageDigest|signingTime|1\.3\.6\.1\.4\.1\.9\.21\.2\.3\.[12])$/) {
			if (y != 1 || t !~ /^(OBJECT|OCTET STRING|NULL)$/) cannot("it has the signed attribute " type)
			continue
		}
		if (y != 1 || seen[s, type]) no("the attribute " type " stands twice, or has several values")
		seen[s, type] = 1
		if (type == "contentType" && (t != "OBJECT" || value[v[1]] != ":pkcs7-data")) no("the signed contentType is not data")
		if (type == "messageDigest" && t != "OCTET STRING") no("the messageDigest is malformed")
		if (type == "signingTime") {
			t = date(v[1])
			if (t == "") no("the signing time is malformed")
			if (is(v[1], "GENERALIZEDTIME") && t < "2050") no("the signing time is malformed")
		}
		if (type ~ /\.[12]$/) {
			if (t ~ /^(UTF8STRING|IA5STRING|T61STRING|BMPSTRING|UNIVERSALSTRING|VISIBLESTRING|NUMERICSTRING)$/) cannot("its name or version is no PrintableString")
			if (t != "PRINTABLESTRING" || value[v[1]] !~ /^:[A-Za-z0-9 '()+,.\/:=?-]*$/) no("the name or version is malformed")
			claim[s, type] = value[v[1]]
		}
	}
	if (!seen[s, "contentType"]) no("the signed attributes have no contentType")
	if (!seen[s, "messageDigest"]) no("the signed attributes have no messageDigest")
}

# signer judges the SignerInfo at i, number s, but for the arithmetic.
function signer(i, s,    k, m, j, h, x, c, a, t) {
	m = kids(i, k)
	if (m < 5) no("a signer without signed attributes, or none at all")
	if (!is(k[3], "SEQUENCE") || kids(k[3], x) < 1) cannot("a signer in no way known here")
	h = substr(value[x[1]], 2)
	if (h !~ /^sha(256|384|512)$/ || !plain(k[3], h)) no("the message's digest is not SHA-256, SHA-384 or SHA-512")
	if (!digests[h]) no("the message does not list the signer's digest")
	if (!is(k[4], "cont [ 0 ]")) no("the signer signed no attributes")
	attributes(k[4], s)
	a = k[5]; j = h; sub(/sha/, "", j)
	t = shape(a); sub(/^ SEQUENCE OBJECT:/, "", t)
	if (t == "ED25519" && h != "sha512") no("the signature is made with another hash than the digest")
	if (t == "ED25519" || t == "ED448") cannot("it is signed with " t ", which openssl verifies in messages from 3.2 on, or never")
	if (t ~ /^rsassaPss/) {
		x[1] = " cont [ 0 ] SEQUENCE OBJECT:" h; x[2] = " cont [ 1 ] SEQUENCE OBJECT:mgf1 SEQUENCE OBJECT:" h
		gsub(/ NULL/, "", t)
		if (substr(t, 1, 18 + length(x[1] x[2])) != "rsassaPss SEQUENCE" x[1] x[2] || substr(t, 19 + length(x[1] x[2])) !~ /^ cont \[ 2 \] INTEGER:(0[1-9A-F]|[1-7][0-9A-F])$/) {
			if (t ~ / OBJECT:sha(1|256|384|512) / && index(t, x[1]) == 0) no("the signature is made with another hash than the digest")
			cannot("its RSASSA-PSS parameters are unusual")
		}
	} else if (!plain(a, "rsaEncryption") && !plain(a, h "WithRSAEncryption") && !plain(a, "ecdsa-with-SHA" j)) no("the signature algorithm is not known, or not of the digest's hash")

	# Which certificate: by issuer and serial number, or by key identifier.
	c = 0
	for (j = 1; j <= certs; j++) {
		if (is(k[2], "SEQUENCE")) { if (kids(k[2], x) != 2 || bytes(x[1]) != issuer[j] || bytes(x[2]) != serial[j]) continue }
		else if (!is(k[2], "cont [ 0 ]") || keyid[j] == "" || body(k[2]) != keyid[j]) continue
		if (c && der[c] != der[j]) cannot("several certificates bear the signer's identifier")
		c = j
	}
	if (!c) { if (strange) cannot(strange); no("the message does not hold the signer's certificate") }
	chain(c, s)
}

# chain goes from the signer's certificate to the anchor and applies RFC 5280 section 6.1.
function chain(c, s,    p, last, j, next_one, i, below, allowed) {
	p = 1; link[1] = c
	while (der[link[p]] != der[0]) {
		last = link[p]; next_one = -1
		if (subject[0] == issuer[last]) next_one = 0
		for (j = 1; j <= certs; j++) {
			if (subject[j] != issuer[last] || der[j] == der[0] || next_one > 0 && der[j] == der[next_one]) continue
			for (i = 1; i <= p; i++) if (der[link[i]] == der[j]) break
			if (i <= p) continue
			if (next_one < 0) next_one = j
			else if (next_one > 0 || subject[j] != issuer[j] || p > 1) cannot("several certificates bear the name of an issuer")
			# Another with the anchor's name leads to the anchor where that signed it, or not at all.
			else facts = facts "other 0 - " alg[j] " " places(j) "\n"
		}
		if (next_one < 0) { if (strange) cannot(strange); no("it does not lead to the pinned root") }
		if (p == 10) cannot("its chain is longer than is judged here")
		link[++p] = next_one
	}
	below = 0; allowed = eku[link[1]]
	for (i = 1; i <= p; i++) {
		c = link[i]
		if (i == 1 && old[c]) odd[c] = "it is not X.509 version 3"
		if (odd[c] != "") cannot("a certificate of its chain: " odd[c])
		if (bad[c] != "") no("a certificate of its chain: " bad[c])
		if (at < from[c] "") no("a certificate of its chain is not valid yet")
		if (at > until[c] "") no("a certificate of its chain has expired")
		if (i < p && alg[c] == "?") cannot("a certificate of its chain is signed in a way not judged here")
		if (i < p && (alg[c] == "no" || alg[c] == "sha1" && !sha1)) no("a certificate of its chain is signed with a weak or unknown algorithm")
		if (i == 1) {
			if (!signs(c)) no("the signer's keyUsage has neither digitalSignature nor nonRepudiation")
			if (eku[c] == "") no("the signer's certificate is not for signing bundles")
			continue
		}
		if (!ca[c]) no("an issuer is not marked as a CA")
		if (!certifies(c)) no("an issuer may not sign certificates")
		if (path[c] >= 0 && below > path[c]) no("there are more intermediates than an issuer allows")
		if (i < p) {
			if (subject[c] != issuer[c]) below++
			allowed = common(allowed, eku[c])
			if (allowed == "") no("an intermediate is not for signing bundles")
		}
	}
	if (!named[link[1]]++) pem("signers.pem", "CERTIFICATE", der[link[1]])
	for (i = 1; i <= p; i++) { c = link[i]; facts = facts "link " i " " pem("key" c ".pem", "PUBLIC KEY", bytes(spki[c])) " " (i < p ? alg[c] : "-") " " places(c) "\n" }
}
function places(c) { return off[tbs[c]] " " head[tbs[c]] + len[tbs[c]] " " off[sig[c]] + head[sig[c]] + 1 " " len[sig[c]] - 1 }

# pem writes DER, given in hex, to a file in the directory for temporary files: to
# the same one what belongs together. It gives the file's name.
function pem(file, label, h,    name, i, v, j, out, letters) {
	if (label == "PUBLIC KEY" && named[file]++) return file
	name = ENVIRON["tmp"] "/" file
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	print "-----BEGIN " label "-----" > name
	for (i = 1; i <= length(h); i += 6) {
		v = 0
		for (j = i; j < i + 6; j++) v = v * 16 + (j <= length(h) ? digit(substr(h, j, 1)) : 0)
		out = out substr(letters, int(v / 262144) + 1, 1) substr(letters, int(v / 4096) % 64 + 1, 1)
		out = out (i + 2 <= length(h) ? substr(letters, int(v / 64) % 64 + 1, 1) : "=") (i + 4 <= length(h) ? substr(letters, v % 64 + 1, 1) : "=")
		if (length(out) == 64) { print out > name; out = "" }
	}
	if (out != "") print out > name
	print "-----END " label "-----" > name
	return file
}

# message reads the outer message, the last file; pool the content.
function message(i,    k, m, x, j, e, top, f) {
	kids(i, k)
	if (!is(i, "SEQUENCE") || value[k[1]] != ":pkcs7-signedData" || !is(k[2], "cont [ 0 ]")) no("it is no signed message")
	kids(k[2], k); m = kids(k[1], top)
	if (!is(top[1], "INTEGER") || !is(top[2], "SET") || !is(top[3], "SEQUENCE") || value[top[1]] !~ /^:0[1-5]$/) no("it is no signed message")
	j = kids(top[2], x)
	if (j > 16) cannot("it lists more digests than are judged here")
	for (; j > 0; j--) if (kids(x[j], k) > 0) digests[substr(value[k[1]], 2)] = 1
	j = kids(top[3], x)
	if (j < 1 || j > 2 || value[x[1]] != ":pkcs7-data") no("the signed content is not data")
	if (j == 2) { if (!is(x[2], "cont [ 0 ]") || kids(x[2], k) != 1 || !is(k[1], "OCTET STRING")) no("the signed content is no byte string"); content = k[1] }
	f = 4
	if (is(top[f], "cont [ 0 ]")) {
		e = kids(top[f], x)
		if (e > (what == "pool" ? 5000 : 16)) cannot("it holds more certificates than are judged here")
		for (j = 1; j <= e; j++) {
			if (!is(x[j], "SEQUENCE")) cannot("it holds something other than certificates")
			if (what != "pool") { certificate(x[j], ++certs); if (der[certs] == "" || subject[certs] == "") strange = "a certificate beside the signature cannot be read here" }
		}
		f++
	}
	if (is(top[f], "cont [ 1 ]")) f++
	if (!is(top[f], "SET") || f != m) no("it is no signed message")
	return top[f]
}
END {
	if (done) exit
	if (n == 0 || at_octet != end) no("it is no message that openssl reads")
	if (what == "pool") {
		if (long) cannot("the content is framed in BER, not DER")
		i = message(1)
		if (content || len[i] > 0) no("the signed content is no list of certificates")
		print "pool"
		exit
	}
	if (what == "list") {
		message(1)
		for (i = 1; i <= certs; i++) print off[where[i]], head[where[i]] + len[where[i]]
		exit
	}
	certificate(1, 0)
	i = message(base[2])
	signers = kids(i, info)
	if (signers == 0) no("nobody has signed it")
	if (signers > 4) cannot("it has more signers than are judged here")
	if (!content) no("what was signed is not in the message")
	for (s = 1; s <= signers && !done; s++) {
		signer(info[s], s)
		for (j = 1; j <= 2; j++) if (claim[s, "1.3.6.1.4.1.9.21.2.3." j] != claim[1, "1.3.6.1.4.1.9.21.2.3." j]) no("the signers give different names or versions")
	}
	if (long) cannot("it is framed in BER, not DER")
	printf "%s", facts
}
