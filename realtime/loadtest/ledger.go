package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"earshot/models"
)

// ledger is what the writers know of their submissions: the ids that were sent,
// and whether one was acknowledged.
type ledger struct {
	mu   sync.Mutex
	sent map[models.ID]bool // true: acknowledged
	acks chan ack           // the newest, where somebody waits for it
}

// ack is an acknowledgement and when the connection that it came over was opened.
type ack struct{ dialed, at time.Time }

func newLedger() *ledger { return &ledger{sent: map[models.ID]bool{}, acks: make(chan ack)} }

func (l *ledger) send(id models.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[id] = false
}

func (l *ledger) acknowledge(id models.ID, dialed time.Time) {
	l.mu.Lock()
	l.sent[id] = true
	l.mu.Unlock()
	select {
	case l.acks <- ack{dialed, time.Now()}:
	default:
	}
}

// first waits for the first acknowledgement over a connection that was opened
// after started, and gives the time between; not ok where the end comes first.
func (l *ledger) first(started time.Time, end <-chan time.Time) (took time.Duration, ok bool) {
	for {
		select {
		case a := <-l.acks:
			if a.dialed.After(started) {
				return a.at.Sub(started), true
			}
		case <-end:
			return 0, false
		}
	}
}

// acknowledgedAfter waits for an acknowledgement that comes after a moment, and
// says when it did; not ok where none does for so long.
func (l *ledger) acknowledgedAfter(moment time.Time, atMost time.Duration) (at time.Time, ok bool) {
	end := time.After(atMost)
	for {
		select {
		case a := <-l.acks:
			if a.at.After(moment) {
				return a.at, true
			}
		case <-end:
			return time.Time{}, false
		}
	}
}

// acknowledged counts.
func (l *ledger) acknowledged() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, acknowledged := range l.sent {
		if acknowledged {
			n++
		}
	}
	return n
}

// anyAcknowledged is one that was; not ok where none was.
func (l *ledger) anyAcknowledged() (id models.ID, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, acknowledged := range l.sent {
		if acknowledged {
			return id, true
		}
	}
	return "", false
}

// audit is what a ledger and a database have to say of each other.
type audit struct {
	sent, acknowledged, stored int

	lost      int    // acknowledged and not stored
	twice     int    // stored or announced more than once
	neverSent int    // stored and never sent
	silent    int    // stored and never announced in the log
	gaps      int    // places where the log's seq does not go on by one
	integrity string // SQLite's own opinion, "ok" where it has nothing to say

	log []models.ID // of what was announced, in order
}

// holds is nil where every promise was kept.
func (a audit) holds() error {
	if a.lost+a.twice+a.neverSent+a.silent+a.gaps > 0 || a.integrity != "ok" {
		return fmt.Errorf("%s", a)
	}
	if a.acknowledged == 0 {
		return errors.New("nothing was acknowledged, so nothing was shown")
	}
	return nil
}

// String is the audit in one line.
func (a audit) String() string {
	return fmt.Sprintf("sent %d, acknowledged %d, stored %d: lost %d, twice %d, never sent %d, unannounced %d, gaps in seq %d; integrity_check %s",
		a.sent, a.acknowledged, a.stored, a.lost, a.twice, a.neverSent, a.silent, a.gaps, a.integrity)
}

// database is the name of the database in a server's folder.
const database = "earshot.db"

// compare audits the database of a server that has ended, by SQLite itself and
// by nothing of the product.
func (l *ledger) compare(ctx context.Context, folder string) (a audit, err error) {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(folder, database))
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if a, err = l.compareWith(ctx, db); err != nil {
		return a, err
	}
	opinion, err := column[string](ctx, db, "PRAGMA integrity_check")
	if err != nil {
		return a, err
	}
	a.integrity = opinion[0]
	return a, nil
}

// comparePostgres audits a PostgreSQL database, by its server and by nothing of the
// product.
func (l *ledger) comparePostgres(ctx context.Context, address string) (a audit, err error) {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a, err = l.compareWith(ctx, db)
	a.integrity = "ok" // PostgreSQL has no such check
	return a, err
}

func (l *ledger) compareWith(ctx context.Context, db *sql.DB) (a audit, err error) {
	rows, err := column[models.ID](ctx, db, "SELECT id FROM feedback")
	if err != nil {
		return a, err
	}
	announced, err := column[models.ID](ctx, db, "SELECT feedback_id FROM events WHERE type = 'FeedbackReceived' ORDER BY project_id, seq")
	if err != nil {
		return a, err
	}
	seqs, err := column[int64](ctx, db, "SELECT seq FROM events ORDER BY project_id, seq")
	if err != nil {
		return a, err
	}
	a = l.count(rows, announced)
	a.log = announced
	for i, seq := range seqs {
		if seq != int64(i)+1 {
			a.gaps++
		}
	}
	return a, nil
}

func (l *ledger) count(rows, announced []models.ID) (a audit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stored, told := times(rows), times(announced)
	a.sent, a.stored = len(l.sent), len(rows)
	for id, acknowledged := range l.sent {
		if acknowledged {
			a.acknowledged++
		}
		if acknowledged && stored[id] == 0 {
			a.lost++
		}
	}
	for id, n := range stored {
		if _, sent := l.sent[id]; !sent {
			a.neverSent++
		}
		if n > 1 || told[id] > 1 {
			a.twice++
		}
		if told[id] == 0 {
			a.silent++
		}
	}
	return a
}

func times(ids []models.ID) map[models.ID]int {
	n := make(map[models.ID]int, len(ids))
	for _, id := range ids {
		n[id]++
	}
	return n
}

func column[T any](ctx context.Context, db *sql.DB, query string) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value T
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, rows.Err()
}
