package hosting

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Limits of what is read or made when it is asked for.
const (
	// MaxKept is how many bytes of it are kept, of all bundles together, with those that answers under way hold. The last
	// thing that there was room for may be larger than what was left of it, and is kept until another is asked for.
	MaxKept = 32 << 20

	maxReading    = 16               // at a time: most of their time is the source's
	maxMaking     = 2                // likewise of what is made from what was read
	demandTimeout = 30 * time.Second // for one thing to be there
	keptOverhead  = 512              // bytes that a thing is charged with beside its own
)

// errBusy says that there is no room to read or make what was asked for.
var errBusy = errors.New("too much that is not kept is asked for at a time; try again in some seconds")

// A shelfKey names a thing by the bundle, the release and what it is of that release.
type shelfKey struct {
	bundle, sha256 string
	modified       int64
	what           string
}

// A shelf keeps what was read or made on demand, within one bound for everything: what was not used for the longest
// time goes first. What several ask for at the same time is made once.
type shelf struct {
	most    int64
	reading chan struct{} // a slot for each thing that is read
	making  chan struct{} // and for each that is made of what was read

	lock   sync.Mutex
	used   int64
	things map[shelfKey]*thing
	idle   list.List // of *thing: those that nobody holds, the one used last in front
}

// A thing is on a shelf, or on its way there.
type thing struct {
	key    shelfKey
	made   chan struct{} // closed when value and err are set
	value  any
	err    error
	until  time.Time // when err is to be found out anew
	size   int64
	users  int
	parked *list.Element // in idle
}

func newShelf(most int64) *shelf {
	return &shelf{most: most, reading: make(chan struct{}, maxReading), making: make(chan struct{}, maxMaking), things: map[shelfKey]*thing{}}
}

// get gives the thing with a key, which create makes if there is none. expected is how many bytes it will have, more or
// less. Who gets it is to put it back. slots are those of reading or making: what is made may get what is read in turn,
// and nothing else. There must be room for what is to be held for as long as a client likes.
func (s *shelf) get(ctx context.Context, key shelfKey, slots chan struct{}, expected int64, room bool, now time.Time, create func(context.Context) (any, int64, error)) (*thing, error) {
	t, mine, err := s.claim(key, expected+keptOverhead, room, now)
	if err != nil {
		return nil, err
	}
	if mine {
		// Others may be waiting for it when who asked first is gone.
		ctx := context.WithoutCancel(ctx)
		go s.fill(ctx, t, slots, now, create)
	}
	waiting, cancel := context.WithTimeout(ctx, demandTimeout)
	defer cancel()
	select {
	case <-t.made:
	case <-waiting.Done():
		s.put(t)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, errBusy
	}
	if t.err != nil {
		s.put(t)
		return nil, t.err
	}
	return t, nil
}

// claim takes hold of a thing, and reports whether the caller is to make it.
func (s *shelf) claim(key shelfKey, expected int64, room bool, now time.Time) (t *thing, mine bool, err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if t = s.things[key]; t != nil && !t.stale(now) {
		if t.parked != nil {
			s.idle.Remove(t.parked)
			t.parked = nil
		}
		t.users++
		return t, false, nil
	}
	if t != nil {
		s.drop(t)
	}
	s.makeRoom(expected, 0)
	if room && s.used >= s.most {
		return nil, false, errBusy
	}
	t = &thing{key: key, made: make(chan struct{}), size: expected, users: 2} // the caller, and who makes it
	s.things[key] = t
	s.used += expected
	return t, true, nil
}

// stale reports whether a thing is an error that may be over.
func (t *thing) stale(now time.Time) bool {
	select {
	case <-t.made:
		return t.err != nil && (!now.Before(t.until) || now.Before(t.until.Add(-recheck)))
	default:
		return false
	}
}

// makeRoom lets go of what nobody holds until there is room for so many bytes, or no more than so many things are left.
func (s *shelf) makeRoom(size int64, left int) {
	for s.used+size > s.most && s.idle.Len() > left {
		s.drop(s.idle.Back().Value.(*thing))
	}
}

// drop takes a thing out. Its bytes count until nobody holds it.
func (s *shelf) drop(t *thing) {
	if s.things[t.key] == t {
		delete(s.things, t.key)
	}
	if t.parked != nil {
		s.idle.Remove(t.parked)
		t.parked = nil
		s.used -= t.size
	}
}

// fill makes a thing.
func (s *shelf) fill(ctx context.Context, t *thing, slots chan struct{}, now time.Time, create func(context.Context) (any, int64, error)) {
	ctx, cancel := context.WithTimeout(ctx, demandTimeout)
	defer cancel()
	var size int64
	select {
	case slots <- struct{}{}:
		t.value, size, t.err = create(ctx)
		<-slots
	case <-ctx.Done():
		t.err = errBusy
	}
	if t.err != nil {
		t.value, size, t.until = nil, 0, now.Add(lasts(t.err))
	}
	s.lock.Lock()
	s.used += size + keptOverhead - t.size
	t.size = size + keptOverhead
	s.lock.Unlock()
	close(t.made)
	s.put(t)
}

// put says that a thing is not held any more.
func (s *shelf) put(t *thing) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if t.users--; t.users > 0 {
		return
	}
	if s.things[t.key] != t { // it was dropped meanwhile
		s.used -= t.size
		return
	}
	t.parked = s.idle.PushFront(t)
	s.makeRoom(0, 1)
}

// bytes is how many bytes are kept.
func (s *shelf) bytes() int64 {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.used
}
