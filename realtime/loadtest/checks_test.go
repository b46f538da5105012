package main

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"earshot/models"
)

// says reports whether an error has the words, and whether there is none for "".
func says(err error, want string) bool {
	if want == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), want)
}

// TestHoldOfLiveFollowers has dashboards begin in the middle of a log: what comes after
// is held against it as for others, its end included.
func TestHoldOfLiveFollowers(t *testing.T) {
	log := []models.ID{"1", "2", "3", "4"}
	for _, c := range []struct {
		name  string
		from  int64
		heard []int64
		want  string
	}{
		{"all, from the start", 0, []int64{1, 2, 3, 4}, ""},
		{"all, from the middle", 2, []int64{3, 4}, ""},
		{"all, from the end", 4, nil, ""},
		{"not the last", 2, []int64{3}, "are others than those of the log"},
		{"nothing", 2, nil, "are others than those of the log"},
		{"one is missing", 1, []int64{2, 4}, "1 events missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &follower{live: true, from: c.from}
			f.last.Store(c.from)
			for _, seq := range c.heard {
				f.take(seq, log[seq-1])
			}
			found := &churned{audit: audit{log: log}}
			found.hold([]*follower{f})
			if !says(found.wrong, c.want) {
				t.Errorf("got %v, want %q", found.wrong, c.want)
			}
		})
	}
}

// TestApart shows each way in which a node that was cut off may fail to the check.
func TestApart(t *testing.T) {
	k := cut{Notice: 5 * time.Second, Answer: 17 * time.Second, Back: 5 * time.Second}
	for _, c := range []struct {
		name   string
		change func(*partition)
		want   string
	}{
		{"nothing", func(*partition) {}, ""},
		{"others refuse", func(a *partition) { a.others.refused = 2 }, "2 were refused by others"},
		{"others fail", func(a *partition) { a.others.wrong = errors.New("otherwise") }, "others failed otherwise: otherwise"},
		{"acknowledged", func(a *partition) { a.here.inIt = 1 }, "1 were acknowledged by a node that is cut off"},
		{"never noticed", func(a *partition) { a.noticed = -1 }, "that it is not ready"},
		{"never ready", func(a *partition) { a.ready = -1 }, "that it is ready again"},
		{"ready too late", func(a *partition) { a.ready = 6 * time.Second }, "that it is ready again"},
		{"acknowledged too late", func(a *partition) { a.here.late = 1 }, "nothing was acknowledged within 5s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &partition{here: &stood{audit: audit{acknowledged: 1, integrity: "ok"}}, others: &stood{}, noticed: time.Second, ready: time.Second, meanwhile: 1}
			c.change(a)
			if err := k.holds(a); !says(err, c.want) || err != nil && strings.Contains(err.Error(), "%!") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestAudienceHolds shows that deliveries of nothing are not taken for good ones.
func TestAudienceHolds(t *testing.T) {
	for _, c := range []struct {
		name         string
		acknowledged int64
		failure      error
		missing      int64
		want         string
	}{
		{"all", 1, nil, 0, ""},
		{"nothing", 0, nil, 0, "nothing was submitted"},
		{"one failed", 1, errors.New("refused"), 0, "1 submissions failed: refused"},
		{"one is missing", 1, nil, 1, "1 deliveries missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLoad(nil, 1, nil)
			l.acknowledged.Store(c.acknowledged)
			if c.failure != nil {
				l.fail(c.failure)
			}
			if err := (&audience{}).holds(l, c.missing); !says(err, c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestToStrangers has NATS send to each connection, of which the second listens.
func TestToStrangers(t *testing.T) {
	of := func(cid uint64, subscriptions uint32, sent int64) *natsserver.ConnInfo {
		return &natsserver.ConnInfo{Cid: cid, NumSubs: subscriptions, OutMsgs: sent}
	}
	before := []*natsserver.ConnInfo{of(1, 1, 10), of(2, 2, 10), of(3, 1, 10)}
	for _, c := range []struct {
		name   string
		before []*natsserver.ConnInfo
		sent   [3]int64
		want   int64
		wrong  string
	}{
		{"the listener alone", before, [3]int64{10, 15, 10}, 0, ""},
		{"others as well", before, [3]int64{11, 15, 12}, 3, ""},
		{"another alone", before, [3]int64{15, 10, 10}, 0, "was sent nothing, others 5"},
		{"nobody", before, [3]int64{10, 10, 10}, 0, "was sent nothing"},
		{"several listen", []*natsserver.ConnInfo{of(1, 2, 10), of(2, 2, 10), of(3, 1, 10)}, [3]int64{15, 15, 10}, 0, "who listens cannot be told"},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := []*natsserver.ConnInfo{of(1, 1, c.sent[0]), of(2, 2, c.sent[1]), of(3, 1, c.sent[2])}
			if got, err := toStrangers(c.before, after); got != c.want || !says(err, c.wrong) {
				t.Errorf("got %d, %v, want %d, %q", got, err, c.want, c.wrong)
			}
		})
	}
}

// TestDashboardThatIsNotLetIn gives up, rather than to have everybody wait for it.
func TestDashboardThatIsNotLetIn(t *testing.T) {
	t.Parallel()
	address, err := lowPort() // where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	nobody := &process{ready: ready{Addr: address}}
	f := &follower{p: nobody}
	var there sync.WaitGroup
	there.Add(1)
	err = f.stay(t.Context(), "", []*process{nobody}, false, sync.OnceFunc(there.Done))
	there.Wait()
	if !says(err, "connection refused") {
		t.Errorf("it ends with %v", err)
	}
}
