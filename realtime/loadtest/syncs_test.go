package main

import (
	"strings"
	"testing"
	"time"

	"earshot/models"
)

func TestSync(t *testing.T) {
	needTool(t, "strace")
	runMode(t, "faults", "sync", "--seconds=1", "--writers=1,16")
}

// TestTraceOrder shows each order of write, sync and answer to the check.
func TestTraceOrder(t *testing.T) {
	const (
		write     = `7 pwrite64(9</d/earshot.db-wal>, "ID", 4096, 32) = 4096`
		sync      = `7 fsync(9</d/earshot.db-wal>) = 0`
		syncs     = `7 fsync(9</d/earshot.db-wal> <unfinished ...>`
		synced    = `7 <... fsync resumed>) = 0`
		broken    = `7 fsync(9</d/earshot.db-wal>) = -1 EIO (Input/output error)`
		elsewhere = `7 fsync(9</d/earshot.db>) = 0`
		answer    = `8 write(24<socket:[54778]>, "{\"id\":\"ID\"}", 40) = 40`
		answers   = `8 write(24<socket:[54778]>, "{\"id\":\"ID\"}", 40 <unfinished ...>`
	)
	acknowledged := models.NewID()
	l := newLedger()
	l.send(acknowledged)
	l.acknowledge(acknowledged, time.Now())
	for _, c := range []struct {
		name  string
		lines []string
		holds bool
	}{
		{"in order", []string{write, sync, answer}, true},
		{"in order, between other threads", []string{write, syncs, elsewhere, synced, answer}, true},
		{"no sync", []string{write, answer}, false},
		{"synced before", []string{sync, write, answer}, false},
		{"written while it was synced", []string{syncs, write, synced, answer}, false},
		{"answered while it was synced", []string{write, syncs, answers, synced}, false},
		{"synced later", []string{write, answer, sync}, false},
		{"another file was synced", []string{write, elsewhere, answer}, false},
		{"the sync failed", []string{write, broken, answer}, false},
		{"never written", []string{sync, answer}, false},
		{"never answered", []string{write, sync}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := strings.ReplaceAll(strings.Join(c.lines, "\n")+"\n", "ID", string(acknowledged))
			tr := readTrace(strings.NewReader(lines))
			if err := tr.order(l).holds(); tr.err != nil || (err == nil) != c.holds {
				t.Errorf("held is %v (%v), want %v", err == nil, err, c.holds)
			}
		})
	}
}
