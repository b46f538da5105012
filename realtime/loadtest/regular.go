package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// regular is a visitor who always comes back, by the rules that the widget keeps
// (realtime/client/socket.ts): full jitter from half a second to half a minute,
// the first try included, and not before the server that left has said.
type regular struct {
	p *process // of which only the address and the key count
	// crowding leaves the rules out: every half second, as all others do.
	crowding bool

	tries []time.Time // to be read once come has returned
}

const (
	backOffFrom = 500 * time.Millisecond
	backOffTo   = 30 * time.Second
)

// come keeps a socket open until ctx ends, and reports each time that it is.
func (r *regular) come(ctx context.Context, connected chan<- time.Time) {
	var told time.Time
	for attempt := 0; ctx.Err() == nil; {
		r.tries = append(r.tries, time.Now())
		if g, err := dialGuest(r.p, nil); err == nil {
			attempt = 0
			select {
			case connected <- time.Now():
			case <-ctx.Done():
			}
			g.stay(ctx)
			told = time.Now().Add(g.retry)
		}
		r.pause(ctx, attempt, told)
		attempt++
	}
}

func (r *regular) pause(ctx context.Context, attempt int, told time.Time) {
	wait := backOffFrom
	if !r.crowding {
		wait = max(0, time.Until(told)) + rand.N(min(backOffTo, backOffFrom<<min(attempt, 10)))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// crowd is the largest share of all that tried within one span of time.
func crowd(all []*regular, from time.Time, span time.Duration) float64 {
	var tries []time.Time
	for _, r := range all {
		for _, at := range r.tries {
			if at.After(from) {
				tries = append(tries, at)
			}
		}
	}
	slices.SortFunc(tries, time.Time.Compare)
	most, first := 0, 0
	for i, at := range tries {
		for at.Sub(tries[first]) > span {
			first++
		}
		most = max(most, i-first+1)
	}
	return float64(most) / float64(len(all))
}
