package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"time"

	"earshot/models"
)

// follower is a dashboard that keeps its place in a project's log, and comes back
// to it.
type follower struct {
	p *process
	// forgetful makes it come back without saying how far it was.
	forgetful bool
	// live makes it begin behind the log's head instead of at its start.
	live bool
	// heard is told of each event's feedback; may be nil.
	heard func(models.ID)

	socket *wsClient
	epoch  string
	joined int
	from   int64 // the log's head when it began, where it is live

	last     atomic.Int64
	told     uint64 // what came so far, in order, as one number
	missing  int64
	repeated int64
	disorder int64 // within one connection
	before   int64 // the last seq of this connection
}

// join opens the next socket, at the place where the last one ended.
func (f *follower) join(token string) error {
	socket, err := dialSocket(f.p.Addr, "/api/v1/socket", token, dashboardBuffer)
	if err != nil {
		return err
	}
	since := fmt.Sprintf(`,"epoch":%q,"since":%d`, f.epoch, f.last.Load())
	switch {
	case f.forgetful && f.joined > 0, f.live && f.joined == 0:
		since = ""
	case f.joined == 0:
		since = `,"since":0`
	}
	err = socket.send(fmt.Sprintf(`{"type":"Subscribe","id":"%s","data":{"project_id":"%s"%s}}`, models.NewID(), f.p.Project, since))
	if err == nil {
		err = socket.conn.SetReadDeadline(time.Now().Add(dialTimeout))
	}
	if err == nil {
		err = f.subscribed(socket)
	}
	if err != nil {
		return errors.Join(err, socket.conn.Close())
	}
	f.socket, f.before = socket, 0
	f.joined++
	return socket.conn.SetReadDeadline(time.Time{})
}

// subscribed reads the answer to Subscribe.
func (f *follower) subscribed(socket *wsClient) error {
	for {
		event, err := socket.next()
		if err != nil {
			return err
		}
		var e struct {
			Type string `json:"type"`
			Data struct {
				Epoch string `json:"epoch"`
				Head  int64  `json:"head"`
			} `json:"data"`
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return err
		}
		switch {
		case e.Type == "Connected":
		case e.Type != "Subscribed":
			return fmt.Errorf("subscribe: answered by %s", event)
		case f.epoch != "" && e.Data.Epoch != f.epoch:
			return fmt.Errorf("%w: the epoch was %s and is %s", errMisled, f.epoch, e.Data.Epoch)
		default:
			f.epoch = e.Data.Epoch
			if f.live && f.joined == 0 {
				f.from = e.Data.Head
				f.last.Store(f.from)
			}
			return nil
		}
	}
}

// errMisled is no fault of a connection: the server does not know the log any more.
var errMisled = errors.New("a log that went on was given up")

var resync = []byte(`{"type":"ResyncRequired"`)

// read takes the next event.
func (f *follower) read() error {
	event, err := f.socket.next()
	if err != nil {
		return err
	}
	if bytes.HasPrefix(event, resync) {
		return fmt.Errorf("%w: told to begin anew: %s", errMisled, event)
	}
	if seq := seqOf(event); seq > 0 {
		f.take(seq, feedbackOf(event))
	}
	return nil
}

func (f *follower) take(seq int64, id models.ID) {
	if seq <= f.before {
		f.disorder++
	}
	f.before = seq
	last := f.last.Load()
	if seq <= last {
		f.repeated++
		return
	}
	f.missing += seq - last - 1
	f.told = chained(f.told, id)
	f.last.Store(seq)
	if f.heard != nil {
		f.heard(id)
	}
}

// chained is a number for a series of ids, which depends on their order.
func chained(told uint64, id models.ID) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s", told, id)
	return h.Sum64()
}

var dataID = []byte(`"data":{"id":"`)

func feedbackOf(event []byte) models.ID {
	i := bytes.Index(event, dataID)
	if i < 0 || len(event) < i+len(dataID)+idLength {
		return ""
	}
	return models.ID(event[i+len(dataID):][:idLength])
}

const idLength = 36

// readUntil reads until a moment, ctx's end, or an error of another kind.
func (f *follower) readUntil(ctx context.Context, end time.Time) error {
	if err := f.socket.conn.SetReadDeadline(end); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.socket.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		if err := f.read(); errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// drop ends the connection, half the time without a word to the other side's
// kernel that would be more than a reset.
func (f *follower) drop() {
	if tcp, ok := f.socket.conn.(*net.TCPConn); ok && rand.N(2) == 0 {
		_ = tcp.SetLinger(0)
	}
	_ = f.socket.conn.Close()
}

func (f *follower) counts() string {
	return fmt.Sprintf("%d events missing, %d repeated, %d out of order", f.missing, f.repeated, f.disorder)
}

// fault is nil where the follower was told of everything once and in order; truth is what
// it should have been told, as one number.
func (f *follower) fault(truth uint64) error {
	switch {
	case f.missing+f.repeated+f.disorder > 0:
		return errors.New(f.counts())
	case f.told != truth:
		return errors.New("the events are others than those of the log")
	}
	return nil
}
