package inventory_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"trustpool/internal/fleet/inventory"
)

// describe writes what is known of each device on a line.
func describe(l *inventory.List) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", l.Form)
	for _, d := range l.Devices {
		fmt.Fprintf(&b, "%s|", d.Name)
		for i, a := range d.Addresses {
			if i > 0 {
				b.WriteString(" ")
			}
			b.WriteString(inventory.Show(a))
		}
		fmt.Fprintf(&b, "|%s|%s|%s", d.Host, map[bool]string{true: fmt.Sprint(d.Port)}[d.Port != 0], d.User)
		fmt.Fprintf(&b, "|%s", d.Platform)
		for _, c := range d.Columns {
			fmt.Fprintf(&b, "|%s=%s", c.Name, c.Value)
		}
		b.WriteString("\n")
	}
	for _, p := range l.Passed {
		fmt.Fprintf(&b, "passed %s: %s\n", p.Name, p.Why)
	}
	return b.String()
}

const (
	iniInventory = `# the devices of two sites
edge9 ansible_host=192.0.2.9   # alone

[ams]
edge[01:03] ansible_port=2222
xr1.example.net ansible_network_os=cisco.iosxr.iosxr ansible_password='s e#cret' note="it's \"here\""

[bonn]
core-[a:b]:22
2001:db8::1

[linux]
web1 ansible_network_os=arista.eos.eos
localhost ansible_connection=local

[ams:vars]
site=Amsterdam
enable_secret = hunter2
ansible_host = "{{ inventory_hostname }}.example.com"

[sites:children]
ams
bonn   # both

[sites:vars]
site=nowhere
ansible_network_os=ios
ansible_user = ops
`
	iniDevices = `Ansible INI
edge9|192.0.2.9|192.0.2.9||||site=|groups=
edge01||edge01.example.com|2222|ops|ios|site=Amsterdam|groups=ams sites
edge02||edge02.example.com|2222|ops|ios|site=Amsterdam|groups=ams sites
edge03||edge03.example.com|2222|ops|ios|site=Amsterdam|groups=ams sites
xr1.example.net||xr1.example.net.example.com||ops|iosxr|site=Amsterdam|groups=ams sites
core-a||core-a|22|ops|ios|site=nowhere|groups=bonn sites
core-b||core-b|22|ops|ios|site=nowhere|groups=bonn sites
2001:db8::1|2001:db8::1|2001:db8::1||ops|ios|site=nowhere|groups=bonn sites
passed web1: its ansible_network_os is arista.eos.eos
passed localhost: its connection is local
`
	yamlInventory = `---
all:
  vars:
    ansible_user: ops
    site: nowhere
  children:
    ams:
      vars: &ams
        site: Amsterdam
        ansible_password: !vault |
          $ANSIBLE_VAULT;1.1;AES256
          6162
      hosts:
        edge[1:2]:
        xr1: {ansible_host: 192.0.2.1, ansible_network_os: iosxr, ansible_port: 2222, list: [1, 2]}
        asa1:
          <<: *ams
          platform: asa
    empty:
`
	yamlDevices = `Ansible YAML
edge1||edge1||ops||site=Amsterdam|groups=ams
edge2||edge2||ops||site=Amsterdam|groups=ams
xr1|192.0.2.1|192.0.2.1|2222|ops|iosxr|site=Amsterdam|groups=ams
asa1||asa1||ops|asa|site=Amsterdam|groups=ams
`
	jsonInventory = `{
 "_meta": {"hostvars": {
   "xr1": {"ansible_host": "192.0.2.1", "ansible_network_os": "cisco.iosxr.iosxr", "ansible_port": 2222, "site": "Amsterdam", "ansible_become_password": "x", "nested": {"a": [1]}},
   "edge1": {"site": "Bonn"}, "web": {"ansible_network_os": "vyos"}}, "profile": "inventory_legacy"},
 "all": {"children": ["ungrouped", "ams", "bonn"]},
 "ams": {"hosts": ["xr1", "web"], "vars": {"site": "not this"}},
 "bonn": ["edge1", "edge2"]
}
`
	jsonDevices = `Ansible JSON
edge1||edge1||||site=Bonn|groups=bonn
edge2||edge2||||site=|groups=bonn
xr1|192.0.2.1|192.0.2.1|2222||iosxr|site=Amsterdam|groups=ams
passed web: its ansible_network_os is vyos
`
)

func TestRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ in, want string }{
		"csv": {
			"Site,name, ADDRESS ,platform\r\nBonn,a,10.0.0.1 2001:db8::/32,iosxe\r\n\r\n,b,,\r\n,,,\r\n\"Köln, West\",c,::ffff:10.0.0.2 c.example.net,\r\n,d,10.0.0.0/8,\r\n,10.9.9.9,,\r\n",
			"CSV\na|10.0.0.1 2001:db8::/32|10.0.0.1|||iosxe|site=Bonn\nb||b||||site=\nc|10.0.0.2|10.0.0.2||||site=Köln, West\nd|10.0.0.0/8|||||site=\n10.9.9.9|10.9.9.9|10.9.9.9||||site=\n",
		},
		"semicolons, and a comment before": {"# devices\nname;address\na;edge-1\n", "CSV\na||edge-1|||\n"},
		"tabs, no address":                 {"site\tname\nBonn\tnot a host\n", "CSV\nnot a host||||||site=Bonn\n"},
		"ini":                              {iniInventory, iniDevices},
		"yaml":                             {yamlInventory, yamlDevices},
		"json":                             {jsonInventory, jsonDevices},
		"hosts before any group":           {"edge1 ansible_host=192.0.2.1\nedge2\n", "Ansible INI\nedge1|192.0.2.1|192.0.2.1||||site=|groups=\nedge2||edge2||||site=|groups=\n"},
		"carriage returns alone":           {"name,address\ra,10.0.0.1\rb,\r", "CSV\na|10.0.0.1|10.0.0.1|||\nb||b|||\n"},
		"sep= of a spreadsheet":            {"sep=;\r\nname;address\r\na;10.0.0.1\r\n", "CSV\na|10.0.0.1|10.0.0.1|||\n"},
		"columns that a spreadsheet left":  {"name;address;;\na;10.0.0.1;;\nb;; ;\n", "CSV\na|10.0.0.1|10.0.0.1|||\nb||b|||\n"},
		"the priority of a group": {
			"[a]\nx\ny\n[b]\nx\n[a:vars]\nansible_group_priority=10\nansible_host=10.0.0.1\nansible_port=1\n[b:vars]\nansible_host=10.0.0.2\n[a]\ny ansible_port=2\n",
			"Ansible INI\nx|10.0.0.1|10.0.0.1|1|||site=|groups=a b\ny|10.0.0.1|10.0.0.1|2|||site=|groups=a\n",
		},
		"comments as Ansible has them": {
			"[a]\nx#y ansible_host=10.0.0.1\nz ansible_host=10.0.0.2#c\n[a:vars]\nansible_port=22 # c\nansible_user='ops' # c\n",
			"Ansible INI\nx||x|22|ops||site=|groups=a\nz|10.0.0.2|10.0.0.2|22|ops||site=|groups=a\n",
		},
		"an alias in what is merged": {"all:\n  vars:\n    x: &ip 10.0.0.7\n  hosts:\n    a:\n      <<: {ansible_host: *ip, ansible_user: ops}\n", "Ansible YAML\na|10.0.0.7|10.0.0.7||ops||site=|groups=\n"},
		"an encrypted user and a list": {
			"all:\n  hosts:\n    a:\n      ansible_user: !vault |\n        x\n      site: [Bonn]\n      ansible_host: 10.0.0.1\n",
			"Ansible YAML\na|10.0.0.1|10.0.0.1||||site=|groups=\n",
		},
		"one address, two ports": {
			"[a]\nx ansible_host=127.0.0.1 ansible_port=1\ny ansible_host=127.0.0.1 ansible_port=2\n",
			"Ansible INI\nx|127.0.0.1|127.0.0.1|1|||site=|groups=a\ny|127.0.0.1|127.0.0.1|2|||site=|groups=a\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for encoding, data := range map[string][]byte{"UTF-8": []byte(test.in), "UTF-16": utf16le(test.in), "gzip": gzipped(test.in)} {
				l, err := inventory.Read(bytes.NewReader(data), "site")
				if err != nil {
					t.Fatalf("%s: %v", encoding, err)
				}
				got := describe(l)
				if got != test.want {
					t.Errorf("%s:\n%s\nwant\n%s", encoding, got, test.want)
				}
				for _, secret := range []string{"hunter2", "s e#cret", "ANSIBLE_VAULT"} {
					if strings.Contains(fmt.Sprintf("%+v", l), secret) {
						t.Errorf("%s: %s is kept", encoding, secret)
					}
				}
			}
		})
	}
}

func utf16le(s string) (out []byte) {
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func gzipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.Bytes()
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                       "it is empty",
		"name,address\n":                         "there is no device in it",
		"hostname,ip\na,b\n":                     "line 1: no column is called name",
		"edge1\nedge2\n":                         "line 1: no column is called name",
		"name,name\na,b\n":                       `line 1: the column "name" is there twice`,
		"name,\na,b\n":                           "line 1: column 2 has no name",
		"name,address\na,1\n,2":                  "line 2: device \"a\": \"1\" is not an IP address",
		"name,address\na,10.0.0.1\na,10.0.0.2\n": `line 3: the name "a" is in line 2 already`,
		"name,address\na,10.0.0.1\nb,::ffff:10.0.0.1\n":      `line 3: devices "a" and "b" have the address 10.0.0.1 in common`,
		"name,address\na,10.0.0.1 10.0.0.1\n":                `line 2: device "a": address 2, 10.0.0.1, is there twice`,
		"name,address\na,10.0.0.1/8\n":                       "10.0.0.0/8 is meant",
		"name,address\na,10.0.0.300\n":                       `"10.0.0.300" is not an IP address`,
		"name,address\na,fe80::1%eth0\n":                     "zone",
		"name,address\na,-oProxyCommand=x\n":                 `"-oProxyCommand=x" is not an IP address, a prefix or the name of a host`,
		"name,address\na,user@host\n":                        `"user@host" is not`,
		"name,address\n\"a\nb\",10.0.0.1\n":                  `line 2: the name "a\nb" has a control character`,
		"name,address\na\n":                                  "line 2: wrong number of fields",
		"#\n\nname,address\na\n":                             "line 4: wrong number of fields",
		"name,address\n,10.0.0.1\n":                          "line 2: a device has no name",
		"name,x\na," + strings.Repeat("x", 513):              "line 2: 513 bytes of the column x: the limit is 512",
		"name,x\n" + strings.Repeat("a", 201) + ",x":         "the limit is 200",
		"name" + strings.Repeat(",x", 1_000_000) + "\n":      "line 1: 1000001 columns: the limit is 64",
		"name,address\n\xff,10.0.0.1\n":                      "it is not UTF-8",
		"[a]\nx ansible_host\n":                              `line 2: "ansible_host" after the host is not NAME=VALUE`,
		"[a]\nx ansible_host='a\n":                           "line 2: a quote that is not closed",
		"[a:b]\nx\n":                                         "line 1: [a:b]: after the colon there is vars or children",
		"[a]\nx[1:2\n":                                       "has [ without ]",
		"[a]\nx[b:1]\n":                                      "[b:1] is not a range",
		"[a]\nx[1:99999999]\n":                               "the limit is 1000000",
		"[a]\nx[1:2000][1:2000]\n":                           "the limit is 1000000",
		"[a]\nx[1:600000]\nx[1:600000]\n":                    "hosts of all patterns together: the limit is 1000000",
		"[a]\nx\n[a:children]\nb\n[b:children]\na\n":         "contains itself",
		"[a]\nx ansible_port=x\n":                            `line 2: host "x": "x" is not a port`,
		"[a]\nx ansible_user=-lroot\n":                       `"-lroot" is not the name of a user`,
		"[a]\nx ansible_host={{ip}}\n":                       "ansible_host is a template",
		"name,address,,\na,10.0.0.1,,\nb,,,c\n":              `line 1: column 4 has no name, and line 3 has "c" in it`,
		"[a] x\ny\n":                                         `line 1: "x" after [a]`,
		"all:\n  hosts:\n    a: {ansible_host: !vault x}\n":  `line 3: host "a": ansible_host is encrypted`,
		"all:\n  hosts:\n    a: {ansible_host: [1.2.3.4]}\n": "ansible_host is encrypted, or a list",
		`{"_meta": {"hostvars": {"a": {"ansible_host": {"__ansible_vault": "x"}}}}}`: `host "a": ansible_host is encrypted`,
		"[a]\nx ansible_connection=local\n":                                          "none of its 1 hosts is a device",
		"all:\n  hosts:\n    a:\n    a:\n":                                           `the key "a" is there twice`,
		"all:\n  host:\n    a:\n":                                                    `line 2: "host" in a group`,
		"plugin: netbox.netbox.nb_inventory\n":                                       "ansible-inventory --list",
		"all:\n  hosts:\n   a: {x: *b}\n":                                            "not YAML: unknown anchor",
		"---\nall:\n  hosts:\n    a:\n---\nall:\n":                                   "second YAML document",
		"all: &a\n  children:\n    b: *a\n":                                          "groups within groups",
		`{"all": {"hosts": ["a"]}, "all": {"hosts": ["b"]}}`:                         `line 1: the key "all" is there twice`,
		`{"all": {"hosts": ["a"]}} x`:                                                "line 1: something after the document",
		`{"all": {"hosts": "a"}}`:                                                    "hosts are not a list",
		`{"all": `:                                                                   "not JSON",
		"PK\x03\x04xxxxxxxxxxxxxx\x00\x00":                                           "zip",
	} {
		_, err := inventory.Read(strings.NewReader(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", in, err, want)
		}
	}
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	_, err := inventory.Read(strings.NewReader("name,x\na," + strings.Repeat("x", 513)))
	e, ok := errors.AsType[*inventory.Error](err)
	if limit, isLimit := errors.AsType[*inventory.LimitError](err); !ok || e.Line != 2 || !isLimit || limit.Limit != inventory.MaxCell {
		t.Errorf("%#v", err)
	}
}

func TestCheckFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".ssh", "a\x00", "a\n"} {
		if inventory.CheckFile(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if err := inventory.CheckFile("edge 1.example.net"); err != nil {
		t.Error(err)
	}
}

// Whatever is read, no name is there twice, and nothing in it is a flag of ssh.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"name,address,site\na,10.0.0.1 ::/0,x\nb,edge,y\n", iniInventory, yamlInventory, jsonInventory, "name\tplatform\nx\ty\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("0:")) {
			return // a large range, which takes its time
		}
		l, err := inventory.Read(bytes.NewReader(data), "site")
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, d := range l.Devices {
			if names[d.Name] || d.Name == "" || strings.HasPrefix(d.Host, "-") || strings.HasPrefix(d.User, "-") || d.Port < 0 || d.Port > 65535 {
				t.Errorf("%+v", d)
			}
			names[d.Name] = true
		}
	})
}

// A row of CSV that begins with # is no device.
func TestComments(t *testing.T) {
	t.Parallel()
	l, err := inventory.Read(strings.NewReader("# sites\nname,address\n#old,192.0.2.1\na,192.0.2.2\n# one, two, three\n\"#b\",192.0.2.3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := describe(l), "CSV\na|192.0.2.2|192.0.2.2|||\n#b|192.0.2.3|192.0.2.3|||\n"; got != want {
		t.Errorf("got\n%s", got)
	}
	if l.Devices[1].Line != 6 {
		t.Errorf("%+v", l.Devices)
	}
}
