package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gorm.io/gorm"
)

// A commit appends changed pages to SQLite's write-ahead log; a checkpoint
// copies them into the database and lets the log begin anew. The copying is left
// to a connection of its own, beside the writer: inside a commit, where SQLite
// would do it, everybody who submits at that moment waits for megabytes to be
// written and synced. Only the short rest, what was committed while the other
// connection copied, is left to the writer.
const (
	// checkpointPages is how long the log grows before it is copied: 16 MiB. A
	// page that many batches change is then copied once.
	checkpointPages = 4096
	// maxLogPages is where the writer insists on it. A checkpoint stops short of
	// the oldest state that a reader is still at, and while readers overlap the
	// log would grow for ever.
	maxLogPages = 16 * checkpointPages
	// checkpointInterval is the time between two looks at the log; at the highest
	// rate of commits it grows by some hundred pages in it.
	checkpointInterval = 100 * time.Millisecond
	// checkpointWait is how long the writer waits for readers, and all writes
	// with it, where it insists; insistInterval is how often it does.
	checkpointWait = 200 * time.Millisecond
	insistInterval = time.Second
)

// A checkpoint's modes (https://sqlite.org/pragma.html#pragma_wal_checkpoint).
const (
	checkpointNothing  = "NOOP"     // only counts
	checkpointPassive  = "PASSIVE"  // copies what can be copied without waiting
	checkpointRestart  = "RESTART"  // waits for readers, so that the log begins anew
	checkpointTruncate = "TRUNCATE" // and is empty
)

// walState is what a checkpoint found and left, in pages of the log.
type walState struct {
	busy           bool // it could not do all that its mode promises
	length, copied int
}

func (s walState) rest() int { return s.length - s.copied }

func runCheckpoint(ctx context.Context, conn *sql.Conn, mode string) (walState, error) {
	var s walState
	err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&s.busy, &s.length, &s.copied)
	if err != nil {
		return s, fmt.Errorf("checkpoint %s: %w", mode, err)
	}
	return s, nil
}

// checkpointer copies the log beside the writer.
type checkpointer struct {
	log    *slog.Logger
	db     *gorm.DB
	conn   *sql.Conn
	writer *writer
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startCheckpointer(ctx context.Context, path string, w *writer, log *slog.Logger) (*checkpointer, error) {
	db, err := open(writerDSN(path), 1)
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("open checkpointer: %w", err)
	}
	c := &checkpointer{log: log, db: db, writer: w}
	if c.conn, err = pool.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open checkpointer: %w", err)
	}
	ctx, c.cancel = context.WithCancel(context.Background())
	c.ended.Go(func() { c.run(ctx) })
	return c, nil
}

func (c *checkpointer) stop() error {
	c.cancel()
	c.ended.Wait()
	_ = c.conn.Close()
	return closeDB(c.db)
}

func (c *checkpointer) run(ctx context.Context) {
	ticker := time.NewTicker(checkpointInterval)
	defer ticker.Stop()
	var seen uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		commits := c.writer.commits.Load()
		if commits == seen {
			continue
		}
		seen = commits
		if err := c.step(); err != nil {
			c.log.Error("copy the write-ahead log", "error", err)
		}
	}
}

// step copies the log where it has grown long enough. It is not cancelled: a
// checkpoint that is begun takes some tens of milliseconds.
func (c *checkpointer) step() error {
	ctx := context.Background()
	state, err := runCheckpoint(ctx, c.conn, checkpointNothing)
	if err != nil || state.length < checkpointPages {
		return err
	}
	if state, err = runCheckpoint(ctx, c.conn, checkpointPassive); err != nil {
		return err
	}
	switch {
	case state.length > maxLogPages:
		c.writer.owed.Store(owesRestart)
	case state.rest() > 0:
		c.writer.owed.CompareAndSwap(owesNothing, owesRest)
	}
	return nil
}

// What the writer is to do to the log between two transactions.
const (
	owesNothing int32 = iota
	owesRest
	owesRestart
	owesTruncate // the log holds words that were erased
)

// checkpoint is called between two transactions, by the goroutine that writes.
func (w *writer) checkpoint() {
	owed := w.owed.Load()
	if owed == owesNothing {
		return
	}
	ctx := context.Background()
	if owed == owesRest {
		w.owed.CompareAndSwap(owesRest, owesNothing)
		if _, err := runCheckpoint(ctx, w.conn, checkpointPassive); err != nil {
			w.log.Error("finish a checkpoint", "error", err)
		}
		return
	}
	now := time.Now()
	if now.Sub(w.insistedAt) < insistInterval {
		return
	}
	w.insistedAt = now
	mode := checkpointRestart
	if owed == owesTruncate {
		mode = checkpointTruncate
	}
	state, err := w.insist(ctx, mode)
	switch {
	case err != nil:
		w.log.Error("insist on a checkpoint", "error", err)
	case !state.busy:
		w.owed.CompareAndSwap(owed, owesNothing)
	}
}

// insist waits for readers, but not long.
func (w *writer) insist(ctx context.Context, mode string) (walState, error) {
	if _, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", checkpointWait.Milliseconds())); err != nil {
		return walState{}, fmt.Errorf("set busy timeout: %w", err)
	}
	state, err := runCheckpoint(ctx, w.conn, mode)
	if _, restoreErr := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", busyTimeout.Milliseconds())); err == nil {
		err = restoreErr
	}
	return state, err
}
