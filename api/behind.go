package api

import "sync"

// behind runs what is done after an answer, a bounded number at once, and waits for
// it at the end.
type behind struct {
	slots chan struct{}
	all   sync.WaitGroup
}

func newBehind(most int) *behind { return &behind{slots: make(chan struct{}, most)} }

// try begins what is to be done; false where too much is under way.
func (b *behind) try(what func()) bool {
	select {
	case b.slots <- struct{}{}:
	default:
		return false
	}
	b.all.Go(func() {
		defer func() { <-b.slots }()
		what()
	})
	return true
}

func (b *behind) wait() { b.all.Wait() }
