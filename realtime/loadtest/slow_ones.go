package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
)

const (
	// dripInterval is between two bytes of a client that takes its time.
	dripInterval = 500 * time.Millisecond
	// draftWriters is how many sessions with a draft there are at once.
	draftWriters = 4
	// busyWriters are those of the control.
	busyWriters = 1024
)

// addressOf makes a public address of an id.
func addressOf(id models.ID) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	n := h.Sum32()
	return fmt.Sprintf("%d.%d.%d.%d", 11+n>>24%100, n>>16&0xff, n>>8&0xff, n&0xff)
}

// company is a nuisance whose members run until they are stopped.
type company struct {
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn

	sockets, refused, drafts atomic.Int64
}

func (c *company) keep(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
}

func (c *company) stop() slowed {
	c.cancel()
	c.mu.Lock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.running.Wait()
	return slowed{sockets: int(c.sockets.Load()), refused: int(c.refused.Load()), drafts: int(c.drafts.Load())}
}

// slowOnes comes before it is returned, but for the drafts, which go on meanwhile.
func (s slow) slowOnes(t *test, p *process) (nuisance, error) {
	ctx, cancel := context.WithCancel(t.ctx)
	c := &company{cancel: cancel}
	post := "POST /w/" + p.Key + "/feedback HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for range s.Clients {
		for _, way := range []struct{ begin, drip string }{
			{"", post + "X-Long: " + strings.Repeat("a", 1000)},
			{post + "Content-Length: 1000\r\n\r\n", strings.Repeat("{", 1000)},
		} {
			conn, err := net.DialTimeout("tcp", p.Addr, dialTimeout)
			if err != nil {
				c.stop()
				return nil, err
			}
			c.keep(conn)
			c.running.Go(func() { drip(ctx, conn, way.begin, way.drip) })
		}
		// A frame of 10,000 bytes whose end never comes.
		socket, err := p.dialFrom(addressOf(models.NewID()))
		if err != nil {
			c.stop()
			return nil, err
		}
		c.keep(socket.conn)
		c.running.Go(func() {
			drip(ctx, socket.conn, "\x81\xfe\x27\x10\x00\x00\x00\x00", `{"type":"Ping","data":{},"id":"`+strings.Repeat("x", 1000))
		})
	}
	if err := s.manySockets(p, c); err != nil {
		c.stop()
		return nil, err
	}
	for range draftWriters {
		c.running.Go(func() { s.writeDrafts(t, p, c) })
	}
	return c, nil
}

// dialFrom opens a visitor's socket as if from that address.
func (p *process) dialFrom(address string) (*wsClient, error) {
	const readBuffer = 2 << 10
	return dialSocket(p.Addr, "/w/"+p.Key+"/socket", "", readBuffer, "X-Forwarded-For: "+address)
}

// drip writes a byte at a time, until the server has had enough.
func drip(ctx context.Context, conn net.Conn, begin, rest string) {
	if _, err := io.WriteString(conn, begin); err != nil {
		return
	}
	ticker := time.NewTicker(dripInterval)
	defer ticker.Stop()
	for i := range len(rest) {
		if _, err := io.WriteString(conn, rest[i:i+1]); err != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// manySockets opens as many as each address gets.
func (s slow) manySockets(p *process, c *company) error {
	for a := range s.Addresses {
		for range s.Tries {
			socket, err := p.dialFrom(fmt.Sprintf("198.51.100.%d", a+1))
			var refused *upgradeError
			switch {
			case err == nil:
				c.sockets.Add(1)
				c.keep(socket.conn)
			case errors.As(err, &refused) && refused.code == 429:
				c.refused.Add(1)
			default:
				return err
			}
		}
	}
	return nil
}

// writeDrafts has one session after another write a long draft, at a pace that
// spreads them over the run. All come, also where that takes longer.
func (s slow) writeDrafts(t *test, p *process, c *company) {
	each := s.Drafts / s.Pairs / draftWriters
	pause := time.Duration(s.Seconds) * time.Second / time.Duration(max(each, 1))
	began := time.Now()
	for i := range each {
		socket, err := p.dialFrom(addressOf(models.NewID()))
		if err != nil {
			return
		}
		err = errors.Join(
			socket.send(fmt.Sprintf(`{"type":"Hello","data":{"resume_token":"%s"}}`, models.NewResumeToken())),
			socket.send(`{"type":"DraftChanged","data":{"text":"`+strings.Repeat("x", 4000)+`","shared":true}}`),
		)
		for read := 0; err == nil && read < 2; read++ { // Connected, DraftAccepted
			_, err = socket.next()
		}
		_ = socket.conn.Close()
		if err == nil {
			c.drafts.Add(1)
		}
		if time.Sleep(time.Until(began.Add(time.Duration(i+1) * pause))); t.ctx.Err() != nil {
			return
		}
	}
}

// busyOnes is the control: clients as fast as the server lets them be.
func (s slow) busyOnes(t *test, p *process) (nuisance, error) {
	ctx, cancel := context.WithCancel(t.ctx)
	c := &company{cancel: cancel}
	for range busyWriters {
		way := &person{p.dialPostOf(largestFields)}
		c.running.Go(func() {
			defer func() { _ = way.close() }()
			for ctx.Err() == nil && way.submit(models.NewID()) == nil {
			}
		})
	}
	return c, nil
}
