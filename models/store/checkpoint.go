package store

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	// checkpointPages is how large the log of pages grows before it is copied
	// into the database: 32 MiB instead of 4. A page that many batches change is
	// then copied once, and its copying synced seldom.
	checkpointPages = 8192
	// maxLogBytes is where copying insists. The usual way gives up at the first
	// reader that is still at an older state, and while readers overlap the log
	// would grow for ever.
	maxLogBytes = 4 * checkpointPages * 4096
	lookAtLog   = time.Second
	// checkpointWait is how long it waits for readers, and all writes with it.
	checkpointWait = 200 * time.Millisecond
)

// checkpoint is called between two transactions. It copies the log of pages
// into the database where it has grown too large, or holds erased words.
func (w *writer) checkpoint() {
	now := time.Now()
	if !w.truncate && now.Sub(w.lookedAt) < lookAtLog {
		return
	}
	w.lookedAt = now
	mode := "RESTART"
	if w.truncate {
		mode = "TRUNCATE"
	} else if info, err := os.Stat(w.path + "-wal"); err != nil || info.Size() < maxLogBytes {
		return
	}
	busy, err := w.runCheckpoint(mode)
	switch {
	case err != nil:
		w.log.Error("checkpoint", "error", err)
	case !busy:
		w.truncate = false
	}
}

func (w *writer) runCheckpoint(mode string) (busy bool, err error) {
	ctx := context.Background()
	if _, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", checkpointWait.Milliseconds())); err != nil {
		return false, fmt.Errorf("set busy timeout: %w", err)
	}
	var blocked, pages, copied int
	err = w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&blocked, &pages, &copied)
	if _, restoreErr := w.conn.ExecContext(ctx, "PRAGMA busy_timeout = 5000"); err == nil {
		err = restoreErr
	}
	return blocked != 0, err
}
