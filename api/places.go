package api

import (
	"net/netip"
	"sync"
	"time"

	"earshot/models"
	"earshot/models/intake"
)

// heldPerAddress bounds the calls of one kind that one party on the network may
// hold open, as the sockets are bounded; held bounds those of all.
const (
	heldPerAddress = 20
	held           = 10_000
)

// places counts the calls that are held open: those that wait, or never end.
type places struct {
	unlimited bool

	mu        sync.Mutex
	all       int
	addresses map[string]int
}

// take counts one call until release is called.
func (p *places) take(address netip.Addr) (release func(), err error) {
	key := intake.AddressKey(address)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.unlimited:
	case p.addresses[key] >= heldPerAddress:
		return nil, &models.Error{Code: models.CodeRateLimited, Message: "too many calls from this address wait already", RetryAfter: 30 * time.Second}
	case p.all >= held:
		return nil, &models.Error{Code: models.CodeUnavailable, Message: "too many calls wait already", RetryAfter: 30 * time.Second}
	}
	if p.addresses == nil {
		p.addresses = map[string]int{}
	}
	p.all++
	p.addresses[key]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all--
		if p.addresses[key]--; p.addresses[key] == 0 {
			delete(p.addresses, key)
		}
	}), nil
}
