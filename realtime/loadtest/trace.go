package main

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strings"

	"earshot/models"
)

// trace is a run of strace, read as it is written. Its lines have an order that
// the kernel keeps: a thread goes on from a call only after its line was written.
type trace struct {
	err  error
	line int

	calls    map[string]sysCall   // begun and not ended, by thread
	written  map[models.ID]int    // the line in which a row's first write to the log ended
	synced   int                  // the last line in which a sync began that has succeeded
	answered map[models.ID]answer // the first time that an id was written to a socket
	syncs    int
}

// sysCall is a system call on its way.
type sysCall struct {
	name string
	file string
	line int
	ids  []models.ID
}

// answer is what had happened when it was sent.
type answer struct{ written, synced int }

// logFile is what is synced: the write-ahead log of the database.
const logFile = "/" + database + "-wal"

var (
	begins  = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>`)
	resumes = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>`)
	id      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

const unfinished = " <unfinished ...>"

// readTrace reads to the end.
func readTrace(r io.Reader) *trace {
	t := &trace{calls: map[string]sysCall{}, written: map[models.ID]int{}, answered: map[models.ID]answer{}}
	for in := bufio.NewReaderSize(r, 1<<20); t.err == nil; {
		var line string
		if line, t.err = in.ReadString('\n'); t.err == nil {
			t.read(strings.TrimSuffix(line, "\n"))
		}
	}
	if errors.Is(t.err, io.EOF) {
		t.err = nil
	}
	return t
}

func (t *trace) read(line string) {
	t.line++
	if m := resumes.FindStringSubmatch(line); m != nil {
		t.end(t.calls[m[1]], line)
		delete(t.calls, m[1])
		return
	}
	m := begins.FindStringSubmatch(line)
	if m == nil {
		return
	}
	c := sysCall{name: m[2], file: m[3], line: t.line}
	t.begin(&c, line)
	if strings.HasSuffix(line, unfinished) {
		t.calls[m[1]] = c
		return
	}
	t.end(c, line)
}

// begin is where an answer counts: it may be read before its call has ended.
func (t *trace) begin(c *sysCall, line string) {
	switch {
	case strings.HasSuffix(c.file, logFile):
		for _, found := range id.FindAllString(line, -1) {
			c.ids = append(c.ids, models.ID(found))
		}
	case strings.HasPrefix(c.file, "socket:") || strings.HasPrefix(c.file, "TCP:"):
		for _, found := range id.FindAllString(line, -1) {
			if _, before := t.answered[models.ID(found)]; !before {
				t.answered[models.ID(found)] = answer{written: t.written[models.ID(found)], synced: t.synced}
			}
		}
	}
}

// end is where a write or a sync counts, if it succeeded.
func (t *trace) end(c sysCall, line string) {
	if !strings.HasSuffix(c.file, logFile) || strings.Contains(line, ") = -1 ") {
		return
	}
	if c.name == "fsync" || c.name == "fdatasync" {
		t.syncs++
		t.synced = max(t.synced, c.line)
		return
	}
	for _, id := range c.ids {
		if _, before := t.written[id]; !before {
			t.written[id] = t.line
		}
	}
}

// order holds what was acknowledged against the trace.
func (t *trace) order(l *ledger) order {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := order{syncs: t.syncs}
	for id, acknowledged := range l.sent {
		if !acknowledged {
			continue
		}
		o.acknowledged++
		a, seen := t.answered[id]
		switch {
		case !seen:
			o.unseen++
		case a.written == 0 || a.written > a.synced:
			o.unsynced++
		}
	}
	return o
}
