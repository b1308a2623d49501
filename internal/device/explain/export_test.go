package explain

import "slices"

// Known are the IDs of all messages of the catalogue, on each of their platforms.
func Known() (ids []string) {
	for _, e := range known().messages {
		if e.mnemonic == "" {
			ids = append(ids, e.id)
			continue
		}
		for _, p := range e.on {
			ids = append(ids, idPrefix(p)+e.id)
		}
	}
	return ids
}

// A Remedied is what a message or a reason says on one platform.
type Remedied struct {
	Name string
	Finding
}

// All are the findings of every message, and of every reason, on each platform.
func All() (out []Remedied) {
	for _, e := range known().messages {
		for _, p := range e.on {
			if e.reason {
				for _, r := range append(slices.Clone(known().reasons), &reason{statements: *known().groups["not-known"]}) {
					if r.on == nil || slices.Contains(r.on, p) {
						name := "unknown"
						if len(r.texts) > 0 {
							name = r.texts[0]
						}
						out = append(out, Remedied{e.id + " " + p + " " + name, Finding{ID: e.id, Kind: e.kind, Ground: e.Ground, Meaning: e.meaning, Platforms: names([]string{p}),
							Causes: r.of("cause", p, nil), Checks: r.of("check", p, nil), Fixes: r.of("fix", p, nil)}})
					}
				}
				continue
			}
			out = append(out, Remedied{e.id + " " + p, e.finding(&message{platform: p})})
		}
	}
	return out
}
