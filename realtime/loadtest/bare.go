package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// bare is the control: the least that acknowledges submissions from disk on the
// same libraries. It has a socket or a POST, one table without an index but its
// key, the same group commit and fsync, and nothing else: no checks, no limits,
// no sessions, no log, no search, nobody to tell. What the product costs is the
// ratio to it in one run, whatever the machine is doing that day.
type bare struct {
	db    *sql.DB
	queue chan *bareWrite
	over  chan struct{} // closed at the end: sockets outlive the app's shutdown
	early bool
	now   func() time.Time
	hub   bareHub
}

type bareWrite struct {
	ID   string `json:"id"`
	Data struct {
		PageURL string `json:"page_url"`
		Message string `json:"message"`
	} `json:"data"`
	done chan error
}

// bareFaults are the promises that a control breaks.
type bareFaults struct {
	Early    bool `help:"Acknowledges before the commit, and whatever comes of it."`
	Unsynced bool `help:"Commits without a sync."`
	Twice    bool `help:"Takes a repetition for something new."`
}

// bareSchema shows the log that an audit reads as a view, which costs no write.
// It is in the order of the clock, which is that of the commits where no clock
// ever jumps.
const bareSchema = `
CREATE TABLE IF NOT EXISTS feedback (id TEXT %s, page_url TEXT, message TEXT, at INTEGER);
CREATE VIEW IF NOT EXISTS events AS
	SELECT 'bare' AS project_id, row_number() OVER (ORDER BY at, rowid) AS seq, 'FeedbackReceived' AS type, id AS feedback_id FROM feedback;`

func newBare(db *sql.DB, s serve) *bare {
	b := &bare{db: db, now: time.Now, queue: make(chan *bareWrite, 4096), over: make(chan struct{}), early: s.Early}
	b.hub.dashboards = map[*bareDashboard]struct{}{}
	if s.Jumps {
		b.now = jumpingClock(time.Now())
	}
	return b
}

func (s serve) serveBare(ctx context.Context, listener net.Listener, out io.Writer) (err error) {
	synchronous := "FULL"
	if s.Unsynced {
		synchronous = "OFF"
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(s.Data, database)+"?_journal_mode=WAL&_txlock=immediate&_synchronous="+synchronous)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	key := "PRIMARY KEY"
	if s.Twice {
		key = ""
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf(bareSchema, key)); err != nil {
		return err
	}
	b := newBare(db, s)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Post("/api/v1/auth/login", func(c *fiber.Ctx) error { return c.SendString(`{"access_token":"none"}`) })
	app.Get("/api/v1/projects/bare/feedback", b.count)
	app.Post("/w/bare/feedback", b.post)
	app.Get("/api/v1/socket", b.hub.handler())
	app.Get("/w/bare/socket", websocket.New(b.socket))
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(listener) }()
	var writer sync.WaitGroup
	writer.Go(b.run)
	if err := json.NewEncoder(out).Encode(ready{Addr: listener.Addr().String(), Key: "bare", Project: "bare"}); err != nil {
		return err
	}
	<-ctx.Done()
	err = app.Shutdown()
	close(b.over)
	writer.Wait()
	return errors.Join(err, <-ended)
}

func (b *bare) count(c *fiber.Ctx) error {
	var n int64
	if err := b.db.QueryRowContext(c.UserContext(), "SELECT count(*) FROM feedback").Scan(&n); err != nil {
		return err
	}
	return c.JSON(fiber.Map{"total": n})
}

func (b *bare) post(c *fiber.Ctx) error {
	w := &bareWrite{}
	if err := json.Unmarshal(c.Body(), &w.Data); err != nil {
		return err
	}
	if err := json.Unmarshal(c.Body(), w); err != nil {
		return err
	}
	if err := b.write(w); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).SendString(`{"id":"` + w.ID + `"}`)
}

func (b *bare) socket(c *websocket.Conn) {
	if c.WriteMessage(websocket.TextMessage, []byte(`{"type":"Connected"}`)) != nil {
		return
	}
	for {
		_, message, err := c.ReadMessage()
		w := &bareWrite{}
		if err == nil {
			err = json.Unmarshal(message, w)
		}
		if err == nil {
			err = b.write(w)
		}
		if err == nil {
			err = c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"FeedbackReceived","data":{"id":"%s"}}`, w.ID))
		}
		if err != nil {
			return
		}
	}
}

func (b *bare) write(w *bareWrite) error {
	w.done = make(chan error, 1)
	select {
	case b.queue <- w:
	case <-b.over:
		return errOver
	}
	if b.early {
		return nil
	}
	select {
	case err := <-w.done:
		return err
	case <-b.over:
		return errOver
	}
}

var errOver = errors.New("the server has ended")

// run commits all that waits, again and again.
func (b *bare) run() {
	var batch []*bareWrite
	for {
		select {
		case first := <-b.queue:
			batch = append(batch[:0], first)
		case <-b.over:
			return
		}
		for more := true; more; {
			select {
			case w := <-b.queue:
				batch = append(batch, w)
			default:
				more = false
			}
		}
		err := b.commit(batch)
		if err == nil {
			b.hub.publish(batch)
		}
		for _, w := range batch {
			w.done <- err
		}
	}
}

func (b *bare) commit(batch []*bareWrite) error {
	tx, err := b.db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	insert, err := tx.Prepare("INSERT INTO feedback (id, page_url, message, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	at := b.now().UnixMilli()
	for _, w := range batch {
		if _, err := insert.Exec(w.ID, w.Data.PageURL, w.Data.Message, at); err != nil {
			return err
		}
	}
	return tx.Commit()
}
