package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"earshot/models"
)

// guest is a visitor's socket that is read to its end.
type guest struct {
	socket *wsClient
	ledger *ledger // nil: it submits nothing

	goingAway bool
	retry     time.Duration // the server's word on when to come back
	code      int           // of the close frame; 0 for an end without one
}

// abnormal is the code that stands for an end without a close frame (RFC 6455
// §7.1.5).
const abnormal = 1006

const guestBuffer = 2 << 10

func dialGuest(p *process, l *ledger) (*guest, error) {
	socket, err := dialSocket(p.Addr, "/w/"+p.Key+"/socket", "", guestBuffer)
	if err != nil {
		return nil, err
	}
	g := &guest{socket: socket, ledger: l}
	if err := awaitType(socket, "Connected"); err != nil {
		return nil, errors.Join(err, socket.conn.Close())
	}
	return g, nil
}

// stay reads until the server ends the socket, and submits one thing after
// another where it has a ledger.
func (g *guest) stay(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = g.socket.conn.Close() })
	defer stop()
	defer func() { _ = g.socket.conn.Close() }()
	if g.ledger != nil && g.submit() != nil {
		g.code = abnormal
		return
	}
	for {
		event, err := g.socket.next()
		if err == nil {
			err = g.heard(event)
		}
		if err != nil {
			g.left(err)
			return
		}
	}
}

func (g *guest) submit() error {
	id := models.NewID()
	g.ledger.send(id)
	return g.socket.send(fmt.Sprintf(`{"type":"FeedbackSubmitted","id":"%s","data":{%s}}`, id, submissionFields))
}

func (g *guest) heard(event []byte) error {
	var e struct {
		Data struct {
			ID           models.ID `json:"id"`
			RetryAfterMS int64     `json:"retry_after_ms"`
		} `json:"data"`
	}
	switch {
	case bytes.HasPrefix(event, received):
		if err := json.Unmarshal(event, &e); err != nil {
			return err
		}
		g.ledger.acknowledge(e.Data.ID, g.socket.opened)
		if g.goingAway {
			return nil
		}
		// A socket that was told to go takes no more: the failure shows as its end.
		_ = g.submit()
	case bytes.Contains(event, []byte(`"GoingAway"`)):
		if err := json.Unmarshal(event, &e); err != nil {
			return err
		}
		g.goingAway, g.retry = true, time.Duration(e.Data.RetryAfterMS)*time.Millisecond
	}
	return nil
}

// left notes how the socket ended, and answers a close frame with its like, as
// every browser does.
func (g *guest) left(err error) {
	g.code = abnormal
	var closed *closedError
	if errors.As(err, &closed) {
		g.code = closed.code
		_ = g.socket.sendClose(closed.code)
	}
}
