package inventory

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"trustpool/internal/device"
)

// An ansible is an Ansible inventory: hosts in groups, groups in groups, and
// variables of both.
type ansible struct {
	wanted map[string]bool // variables
	asked  []string        // of these those that become columns
	hosts  map[string]*ansibleHost
	order  []string // of the names of hosts, as the file has them
	groups map[string]*ansibleGroup
	merged map[string]*ansibleGroup // by the groups that a host is in directly
	ranged int                      // hosts of patterns, each as often as it is there
}

type ansibleHost struct {
	line   int
	groups []string // directly
	vars   map[string]string
}

type ansibleGroup struct {
	parents []string
	vars    map[string]string
	depth   int // the longest way from the top; 0 if not counted yet, and -1 while it is counted
}

// Variables with a meaning here, each in the order in which they count.
var (
	hostVariables     = []string{"ansible_host", "ansible_ssh_host"}
	portVariables     = []string{"ansible_port", "ansible_ssh_port"}
	userVariables     = []string{"ansible_user", "ansible_ssh_user"}
	platformVariables = []string{"platform", "ansible_network_os"}
)

const (
	connectionVariable = "ansible_connection"
	priorityVariable   = "ansible_group_priority"

	// noValue is the value of a variable that is a list or a mapping, or encrypted.
	noValue   = "\x00"
	allGroup  = "all"
	ungrouped = "ungrouped"
)

func newAnsible(columns []string) *ansible {
	a := &ansible{
		wanted: map[string]bool{connectionVariable: true, priorityVariable: true}, asked: columns,
		hosts: map[string]*ansibleHost{}, groups: map[string]*ansibleGroup{}, merged: map[string]*ansibleGroup{},
	}
	for _, name := range slices.Concat(hostVariables, portVariables, userVariables, platformVariables, columns) {
		a.wanted[name] = true
	}
	return a
}

// host returns that of a name, in a group, and makes it if it is new.
func (a *ansible) host(name, group string, line int) (*ansibleHost, error) {
	h := a.hosts[name]
	if h == nil {
		if len(a.hosts) == MaxDevices {
			return nil, &LimitError{"hosts", MaxDevices}
		}
		if err := checkName(name); err != nil {
			return nil, at(line, err)
		}
		h = &ansibleHost{line: line, vars: map[string]string{}}
		a.hosts[name] = h
		a.order = append(a.order, name)
	}
	if group != "" && !slices.Contains(h.groups, group) {
		if len(h.groups) == maxGroupsOf {
			return nil, at(line, &LimitError{fmt.Sprintf("groups of the host %q", name), maxGroupsOf})
		}
		h.groups = append(h.groups, group)
	}
	return h, nil
}

// group returns that of a name, and makes it if it is new.
func (a *ansible) group(name string, line int) (*ansibleGroup, error) {
	g := a.groups[name]
	if g == nil {
		if len(a.groups) == MaxGroups {
			return nil, at(line, &LimitError{"groups", MaxGroups})
		}
		if err := checkName(name); err != nil {
			return nil, at(line, err)
		}
		g = &ansibleGroup{vars: map[string]string{}}
		a.groups[name] = g
	}
	return g, nil
}

// child puts a group into another one.
func (a *ansible) child(parent, name string, line int) error {
	g, err := a.group(name, line)
	if err != nil || slices.Contains(g.parents, parent) {
		return err
	}
	if len(g.parents) == maxGroupsOf {
		return at(line, &LimitError{fmt.Sprintf("groups that hold %q", name), maxGroupsOf})
	}
	g.parents = append(g.parents, parent)
	return nil
}

// set sets a variable, if it is wanted.
func (a *ansible) set(vars map[string]string, name, value string) error {
	if !a.wanted[name] {
		return nil
	}
	if len(value) > MaxCell {
		return &LimitError{fmt.Sprintf("%d bytes of the variable %s", len(value), name), MaxCell}
	}
	vars[strings.Clone(name)] = strings.Clone(value)
	return nil
}

// devices hands the hosts over.
func (a *ansible) devices(l *lister) error {
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		if err := a.depth(name, 0); err != nil {
			return err
		}
	}
	for _, name := range a.order {
		h := a.hosts[name]
		d, address, why, err := a.device(name, h)
		if err != nil {
			return at(h.line, fmt.Errorf("host %q: %w", name, err))
		}
		if why != "" {
			l.list.Passed = append(l.list.Passed, Passed{name, why})
			continue
		}
		if err := l.add(d, address); err != nil {
			return err
		}
	}
	if len(l.list.Devices) == 0 && len(l.list.Passed) > 0 {
		return &Error{Err: fmt.Errorf("none of its %d hosts is a device: %q is passed over: %s", len(l.list.Passed), l.list.Passed[0].Name, l.list.Passed[0].Why)}
	}
	return nil
}

// depth counts how deep a group is.
func (a *ansible) depth(name string, level int) error {
	g := a.groups[name]
	if g.depth > 0 {
		return nil
	}
	if g.depth < 0 {
		return &Error{Err: fmt.Errorf("the group %q contains itself", name)}
	}
	if level > maxDepth {
		return &LimitError{"groups within groups", maxDepth}
	}
	g.depth = -1
	deepest := 0
	for _, parent := range g.parents {
		if err := a.depth(parent, level+1); err != nil {
			return err
		}
		deepest = max(deepest, a.groups[parent].depth)
	}
	g.depth = deepest + 1
	return nil
}

// priority is that of a group among those of its depth.
func (g *ansibleGroup) priority() int {
	if n, err := strconv.Atoi(g.vars[priorityVariable]); err == nil {
		return n
	}
	return 1
}

// above merges the variables of groups and all that hold them, the deeper a group is
// the later, then the higher its priority; the vars of the result have GroupsColumn, too.
func (a *ansible) above(direct []string) (*ansibleGroup, error) {
	key := strings.Join(direct, "\n")
	if g := a.merged[key]; g != nil {
		return g, nil
	}
	seen := map[string]bool{}
	if a.groups[allGroup] != nil {
		seen[allGroup] = true
	}
	for todo := slices.Clone(direct); len(todo) > 0; {
		name := todo[len(todo)-1]
		if todo = todo[:len(todo)-1]; !seen[name] {
			if seen[name] = true; len(seen) > maxGroupsOf {
				return nil, &LimitError{"groups of a host", maxGroupsOf}
			}
			todo = append(todo, a.groups[name].parents...)
		}
	}
	names := slices.SortedFunc(maps.Keys(seen), func(x, y string) int {
		top := func(s string) int {
			if s == allGroup {
				return 0
			}
			return a.groups[s].depth
		}
		return cmp.Or(cmp.Compare(top(x), top(y)), cmp.Compare(a.groups[x].priority(), a.groups[y].priority()), strings.Compare(x, y))
	})
	g := &ansibleGroup{vars: map[string]string{}}
	var shown []string
	for _, name := range names {
		maps.Copy(g.vars, a.groups[name].vars)
		if name != allGroup && name != ungrouped {
			shown = append(shown, name)
		}
	}
	slices.Sort(shown)
	g.vars[GroupsColumn] = strings.Join(shown, " ")
	a.merged[key] = g
	return g, nil
}

// device makes a device of a host, or says why it is none.
func (a *ansible) device(name string, h *ansibleHost) (d Device, address, why string, err error) {
	above, err := a.above(h.groups)
	if err != nil {
		return d, "", "", err
	}
	value := func(names ...string) string {
		for _, n := range names {
			if v, ok := h.vars[n]; ok {
				return v
			}
			if v, ok := above.vars[n]; ok {
				return v
			}
		}
		return ""
	}
	evaluate := func(names ...string) string {
		v := value(names...)
		if v == noValue && err == nil {
			err = fmt.Errorf("%s is encrypted, or a list or mapping: write the value, or give CSV", names[0])
		}
		v, bad := evaluate(v, name)
		if bad && err == nil {
			err = fmt.Errorf("%s is a template, and templates are not evaluated: write the value, or give CSV", names[0])
		}
		return v
	}
	if value(connectionVariable) == "local" && value(hostVariables...) == "" {
		return d, "", "its connection is local", nil
	}
	os := evaluate(platformVariables[1:]...)
	platform := evaluate(platformVariables[0])
	if platform == "" {
		platform, why = platformOf(os)
	}
	if why != "" || err != nil {
		return d, "", why, err
	}
	d = Device{Name: name, Line: h.line, Platform: platform}
	user := ""
	if value(userVariables...) != noValue { // an encrypted user is left to whoever logs in
		user = evaluate(userVariables...)
	}
	port := evaluate(portVariables...)
	if err != nil {
		return d, "", "", err
	}
	if err := d.login(user, port); err != nil {
		return d, "", "", err
	}
	for _, c := range a.asked {
		if c != GroupsColumn && c != "platform" && c != "name" && c != "address" {
			d.Columns = append(d.Columns, Column{c, strings.TrimSuffix(value(c), noValue)})
		}
	}
	d.Columns = append(d.Columns, Column{GroupsColumn, above.vars[GroupsColumn]})
	return d, evaluate(hostVariables...), "", err
}

// evaluate returns the value of the one template that needs nothing else, the name
// of the host; bad is set for any other.
func evaluate(value, name string) (v string, bad bool) {
	before, rest, ok := strings.Cut(value, "{{")
	if !ok {
		return value, strings.Contains(value, "{%")
	}
	inside, after, ok := strings.Cut(rest, "}}")
	if short, _, _ := strings.Cut(name, "."); ok && strings.TrimSpace(inside) == "inventory_hostname_short" {
		name = short
	} else if !ok || strings.TrimSpace(inside) != "inventory_hostname" {
		return value, true
	}
	return before + name + after, strings.Contains(after, "{{") || strings.Contains(before+after, "{%")
}

// platformOf returns what trustpool calls the platform with this ansible_network_os,
// or why it is passed over. Ansible has one name for IOS and IOS XE.
func platformOf(os string) (platform, why string) {
	if os == "" {
		return "", ""
	}
	name := strings.ToLower(os)
	if name == "cisco.dcnm.dcnm" { // which manages NX-OS
		return "nxos", ""
	}
	for _, p := range device.Platforms() {
		if short := p.NetworkOS[strings.LastIndexByte(p.NetworkOS, '.')+1:]; name == p.NetworkOS || name == short {
			return p.Name, ""
		}
	}
	return "", "its ansible_network_os is " + os
}

// expand returns the names that a pattern of hosts stands for: r[01:20], r[a:f],
// r[1:9:2], with more than one range, and perhaps a port after it.
func expand(pattern string) (names []string, port string, err error) {
	if !strings.ContainsAny(pattern, "[:") {
		return []string{pattern}, "", nil
	}
	if _, err := ParsePrefix(pattern); err == nil {
		return []string{pattern}, "", nil
	}
	if before, after, ok := strings.Cut(pattern, "]:"); ok && strings.HasPrefix(pattern, "[") && !strings.ContainsAny(after, "[]") {
		return []string{before[1:]}, after, nil // of IPv6
	}
	if at := strings.LastIndexByte(pattern, ':'); at > strings.LastIndexByte(pattern, ']') {
		pattern, port = pattern[:at], pattern[at+1:]
	}
	names = []string{""}
	for {
		before, rest, ok := strings.Cut(pattern, "[")
		if !ok {
			for i := range names {
				names[i] += before
			}
			return names, port, nil
		}
		inside, after, ok := strings.Cut(rest, "]")
		if !ok {
			return nil, "", fmt.Errorf("%q has [ without ]", pattern)
		}
		values, err := expandRange(inside)
		if err != nil {
			return nil, "", err
		}
		if len(names)*len(values) > MaxDevices {
			return nil, "", &LimitError{"hosts of a pattern", MaxDevices}
		}
		var all []string
		for _, name := range names {
			for _, value := range values {
				all = append(all, name+before+value)
			}
		}
		names, pattern = all, after
	}
}

// expandRange returns the values of FIRST:LAST or FIRST:LAST:STEP.
func expandRange(s string) (values []string, err error) {
	bad := fmt.Errorf("[%s] is not a range such as [01:20] or [a:f]", s)
	parts := strings.Split(s, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return nil, bad
	}
	step := 1
	if len(parts) == 3 {
		if step, err = strconv.Atoi(parts[2]); err != nil || step < 1 {
			return nil, bad
		}
	}
	first, last := cmp.Or(parts[0], "0"), parts[1]
	letter := func(s string) bool { return len(s) == 1 && (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z') }
	if letter(first) && letter(last) {
		for c := int(first[0]); c <= int(last[0]); c += step {
			values = append(values, string(rune(c)))
		}
	} else {
		from, err1 := strconv.ParseUint(first, 10, 31)
		to, err2 := strconv.ParseUint(last, 10, 31)
		if errors.Join(err1, err2) != nil {
			return nil, bad
		}
		if to >= from && (to-from)/uint64(step) >= MaxDevices {
			return nil, &LimitError{"hosts of a range", MaxDevices}
		}
		width := 0
		if len(first) > 1 && first[0] == '0' {
			width = len(first)
		}
		for ; from <= to; from += uint64(step) {
			values = append(values, fmt.Sprintf("%0*d", width, from))
		}
	}
	if len(values) == 0 {
		return nil, bad
	}
	return values, nil
}

// split splits a line of an INI inventory at its blanks, as a shell does: quotes and
// backslashes keep blanks, and # begins a comment.
func split(line string) (words []string, err error) {
	var word strings.Builder
	in, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && quote != '\'':
			if i++; i == len(line) {
				return nil, errors.New("a backslash at the end of the line")
			}
			if quote == '"' && line[i] != '"' && line[i] != '\\' {
				word.WriteByte('\\')
			}
			word.WriteByte(line[i])
			in = true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteByte(c)
			}
		case c == '"' || c == '\'':
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '#':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
			if c == '#' {
				return words, nil
			}
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote that is not closed")
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}

// ini reads an inventory in the form of INI files.
func (a *ansible) ini(data []byte) error {
	section, kind := ungrouped, ""
	if _, err := a.group(section, 0); err != nil {
		return err
	}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		var err error
		if end := strings.IndexByte(line, ']'); line[0] == '[' && end > 0 && (end == len(line)-1 || strings.ContainsAny(line[end+1:end+2], " \t#;")) {
			if after := strings.TrimSpace(line[end+1:]); after != "" && after[0] != '#' && after[0] != ';' {
				return at(number, fmt.Errorf("%.80q after [%s]", after, line[1:end]))
			}
			var suffix bool
			section, kind, suffix = strings.Cut(line[1:end], ":")
			if suffix && kind != "vars" && kind != "children" {
				return at(number, fmt.Errorf("[%s]: after the colon there is vars or children", line[1:end]))
			}
			_, err = a.group(section, number)
		} else {
			switch kind {
			case "vars":
				err = a.iniVar(section, line)
			case "children":
				name, _, _ := strings.Cut(line, "#")
				err = a.child(section, strings.TrimSpace(name), number)
			default:
				err = a.iniHost(section, line, number)
			}
		}
		if err != nil {
			return at(number, err)
		}
	}
	return nil
}

func (a *ansible) iniVar(section, line string) error {
	name, value, ok := strings.Cut(line, "=")
	if !ok {
		return errors.New("a variable without =")
	}
	value = strings.TrimSpace(value)
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		if words, err := split(value); err == nil && len(words) == 1 {
			value = words[0]
		}
	} else if number, _, ok := strings.Cut(value, "#"); ok { // what is neither quoted nor a number has no comment
		if _, err := strconv.Atoi(strings.TrimSpace(number)); err == nil {
			value = strings.TrimSpace(number)
		}
	}
	return a.set(a.groups[section].vars, strings.TrimSpace(name), value)
}

func (a *ansible) iniHost(section, line string, number int) error {
	words, err := split(line)
	if err != nil || len(words) == 0 {
		return err
	}
	return a.pattern(words[0], section, number, func(vars map[string]string) error {
		for _, word := range words[1:] {
			key, value, ok := strings.Cut(word, "=")
			if !ok {
				return fmt.Errorf("%q after the host is not NAME=VALUE", word)
			}
			if err := a.set(vars, key, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// pattern makes the hosts that a pattern stands for; set sets the variables of each.
func (a *ansible) pattern(pattern, group string, line int, set func(vars map[string]string) error) error {
	names, port, err := expand(pattern)
	if err != nil {
		return err
	}
	if len(names) > 1 {
		a.ranged += len(names)
	}
	if a.ranged > MaxDevices {
		return &LimitError{"hosts of all patterns together", MaxDevices}
	}
	for _, name := range names {
		h, err := a.host(name, group, line)
		if err != nil {
			return err
		}
		if port != "" {
			h.vars[portVariables[0]] = port
		}
		if err := set(h.vars); err != nil {
			return err
		}
	}
	return nil
}
