package collect_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/devicetest"
	"trustpool/internal/durable"
	"trustpool/internal/fleet/collect"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/fleet/record"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// inventoryOf reads the addresses.csv of a lab.
func inventoryOf(t testing.TB, lab *devicetest.Lab) []inventory.Device {
	t.Helper()
	f, err := os.Open(filepath.Join(lab.Dir, "addresses.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := inventory.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return list.Devices
}

// system is the user's ssh with what the lab has for it.
func system(t testing.TB, lab *devicetest.Lab) *collect.System {
	t.Helper()
	tooltest.Need(t, "ssh")
	program, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatal(err)
	}
	return &collect.System{Program: program, Config: "none", KnownHosts: filepath.Join(lab.Dir, "known_hosts"), Identity: filepath.Join(lab.Dir, "id_ed25519"), Env: os.Environ()}
}

func builtin(t testing.TB, lab *devicetest.Lab, password string) *collect.Builtin {
	t.Helper()
	b, err := collect.NewBuiltin(collect.BuiltinOptions{
		KnownHosts: []string{filepath.Join(lab.Dir, "known_hosts")}, Identities: []string{filepath.Join(lab.Dir, "id_ed25519")}, User: lab.User, Password: []byte(password),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func options(dir string, devices []inventory.Device, ssh collect.SSH) collect.Options {
	return collect.Options{Dir: dir, Devices: devices, SSH: ssh, Now: time.Now, Disk: new(durable.Disk), Timeout: 20 * time.Second, Version: "v1.2.3"}
}

const secret = "TEST-SECRET"

// expected is what a device of a platform is sent.
func expected(platform string, enable bool) []string {
	var lines []string
	if enable {
		lines = append(lines, "exec enable", "secret "+secret)
	}
	switch platform {
	case "asa":
		lines = append(lines, "exec terminal pager 0")
	default:
		lines = append(lines, "exec terminal length 0", "exec terminal width 511")
	}
	show := "exec show crypto ca trustpool"
	if platform == "ios" || platform == "iosxe" {
		show = "exec show crypto pki trustpool"
	}
	return append(lines, show, "exec show clock", "exec exit")
}

func sent(lab *devicetest.Lab, name string) []string {
	var lines []string
	for _, s := range lab.Sent(name) {
		lines = append(lines, s.At+" "+s.Line)
	}
	return lines
}

var platforms = []string{"iosxe", "ios", "iosxr", "nxos", "asa"}

// faulty are devices with every fault.
func faulty(prefix string) (devices []devicetest.Device) {
	for i, fault := range devicetest.Faults() {
		d := devicetest.Device{Name: prefix + string(fault), Platform: platforms[i%4], Fault: fault, Pool: pool()}
		if fault == devicetest.WrongSecret {
			d.Platform, d.Secret = "ios", secret
		}
		devices = append(devices, d)
	}
	return devices
}

func pool() []devicetest.Certificate {
	return append(devicetest.BuiltIn(pkitest.CoreV1()[:3]...), devicetest.Downloaded(pkitest.CoreV2()[3:]...)...)
}

// TestFleet reads 200 devices of five platforms over sshd, with one of every fault among
// them, most with the user's ssh. What each was sent is compared line by line.
func TestFleet(t *testing.T) {
	t.Parallel()
	const n = 200
	devices := append([]devicetest.Device{{Name: "first", Platform: "iosxe", Pool: pool()}}, faulty("fault-")...)
	for i := len(devices); i < n; i++ {
		d := devicetest.Device{Name: fmt.Sprintf("device-%03d", i), Platform: platforms[i%len(platforms)], Pool: pool(), MOTD: "Authorized use only\n-->\n", Banner: "Banner\nPassword: \n"}
		if i%2 == 0 && d.Platform != "iosxr" {
			d.Secret = secret
		}
		d.Messages = i%7 == 3
		devices = append(devices, d)
	}
	lab := devicetest.Start(t, devices...)
	dir := t.TempDir()
	list := inventoryOf(t, lab)
	began := time.Now()
	r, err := collect.Run(t.Context(), options(dir, list[:1], system(t, lab)))
	if err != nil {
		t.Fatal(err)
	}
	timeout := patience(time.Since(began))
	faults := 1 + len(devicetest.Faults())
	reports := make([]*collect.Report, 3)
	var wg sync.WaitGroup
	for i, part := range []struct {
		devices  []inventory.Device
		ssh      collect.SSH
		parallel int
	}{{list[1:faults], system(t, lab), faults}, {list[faults : n/2], system(t, lab), 8}, {list[n/2:], builtin(t, lab, ""), 8}} {
		wg.Go(func() {
			o := options(dir, part.devices, part.ssh)
			o.Secret, o.Parallel, o.Timeout = []byte(secret), part.parallel, timeout
			var err error
			if reports[i], err = collect.Run(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d devices in %v, with %v for each", n, time.Since(began), timeout)
	for _, part := range reports {
		r.Rows = append(r.Rows, part.Rows...)
	}
	check(t, lab, devices, r)
	checkFiles(t, dir, r)
}

// patience is how long devices get, of which one by itself took so long: machines differ,
// and what else they do.
func patience(one time.Duration) time.Duration { return 6*time.Second + 8*one }

// The faults are the same without an ssh program.
func TestBuiltinFaults(t *testing.T) {
	t.Parallel()
	devices := append([]devicetest.Device{{Name: "first", Platform: "iosxe", Pool: pool()}}, faulty("fault-")...)
	lab := devicetest.Start(t, devices...)
	dir := t.TempDir()
	list := inventoryOf(t, lab)
	began := time.Now()
	r, err := collect.Run(t.Context(), options(dir, list[:1], builtin(t, lab, "")))
	if err != nil {
		t.Fatal(err)
	}
	o := options(dir, list[1:], builtin(t, lab, ""))
	o.Secret, o.Parallel, o.Timeout = []byte(secret), 30, patience(time.Since(began))
	rest, err := collect.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.Rows = append(r.Rows, rest.Rows...)
	check(t, lab, devices, r)
	checkFiles(t, dir, r)
}

// check asks of each device what became of it, and what it was sent.
func check(t *testing.T, lab *devicetest.Lab, devices []devicetest.Device, r *collect.Report) {
	t.Helper()
	want := map[devicetest.Fault]collect.Reason{
		devicetest.Refuses: collect.Unreachable, devicetest.Drops: collect.SSHError, devicetest.Silent: collect.Timeout, devicetest.NotSSH: collect.SSHError,
		devicetest.Denies: collect.Denied, devicetest.OtherKey: collect.HostKey, devicetest.UnknownKey: collect.HostKey,
		devicetest.HangsAtLogin: collect.Timeout, devicetest.FloodsLogin: collect.Flood, devicetest.DropsLogin: collect.Ended, devicetest.AsksAtLogin: collect.Timeout,
		devicetest.Nonsense: collect.Timeout, devicetest.Hangs: collect.Timeout, devicetest.HangsWithin: collect.Timeout, devicetest.Floods: collect.Flood,
		devicetest.DropsWithin: collect.Ended, devicetest.DropsAtShow: collect.Ended, devicetest.Pages: collect.Pages, devicetest.Forbids: collect.Refused,
		devicetest.Asks: collect.Timeout, devicetest.Garbles: collect.Nonsense, devicetest.Truncates: collect.Nonsense, devicetest.ChangesName: collect.Timeout,
		devicetest.WrongSecret: collect.Secret, devicetest.NoExit: "", devicetest.Mute: collect.Timeout,
	}
	for i, row := range r.Rows {
		d := devices[i]
		lines := expected(d.Platform, d.Secret != "")
		if d.Fault == "" || d.Fault == devicetest.NoExit {
			if row.Outcome != record.Collected {
				log, _ := os.ReadFile(filepath.Join(lab.Dir, d.Name+".log"))
				t.Errorf("%s, %s: %s: %s after %v, %d sessions\n%s", d.Name, d.Platform, row.Outcome, row.Detail, row.Ended.Sub(row.Began.Time), lab.Sessions(d.Name), log)
			}
			if got := sent(lab, d.Name); !slices.Equal(got, lines) {
				t.Errorf("%s, %s: it was sent\n%q\nnot\n%q", d.Name, d.Platform, got, lines)
			}
			continue
		}
		if row.Reason != want[d.Fault] {
			t.Errorf("%s: %s, not %q: %s %s", d.Name, row.Outcome, want[d.Fault], row.Reason, row.Detail)
		}
		cut := map[devicetest.Fault]string{ // the last line that is sent
			devicetest.Hangs: "show crypto", devicetest.HangsWithin: "show crypto", devicetest.Floods: "show crypto", devicetest.DropsWithin: "show crypto",
			devicetest.DropsAtShow: "show crypto", devicetest.Forbids: "show crypto", devicetest.Asks: "show crypto", devicetest.ChangesName: "show crypto",
			devicetest.Pages: "show crypto", devicetest.WrongSecret: secret, devicetest.Garbles: "exit", devicetest.Truncates: "exit", devicetest.Mute: "",
		}
		last, ok := cut[d.Fault]
		if !ok {
			lines = nil // no session, or no prompt in it
		} else if i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, last) }); last != "" {
			lines = lines[:i+1]
		} else { // it does not echo, so no line is ended
			lines = nil
		}
		if got := sent(lab, d.Name); !slices.Equal(got, lines) {
			t.Errorf("%s, %s: it was sent\n%q\nnot\n%q", d.Name, d.Platform, got, lines)
		}
	}
}

// checkFiles asks that there is a capture of what was collected and of nothing else, and
// a record of everything.
func checkFiles(t *testing.T, dir string, r *collect.Report) {
	t.Helper()
	names := map[string]bool{record.Dir: true}
	for _, row := range r.Rows {
		if _, err := os.Stat(filepath.Join(dir, ".collect", row.Name+".json")); err != nil {
			t.Error(err)
		}
		if row.Outcome == record.Failed {
			continue
		}
		names[row.Name+".txt"] = true
		text, err := os.ReadFile(filepath.Join(dir, row.Name+".txt"))
		if err != nil {
			t.Error(err)
			continue
		}
		if strings.Contains(string(text), secret) {
			t.Errorf("%s: the secret is in the capture", row.Name)
		}
		p, err := device.Lookup(string(row.Platform))
		if err != nil {
			t.Fatal(err)
		}
		if p.Name == "asa" || row.Outcome == record.Unreadable {
			continue
		}
		l, err := device.ReadListing(text, p, time.Now())
		if err != nil {
			t.Errorf("%s: %v\n%s", row.Name, err, text)
		} else if want := len(pkitest.CoreV2()); len(l.Entries) != want {
			t.Errorf("%s: %d certificates, not %d", row.Name, len(l.Entries), want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !names[e.Name()] || strings.HasPrefix(e.Name(), durable.TempPrefix) {
			t.Errorf("%s is left over", e.Name())
		}
	}
}

// A password is handed to ssh by its askpass program, and to no other: what a device
// prints is not answered.
func TestPassword(t *testing.T) {
	t.Parallel()
	const password = "TEST-PASSWORD"
	lab := devicetest.Start(t, devicetest.Device{Name: "good", Platform: "iosxe", Password: password, Secret: secret, Pool: pool()},
		devicetest.Device{Name: "asks", Platform: "iosxe", Password: password, Pool: pool(), Fault: devicetest.AsksAtLogin},
		devicetest.Device{Name: "denies", Platform: "iosxe", Password: password, Fault: devicetest.Denies})
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"system", "builtin"} {
		t.Run(name, func(t *testing.T) {
			var ssh collect.SSH = builtin(t, lab, password)
			if name == "system" {
				s := system(t, lab)
				s.Password, s.Askpass, s.Identity = []byte(password), program, ""
				ssh = s
			}
			dir := t.TempDir()
			o := options(dir, inventoryOf(t, lab), ssh)
			o.Secret, o.Timeout = []byte(secret), 10*time.Second
			r, err := collect.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if row := r.Rows[0]; row.Outcome != record.Collected {
				t.Errorf("%s: %s", row.Outcome, row.Detail)
			}
			for i, want := range map[int]collect.Reason{1: collect.Timeout, 2: collect.Denied} {
				if row := r.Rows[i]; row.Reason != want {
					t.Errorf("%s: %s, not %s: %s %s", row.Name, row.Outcome, want, row.Reason, row.Detail)
				}
			}
			if len(lab.Sent("asks")) > 0 {
				t.Errorf("it was sent %q", lab.Lines("asks"))
			}
			checkFiles(t, dir, &collect.Report{Rows: r.Rows[:1]})
		})
	}
}
