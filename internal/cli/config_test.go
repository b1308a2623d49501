package cli

import "testing"

// The roots that no certificate may only seem to be are anchors, those that services
// need, and those that devices have built in.
func TestKnownRoots(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, k := range knownRoots() {
		if k.Name == "" || k.SHA256 == [32]byte{} {
			t.Errorf("%+v", k)
		}
		known[k.Name] = true
	}
	for _, name := range []string{
		"Cisco Root CA M1", "IdenTrust Commercial Root CA 1", "ISRG Root X1", "Cisco Root CA 2099", "Cisco Licensing Root CA",
		"VeriSign Class 3 Public Primary Certification Authority - G5",
	} {
		if !known[name] {
			t.Errorf("%s is not known", name)
		}
	}
}
