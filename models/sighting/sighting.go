// Package sighting remembers for a while how many parties were seen with
// something: sessions with a text, sessions behind an address. It takes a fixed
// amount of memory, whoever sends how much.
package sighting

import (
	"sync"
	"time"
)

const (
	// ways is how many keys share a set: a full one forgets what it saw first.
	ways = 4
	// remembered is how many parties of a key are told apart. Who takes turns with
	// more than so many is counted again, which is no more than a bound of memory.
	remembered = 4
	// maxLocks lets submissions of different keys count side by side.
	maxLocks = 64
)

// Table counts parties by key. It may be used by many goroutines at once.
type Table struct {
	window  int64 // in milliseconds
	sliding bool
	sets    [][ways]sighting
	locks   [maxLocks]sync.Mutex
}

type sighting struct {
	key     uint64
	from    int64 // when the window began, in Unix milliseconds
	parties [remembered]uint64
	count   int32
}

// New makes a Table of so many keys, rounded up; one takes 56 bytes. What is
// counted is over a window's time after it was begun, or where it slides after
// the last one was seen.
func New(keys int, window time.Duration, sliding bool) *Table {
	return &Table{window: window.Milliseconds(), sliding: sliding, sets: make([][ways]sighting, (keys+ways-1)/ways)}
}

// Note counts a party, once, and gives how many there are of the key with it.
func (t *Table) Note(key, party uint64, now time.Time) int {
	at := now.UnixMilli()
	lock, s := t.find(key)
	lock.Lock()
	defer lock.Unlock()
	seen := t.sighting(s, key, at)
	if seen == nil {
		seen = oldest(s, at)
		*seen = sighting{key: key, from: at}
	}
	if t.sliding {
		seen.from = at
	}
	for i := range min(int(seen.count), remembered) {
		if seen.parties[i] == party {
			return int(seen.count)
		}
	}
	seen.parties[int(seen.count)%remembered] = party
	seen.count++
	return int(seen.count)
}

// Count gives how many parties there are of the key.
func (t *Table) Count(key uint64, now time.Time) int {
	lock, s := t.find(key)
	lock.Lock()
	defer lock.Unlock()
	if seen := t.sighting(s, key, now.UnixMilli()); seen != nil {
		return int(seen.count)
	}
	return 0
}

func (t *Table) find(key uint64) (*sync.Mutex, *[ways]sighting) {
	n := key % uint64(len(t.sets))
	return &t.locks[n%maxLocks], &t.sets[n]
}

// sighting is the key's, unless its time is over. A time that is yet to come was
// a wrong clock's.
func (t *Table) sighting(s *[ways]sighting, key uint64, at int64) *sighting {
	for i := range s {
		if seen := &s[i]; seen.key == key && seen.count > 0 && seen.from <= at && at-seen.from < t.window {
			return seen
		}
	}
	return nil
}

// oldest is what a set forgets first.
func oldest(s *[ways]sighting, at int64) *sighting {
	found := &s[0]
	for i := range s {
		seen := &s[i]
		if seen.count == 0 || seen.from > at {
			return seen
		}
		if seen.from < found.from {
			found = seen
		}
	}
	return found
}
