package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/fetch"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/fleet/record"
)

// Limits of a directory of captures.
const (
	MaxCaptures = 4_000_000 // entries of the directory, and of those in it together
	maxFilesOf  = 64        // of one device, the newest
	maxStrays   = 1000      // files of no device that are listed; the rest is counted
)

// A CaptureDir is a directory with what devices show of their pools.
type CaptureDir struct {
	CaptureReport
	files [][]string // of each device, below the directory
}

// failed reports whether collect says that the device could not be read the last time.
func failed(r *record.Row) bool { return r != nil && r.Detail != "" }

// ScanCaptures finds out which files of a directory belong to which device: NAME,
// NAME.txt, NAME.log and NAME.json, perhaps with .gz after that, and the files in a
// directory NAME. What belongs to no device is listed, and what is hidden is counted.
func ScanCaptures(ctx context.Context, dir string, devices []inventory.Device) (*CaptureDir, error) {
	c := &CaptureDir{CaptureReport{Name: dir, Strays: []string{}}, make([][]string, len(devices))}
	byName := make(map[string]int, len(devices))
	for i, d := range devices {
		if inventory.CheckFile(d.Name) == nil {
			byName[d.Name] = i
		}
	}
	total := 0
	entries, err := readDir(dir, &total)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		name := e.Name()
		if name[0] == '.' {
			if name != record.Dir {
				c.Hidden++
			}
			continue
		}
		i, ok := deviceOf(name, byName)
		switch {
		case !ok:
			c.stray(name)
		case e.IsDir():
			inside, err := readDir(filepath.Join(dir, name), &total)
			if err != nil && total > MaxCaptures {
				return nil, err
			} else if err != nil {
				c.add(i, name) // that it cannot be read is said of the device
			}
			for _, e := range inside {
				switch sub := name + "/" + e.Name(); {
				case e.Name()[0] == '.':
					c.Hidden++
				case e.IsDir():
					c.stray(sub)
				default:
					c.add(i, sub)
				}
			}
		default:
			c.add(i, name)
		}
	}
	return c, nil
}

// readDir reads a directory in the order of the names, under the limit for all together.
func readDir(dir string, total *int) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if *total += len(entries); *total > MaxCaptures {
		return nil, fmt.Errorf("%s: more than %d files: that is the limit", dir, MaxCaptures)
	}
	return entries, nil
}

// deviceOf finds the device of a file: one with its whole name comes first.
func deviceOf(name string, byName map[string]int) (int, bool) {
	stem := strings.TrimSuffix(name, ".gz")
	for _, s := range []string{name, stem, strings.TrimSuffix(stem, ".txt"), strings.TrimSuffix(stem, ".log"), strings.TrimSuffix(stem, ".json")} {
		if i, ok := byName[s]; ok {
			return i, true
		}
	}
	return 0, false
}

func (c *CaptureDir) add(i int, f string) {
	c.Files++
	c.files[i] = append(c.files[i], f)
}

func (c *CaptureDir) stray(name string) {
	if len(c.Strays) < maxStrays {
		c.Strays = append(c.Strays, name)
	} else {
		c.MoreStrays++
	}
}

// A Capture is a file of a device, as it was judged.
type Capture struct {
	verdict
	file, prompt, sha256 string
	at                   time.Time
	by                   string // what says when that was
	older                int    // instead of all else: how many files are older, and were not read
}

// readDevice reads the captures of one device, and what collect says of it.
func (c *CaptureDir) readDevice(j *Judge, d *inventory.Device, files []string, step func()) (captures []Capture, note *record.Row) {
	platform, _ := device.Lookup(d.Platform) // of one that is not known there is nothing
	note = c.note(d.Name)
	files, older := c.newest(files)
	for range older {
		step()
	}
	for _, f := range files {
		k := Capture{file: f}
		data, modified, err := c.read(f, MaxCaptureBytes)
		if k.err = err; err == nil {
			sum := sha256.Sum256(data)
			k.sha256 = hex.EncodeToString(sum[:])
			k.at, k.by = modified.UTC(), "file"
			if note != nil && note.Capture != nil && note.Capture.SHA256 == k.sha256 && !note.Capture.At.IsZero() {
				k.at, k.by = note.Capture.At.UTC(), "collect"
			}
			k.verdict, k.prompt = j.judge(data, platform)
		}
		captures = append(captures, k)
		step()
	}
	slices.SortStableFunc(captures, func(a, b Capture) int { return b.at.Compare(a.at) })
	if older > 0 {
		captures = append(captures, Capture{older: older})
	}
	return captures, note
}

// read reads a file of the directory, of at most so many bytes, and says when it was written.
func (c *CaptureDir) read(name string, most int64) (data []byte, modified time.Time, err error) {
	path := filepath.Join(c.Name, filepath.FromSlash(name))
	fi, err := os.Stat(path)
	if err != nil {
		return nil, modified, err
	}
	if fi.IsDir() { // perhaps nobody can look into it, which says more
		if _, err := os.ReadDir(path); err != nil {
			return nil, modified, err
		}
	}
	if !fi.Mode().IsRegular() {
		return nil, modified, errors.New("not a regular file")
	}
	if data, err = fetch.ReadAtMost(path, most); err == nil && int64(len(data)) > most {
		err = fmt.Errorf("more than %d bytes: that is the limit", most)
	}
	return data, fi.ModTime(), err
}

// newest returns the newest files, if there are more than are read, and how many others there are.
func (c *CaptureDir) newest(files []string) (some []string, older int) {
	if len(files) <= maxFilesOf {
		return files, 0
	}
	times := make(map[string]time.Time, len(files))
	for _, f := range files {
		if fi, err := os.Stat(filepath.Join(c.Name, filepath.FromSlash(f))); err == nil {
			times[f] = fi.ModTime()
		}
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b string) int { return times[b].Compare(times[a]) })
	return files[:maxFilesOf], len(files) - maxFilesOf
}

// note reads what collect says of a device; nil if it says nothing.
func (c *CaptureDir) note(name string) *record.Row {
	if inventory.CheckFile(name) != nil {
		return nil
	}
	data, _, err := c.read(record.File(name), record.MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var n record.Row
	if err == nil {
		err = json.Unmarshal(data, &n)
	}
	if err != nil {
		return &record.Row{Detail: Text("what collect says of it cannot be read: " + err.Error())}
	}
	return &n
}
