package distrust

import "trustpool/roots"

// compiled are the CA certificates that root programs stopped trusting over what
// the CA had done. Hashes of keys were computed from the certificates if a bundle,
// certdata.txt or Debian's ca-certificates holds them; those of DigiNotar's other
// certificates, CNNIC, WoSign and StartCom are the ones that Chromium publishes. The
// list is short on purpose: a root that a program merely left out is not in it.
func compiled() []Statement {
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
	distrusted := func(name, sha256, sha1, key, why, source, date string) Statement {
		return Statement{Kind: Distrusted, Name: name, SHA256: sha256, SHA1: sha1, Key: key, Why: why, Source: source, Date: date}
	}
	// Chrome counts by the first signed certificate timestamp of a certificate, which
	// is of about the time at which it was issued.
	chrome := func(name, sha256, sha1, key, after, source, date string) Statement {
		return Statement{
			Kind: DistrustedAfter, Name: name, SHA256: sha256, SHA1: sha1, Key: key, Purposes: []roots.Purpose{roots.ServerAuth},
			After: after, Why: "Chrome", Source: source, Date: date,
		}
	}
	const (
		entrust       = "Chrome root program, announcement about Entrust, 2024-06-27, as changed on 2024-09-10"
		entrustAfter  = "2024-11-11T23:59:59Z"
		chunghwa      = "Chrome root program, announcement about Chunghwa Telecom and NetLock, 2025-05-30"
		chunghwaAfter = "2025-07-31T23:59:59Z"
	)
	return []Statement{
		distrusted("DigiNotar Root CA", "9187a8d3b4b711dd51f53c2fd29041cf7c7b9535329556bfc9c706f38db0f81a", "c177cb4be0b4268ef5c7cf459922b9b0ceba212f", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar+"; under this certificate Mozilla distrusts its key", "certdata.txt of NSS 3.110, Explicitly Distrust DigiNotar Root CA", "2011-08"),
		distrusted("DigiNotar Root CA", "0d136e439f0ab6e97f3a02a540da9f0641aa554e1d66ea51ae2920d51b2f7217", "", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar, chromiumKeys, "2011-08"),
		distrusted("a CA of DigiNotar", "4fee0163686ecbd65db968e7494f55d84b25486d438e9de558d629d28cd4d176", "", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar, chromiumKeys, "2011-08"),
		distrusted("a CA of DigiNotar", "8a1bd21661c60015065212cc98b1abb50dfd14c872a208e66bae890f25c448af", "", "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024", diginotar, chromiumKeys, "2011-08"),
		distrusted("a CA of DigiNotar", "9ed8f9b0e8e42a1656b8e1dd18f42ba42dc06fe52686173ba2fc70e756f207dc", "", "d34b255b2fe7d1a09656cbab6409f73c796ec7d66af73653ecc39af978297310", diginotar, chromiumKeys, "2011-08"),
		distrusted("a CA of DigiNotar", "a686fee577c88ab664d0787ecdfff035f4806f3de418dc9e4d516324fff02083", "", "d34b255b2fe7d1a09656cbab6409f73c796ec7d66af73653ecc39af978297310", diginotar, chromiumKeys, "2011-08"),
		distrusted("a CA of DigiNotar", "fdedb5bdfcb67411513a61aee5cb5b5d7c52af06028efc996cc1b05b1d6cea2b", "", "d34b255b2fe7d1a09656cbab6409f73c796ec7d66af73653ecc39af978297310", diginotar, chromiumKeys, "2011-08"),
		distrusted("CNNIC ROOT", "e28393773da845a679f2080cc7fb44a3b7a1c3792cb7eb7729fdcb6a8d99aea7", "", "1f4224cec84fc99ced881ff6fcfd3e21f8c519c547aa6a5dd3de247302ce50d1", cnnic, chromiumKeys, "2015-03"),
		distrusted("China Internet Network Information Center EV Certificates Root", "1c01c6f4dbb2fefc22558b2bca32563f49844acfc32b7be4b0ff599f9e8c7af7", "", "9dd55fc573f546cb6a3831d1112d8710a6f4f82dc87f5fae9d3a1a028dd36e4b", cnnic, chromiumKeys, "2015-03"),
		distrusted("a CA of WoSign or StartCom", "4b22d5a6aec99f3cdb79aa5ec06838479cd5ecba7164f7f22dc1d65f63d85708", "b94294bf91ea8fb64be61097c7fb001359b676cb", "d6a18443d348db994f934ccd8e635d833a27ac1e56f8afaf7c97cb4f43eab68b", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "7d8ce822222b90c0b14342c7a8145d1f24351f4d1a1fe0edfd312ee73fb00149", "", "9d98a1fb60538c4cc4857ff1a8c8034faf6fc592093f619994b2c813d250b864", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "8b45da1c06f791eb0cabf26be588f5fb23165c2e614bf885562d0dce50b29b02", "", "7aedddf36b18f8acb7379fe1ce183212b2350d0788abe0e82457be9badad6d54", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "c766a9bef2d4071c863a31aa4920e813b2d198608cb7b7cfe21143b836df09ea", "", "e42f24bd4d37f4aa2e56b979d83d1e65219fe0e9e3a382a1b3cb66c93955de75", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "c7ba6567de93a798ae1faa791e712d378fae1f93c4397fea441bb7cbe6fd5995", "", "1528397da212890a830b0b95a59968cef234773779df5181cf10fa647534bb65", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "d487a56f83b07482e85e963394c1ecc2c9e51d0903ee946b02c301581ed99e16", "", "381a3fc7a8b082fa28613a4d07f2c7553f4e1918ee07caa9e8b7cede5a9ca06a", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "d6f034bd94aa233f0297eca4245b283973e447aa590f310c77f48fdf83112254", "", "db15c0062b520f318a19dacfecd64f9e7a3fbe609fd586796f20ae028e8e3058", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "e17890ee09a3fbf4f48b9c414a17d637b7a50647e9bc752322727fcc1742a911", "", "e42f24bd4d37f4aa2e56b979d83d1e65219fe0e9e3a382a1b3cb66c93955de75", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "4aefc3d39ef59e4d4b0304b20f53a8af2efb69edece66def74494abfc10a2d66", "", "36ea96128c89839fb621f8ad0e1ee0b9c2206f62ab7b4da2c6765893c9b7ced2", wosign, chromiumKeys, "2016-10"),
		distrusted("a CA of WoSign or StartCom", "cb954e9d80a3e520ac71f1a84511657f2f309d172d0bb55e0ec2c236e74ff4b4", "", "394cff589e689312cfc071ee0bc19fe4c606216ce543429de6db62e42dbb3bc1", wosign, chromiumKeys, "2016-10"),
		distrusted("Chambers of Commerce Root", "0c258a12a5674aef25f28ba7dcfaeceea348e541e6f5cc4ee63b71b361606ac3", "6e3a55a4190c195c93843cc0db722e313061f0b1", "8a2affbd1a1c5d1bdccbb7f548ba995f966806b3fd0c3a00fae2e52f3c853989", camerfirma, both, "2021-03-01"),
		distrusted("Chambers of Commerce Root - 2008", "063e4afac491dfd332f3089b8542e94617d893d7fe944e10a7937ee29d9693c0", "786a74ac76ab147f9c6a3050ba9ea87efe9ace3c", "ced43902ab5fb57b442322dc0e172a4fb55f7178b808f94e780a6fd6cc6bd818", camerfirma, chromium, "2021"),
		distrusted("Global Chambersign Root - 2008", "136335439334a7698016a0d324de72284e079d7b5220bb8fbd747816eebebaca", "4abdeeec950d359c89aec752a12c5b29f6d6aa0c", "927a1b8562280576d048c50321ada43d8703d2d9521a18c28b8c46cc6aae4efd", camerfirma, chromium, "2021"),
		distrusted("TrustCor RootCert CA-1", "d40e9c86cd8fe468c1776959f49ea774fa548684b6c406f3909261f4dce2575c", "ffbdcde782c8435e3c6f26865ccaa83a455bc30a", "ea87f462deefffbd7775aa2a4b7e0fcb91c22eee6df69ed90100ccc73b311476", trustcor, both, "2022-11-30"),
		distrusted("TrustCor RootCert CA-2", "0753e940378c1bd5e3836e395daea5cb839e5046f1bd0eae1951cf10fec7c965", "b8be6dcb56f155b963d412ca4e0634c794b21cc0", "c63d68c648a18b77641c427a669d61c9768a55f4fcd0322eac96c57700299cf1", trustcor, both, "2022-11-30"),
		distrusted("TrustCor ECA-1", "5a885db19c01d912c5759388938cafbbdf031ab2d48e91ee15589b42971d039c", "58d1df9595676b63c0f05b1c174d8b840bc878bd", "7afe4b071a2f1f46f8ba944a26d584d5960b92fb48c3ba1b7cab84905f32aacd", trustcor, both, "2022-11-30"),
		chrome("Entrust.net Certification Authority (2048)", "6dc47172e01cbcb0bf62580d895fe2b8ac9ad4f873801e0c10b9c837d21eb177", "503006091d97d4f5ae39f7cbe7927d7d652d3431", "1ea3c5e43ed66c2da2983a42a4a79b1e906786ce9f1b58621419a00463a87d38", entrustAfter, entrust, "2024-06-27"),
		chrome("Entrust Root Certification Authority", "73c176434f1bc6d5adf45b0e76e727287c8de57616c1e6e6141a2b2cbc7d8e4c", "b31eb1b740e36c8402dadc37d44df5d4674952f9", "6dbfae00d37b9cd73f8fb47de65917af00e0dddf42dbceac20c17c0275ee2095", entrustAfter, entrust, "2024-06-27"),
		chrome("Entrust Root Certification Authority - EC1", "02ed0eb28c14da45165c566791700d6451d7fb56f0b2ab1d3b8eb070e56edff5", "20d80640df9b25f512253a11eaf7598aeb14b547", "fea2b7d645fba73d753c1ec9a7870c40e1f7b0c561e927b985bf711866e36f22", entrustAfter, entrust, "2024-06-27"),
		chrome("Entrust Root Certification Authority - G2", "43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339", "8cf427fd790c3ad166068de81e57efbb932272d4", "76ee8590374c715437bbca6bba6028eadde2dc6dbbb8c3f610e851f11d1ab7f5", entrustAfter, entrust, "2024-06-27"),
		chrome("Entrust Root Certification Authority - G4", "db3517d1f6732a2d5ab97c533ec70779ee3270a62fb4ac4238372460e6f01e88", "14884e862637b026af59625c4077ec3529ba9601", "36d7c79f3d089a0ff79972d90923dea5ca76b4ccbaf7c2751cb152e9494f52d0", entrustAfter, entrust, "2024-06-27"),
		chrome("AffirmTrust Commercial", "0376ab1d54c5f9803ce4b2e201a0ee7eef7b57b636e8a93c9b8d4860c96f5fa7", "f9b5b632455f9cbeec575f80dce96e2cc7b278b7", "6c464b9a5b233a5e874da765c26f045010d2ddcff45794f0b4c7e4aafa501495", entrustAfter, entrust, "2024-06-27"),
		chrome("AffirmTrust Networking", "0a81ec5a929777f145904af38d5d509f66b5e2c58fcdb531058b0e17f3f0b41b", "293621028b20ed02f566c532d1d6ed909f45002f", "94072ad3f58f70f93098e5a5f6c04c96c710bd849d83184919ae90eb890ae400", entrustAfter, entrust, "2024-06-27"),
		chrome("AffirmTrust Premium", "70a73f7f376b60074248904534b11482d5bf0e698ecc498df52577ebf2e93b9a", "d8a6332ce0036fb185f6634f7d6a066526322827", "c7f43b4cf5b71568294f822b53762605f6ddd15cadece739e9e2c3cba61e9d67", entrustAfter, entrust, "2024-06-27"),
		chrome("AffirmTrust Premium ECC", "bd71fdf6da97e4cf62d1647add2581b07d79adf8397eb4ecba9c5e8488821423", "b8236b002f1d16865301556c11a437caebffc3bb", "3219b09114ff495a3eb6eb00c2efeab34002ae5f0a56c7679ea087a3fa037e4f", entrustAfter, entrust, "2024-06-27"),
		chrome("ePKI Root Certification Authority", "c0a6f4dc63a24bfdcf54ef2a6a082a0a72de35803e2ff5ff527ae5d87206dfd5", "67650df17e8e7e5b8240a4f4564bcfe23d69c6f0", "62554c17005543b237215f04268dcd2fd1c470240ad3c8660e25ae2c59630f55", chunghwaAfter, chunghwa, "2025-05-30"),
		chrome("HiPKI Root CA - G1", "f015ce3cc239bfef064be9f1d2c417e1a0264a0a94be1f0c8d121864eb6949cc", "6a92e4a8ee1bec964537e3295749cd96e3e5d260", "79caaf5347e6e4a94c8e78a98496fc74020f809ede13f220fab6104c8ded329f", chunghwaAfter, chunghwa, "2025-05-30"),
		chrome("NetLock Arany (Class Gold) Főtanúsítvány", "6c61dac3a2def031506be036d2a6fe401994fbd13df9c8d466599274c446ec98", "06083f593f15a104a069a46ba903d006b7970991", "f48badd7df6a06690d0ae31373b12855f8dedb14517f362a313101cc98cc6b35", chunghwaAfter, chunghwa, "2025-05-30"),
	}
}
