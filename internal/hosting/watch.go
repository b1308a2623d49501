package hosting

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// DefaultRefresh is how often a source is asked whether it has changed.
const DefaultRefresh = time.Minute

// settle is how long a directory must be quiet before it is read: who replaces a file
// rarely does so in one step.
const settle = 200 * time.Millisecond

// Watch refreshes the catalog until the context ends: when a directory of the source
// changes, when something comes from now, and in any case each time that every has
// passed.
func (s *Server) Watch(ctx context.Context, every time.Duration, now <-chan struct{}) {
	// Without a watcher there is the ticker.
	var events chan fsnotify.Event
	var lost chan error
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		events, lost = watcher.Events, watcher.Errors
	}
	watch := func() {
		// A directory that was replaced must be added anew; one that is watched
		// already stays so.
		if watcher == nil {
			return
		}
		for _, dir := range append(s.o.Source.directories(), s.o.TLS.directories()...) {
			_ = watcher.Add(dir)
		}
	}
	watch()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	quiet := time.NewTimer(0) // there may have been a change before the watch began
	defer quiet.Stop()
	names := map[string]bool{"": true} // of which something may be new; "" for all
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			name, ok := s.o.Source.about(e.Name)
			if slices.Contains(s.o.TLS.directories(), filepath.Dir(e.Name)) {
				name, ok = "", true
			}
			if ok {
				names[name] = true
				quiet.Reset(settle)
			}
			continue
		case <-lost:
			names[""] = true
			quiet.Reset(settle)
			continue
		case <-quiet.C:
		case <-ticker.C:
			names[""] = true
		case <-now:
			names[""] = true
		}
		if names[""] {
			watch()
			names = map[string]bool{"": true}
		}
		for name := range names {
			_ = s.refresh(ctx, name) // it has reported what is wrong
		}
		clear(names)
	}
}
