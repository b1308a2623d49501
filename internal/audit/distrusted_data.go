package audit

// distrustedAsOf is the day up to which KnownDistrusted was compiled. What was
// decided later is in a root program's file.
const distrustedAsOf = "2025-03-28"

// KnownDistrusted are the CA certificates that the rule known-distrusted has data
// on: those that root programs stopped trusting over what the CA had done. Hashes
// of keys were computed from the certificates where a bundle or certdata.txt holds
// them; those of DigiNotar's other certificates, CNNIC, WoSign and StartCom are the
// ones that Chromium publishes. The SHA-1 is there where the certificate was at hand;
// it finds the certificate in a pool that shows nothing else. The list is short on purpose: a root that a program
// merely left out is not in it.
func KnownDistrusted() []Distrust {
	const (
		chromium     = "Chromium, net/data/ssl/blocklist"
		chromiumKeys = "Chromium, net/data/ssl/blocklist and net/cert/cert_verify_proc_blocklist.inc"
		both         = "Chromium, net/data/ssl/blocklist; certdata.txt of NSS 3.87.1"

		diginotar  = "DigiNotar: the CA was broken into, and certificates were issued to the intruder"
		cnnic      = "CNNIC: a CA below it issued certificates for names it had no right to"
		wosign     = "WoSign and StartCom: certificates were back-dated and issued without proper checks"
		camerfirma = "Camerfirma: browsers stopped trusting it after certificates were issued wrongly again and again"
		trustcor   = "TrustCor: browsers stopped trusting it after researchers found ties to a company that spies on users"
	)
	return []Distrust{
		{"DigiNotar Root CA", "9187a8d3b4b711dd51f53c2fd29041cf7c7b9535329556bfc9c706f38db0f81a", "c177cb4be0b4268ef5c7cf459922b9b0ceba212f", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar + "; under this certificate Mozilla distrusts its key", "certdata.txt of NSS 3.110, Explicitly Distrust DigiNotar Root CA", "2011-08"},
		{"DigiNotar Root CA", "0d136e439f0ab6e97f3a02a540da9f0641aa554e1d66ea51ae2920d51b2f7217", "", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar, chromiumKeys, "2011-08"},
		{"a CA of DigiNotar", "4fee0163686ecbd65db968e7494f55d84b25486d438e9de558d629d28cd4d176", "", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar, chromiumKeys, "2011-08"},
		{"a CA of DigiNotar", "8a1bd21661c60015065212cc98b1abb50dfd14c872a208e66bae890f25c448af", "", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar, chromiumKeys, "2011-08"},
		{"a CA of DigiNotar", "9ed8f9b0e8e42a1656b8e1dd18f42ba42dc06fe52686173ba2fc70e756f207dc", "", "d34b255b2fe7d1a09656cbab6409f73c796ec7d66af73653ecc39af978297310", diginotar, chromiumKeys, "2011-08"},
		{"a CA of DigiNotar", "a686fee577c88ab664d0787ecdfff035f4806f3de418dc9e4d516324fff02083", "", "d34b255b2fe7d1a09656cbab6409f73c796ec7d66af73653ecc39af978297310", diginotar, chromiumKeys, "2011-08"},
		{"a CA of DigiNotar", "fdedb5bdfcb67411513a61aee5cb5b5d7c52af06028efc996cc1b05b1d6cea2b", "", "d34b255b2fe7d1a09656cbab6409f73c796ec7d66af73653ecc39af978297310", diginotar, chromiumKeys, "2011-08"},
		{"CNNIC ROOT", "e28393773da845a679f2080cc7fb44a3b7a1c3792cb7eb7729fdcb6a8d99aea7", "", "1f4224cec84fc99ced881ff6fcfd3e21f8c519c547aa6a5dd3de247302ce50d1", cnnic, chromiumKeys, "2015-03"},
		{"China Internet Network Information Center EV Certificates Root", "1c01c6f4dbb2fefc22558b2bca32563f49844acfc32b7be4b0ff599f9e8c7af7", "", "9dd55fc573f546cb6a3831d1112d8710a6f4f82dc87f5fae9d3a1a028dd36e4b", cnnic, chromiumKeys, "2015-03"},
		{"a CA of WoSign or StartCom", "4b22d5a6aec99f3cdb79aa5ec06838479cd5ecba7164f7f22dc1d65f63d85708", "b94294bf91ea8fb64be61097c7fb001359b676cb", "d6a18443d348db994f934ccd8e635d833a27ac1e56f8afaf7c97cb4f43eab68b", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "7d8ce822222b90c0b14342c7a8145d1f24351f4d1a1fe0edfd312ee73fb00149", "", "9d98a1fb60538c4cc4857ff1a8c8034faf6fc592093f619994b2c813d250b864", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "8b45da1c06f791eb0cabf26be588f5fb23165c2e614bf885562d0dce50b29b02", "", "7aedddf36b18f8acb7379fe1ce183212b2350d0788abe0e82457be9badad6d54", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "c766a9bef2d4071c863a31aa4920e813b2d198608cb7b7cfe21143b836df09ea", "", "e42f24bd4d37f4aa2e56b979d83d1e65219fe0e9e3a382a1b3cb66c93955de75", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "c7ba6567de93a798ae1faa791e712d378fae1f93c4397fea441bb7cbe6fd5995", "", "1528397da212890a830b0b95a59968cef234773779df5181cf10fa647534bb65", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "d487a56f83b07482e85e963394c1ecc2c9e51d0903ee946b02c301581ed99e16", "", "381a3fc7a8b082fa28613a4d07f2c7553f4e1918ee07caa9e8b7cede5a9ca06a", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "d6f034bd94aa233f0297eca4245b283973e447aa590f310c77f48fdf83112254", "", "db15c0062b520f318a19dacfecd64f9e7a3fbe609fd586796f20ae028e8e3058", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "e17890ee09a3fbf4f48b9c414a17d637b7a50647e9bc752322727fcc1742a911", "", "e42f24bd4d37f4aa2e56b979d83d1e65219fe0e9e3a382a1b3cb66c93955de75", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "4aefc3d39ef59e4d4b0304b20f53a8af2efb69edece66def74494abfc10a2d66", "", "36ea96128c89839fb621f8ad0e1ee0b9c2206f62ab7b4da2c6765893c9b7ced2", wosign, chromiumKeys, "2016-10"},
		{"a CA of WoSign or StartCom", "cb954e9d80a3e520ac71f1a84511657f2f309d172d0bb55e0ec2c236e74ff4b4", "", "394cff589e689312cfc071ee0bc19fe4c606216ce543429de6db62e42dbb3bc1", wosign, chromiumKeys, "2016-10"},
		{"Chambers of Commerce Root", "0c258a12a5674aef25f28ba7dcfaeceea348e541e6f5cc4ee63b71b361606ac3", "6e3a55a4190c195c93843cc0db722e313061f0b1", "8a2affbd1a1c5d1bdccbb7f548ba995f966806b3fd0c3a00fae2e52f3c853989", camerfirma, both, "2021-03-01"},
		{"Chambers of Commerce Root - 2008", "063e4afac491dfd332f3089b8542e94617d893d7fe944e10a7937ee29d9693c0", "786a74ac76ab147f9c6a3050ba9ea87efe9ace3c", "ced43902ab5fb57b442322dc0e172a4fb55f7178b808f94e780a6fd6cc6bd818", camerfirma, chromium, "2021"},
		{"Global Chambersign Root - 2008", "136335439334a7698016a0d324de72284e079d7b5220bb8fbd747816eebebaca", "4abdeeec950d359c89aec752a12c5b29f6d6aa0c", "927a1b8562280576d048c50321ada43d8703d2d9521a18c28b8c46cc6aae4efd", camerfirma, chromium, "2021"},
		{"TrustCor RootCert CA-1", "d40e9c86cd8fe468c1776959f49ea774fa548684b6c406f3909261f4dce2575c", "ffbdcde782c8435e3c6f26865ccaa83a455bc30a", "ea87f462deefffbd7775aa2a4b7e0fcb91c22eee6df69ed90100ccc73b311476", trustcor, both, "2022-11-30"},
		{"TrustCor RootCert CA-2", "0753e940378c1bd5e3836e395daea5cb839e5046f1bd0eae1951cf10fec7c965", "b8be6dcb56f155b963d412ca4e0634c794b21cc0", "c63d68c648a18b77641c427a669d61c9768a55f4fcd0322eac96c57700299cf1", trustcor, both, "2022-11-30"},
		{"TrustCor ECA-1", "5a885db19c01d912c5759388938cafbbdf031ab2d48e91ee15589b42971d039c", "58d1df9595676b63c0f05b1c174d8b840bc878bd", "7afe4b071a2f1f46f8ba944a26d584d5960b92fb48c3ba1b7cab84905f32aacd", trustcor, both, "2022-11-30"},
	}
}
