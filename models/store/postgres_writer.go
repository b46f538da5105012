package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
	"maragu.dev/goqite"

	"earshot/models"
)

// Several nodes write to one PostgreSQL database, each with one goroutine and one
// connection. What keeps them apart:
//
// One advisory lock is held to the end of each transaction. Submissions share it, so
// that nodes take them in side by side; everything else has it alone. So all other
// writes see the database as the one writer of SQLite does, whatever they look at
// before they write, and none of them meets another.
//
// Under it, submissions lock the rows of their projects, in the order of their ids:
// none waits for somebody who waits for it. A seq is given out under the project's
// lock, which is held until the commit can be seen, so a log's numbers are in the
// order of its commits whoever writes it.

const (
	// remoteTransaction bounds one try of a transaction, and remoteTries and
	// remotePatience all of them: the callers wait for writeTimeout at most.
	remoteTransaction = 8 * time.Second
	remoteTries       = 5
	remotePatience    = 10 * time.Second
	// remoteRest is for how long nothing is tried after a connection could not be
	// made: what comes meanwhile is told so at once.
	remoteRest = time.Second
	// longestPause bounds the pause before another try; it is drawn at random, so
	// that two who met do not meet again.
	longestPause = 50 * time.Millisecond
)

var (
	// errMetOthers: what was looked at before has changed meanwhile.
	errMetOthers = errors.New("another node was faster")
	// errOutOfReach: the server cannot be reached, so that trying each write of a
	// batch by itself is in vain.
	errOutOfReach = errors.New("PostgreSQL is out of reach")
)

// remote is the writer's way to PostgreSQL.
type remote struct {
	log *slog.Logger
	db  *gorm.DB // one connection
	pg  *pgx.Conn
	// ctx is that of the transaction that is open.
	ctx context.Context //nolint:containedctx // statements of the line have no other way to it
	// node is ours in the table writers, and written the number of our newest try of a
	// transaction, which is in that table if it was committed.
	node    models.ID
	written int64
	// setEpoch is told of the epoch of the database that the line leads to.
	setEpoch func(models.Epoch)
	// broken: the line is of no use and has to be made anew, not before restUntil.
	broken    bool
	restUntil time.Time
}

func newRemoteWriter(ctx context.Context, db *gorm.DB, setEpoch func(models.Epoch), options Options) (*writer, error) {
	r := &remote{log: options.Log, db: db, node: models.NewID(), setEpoch: setEpoch}
	line, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	return startWriter(line, r, options), nil
}

// open makes a line.
func (r *remote) open(ctx context.Context) (l *line, err error) {
	pool, err := r.db.DB()
	if err != nil {
		return nil, fmt.Errorf("open writer: %w", err)
	}
	l = &line{}
	if l.conn, err = pool.Conn(ctx); err != nil {
		return nil, fmt.Errorf("open writer: %w", err)
	}
	if err := l.conn.Raw(func(raw any) error {
		driverConn, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a %T is no connection to PostgreSQL", raw)
		}
		r.pg = driverConn.Conn()
		return nil
	}); err != nil {
		return nil, errors.Join(err, l.conn.Close())
	}
	if err := r.prepare(ctx, l.conn); err != nil {
		return nil, errors.Join(err, l.conn.Close())
	}
	l.orm, l.stmts = ormOn(r.db, l.conn), r.statements()
	if l.queueDB, err = openNested(l.conn, pool.Driver()); err != nil {
		return nil, errors.Join(err, l.conn.Close())
	}
	l.jobs = newQueue(l.queueDB, goqite.SQLFlavorPostgreSQL)
	return l, nil
}

// prepare makes a new connection one to write with. After a fail-over an address may
// lead to a standby for a while.
func (r *remote) prepare(ctx context.Context, conn *sql.Conn) error {
	var writes bool
	err := conn.QueryRowContext(ctx, "SELECT current_setting('transaction_read_only') = 'off'").Scan(&writes)
	if err != nil {
		return fmt.Errorf("ask whether the database can be written to: %w", err)
	}
	if !writes {
		return errReadOnly
	}
	if err := r.insistOnDisk(ctx, conn); err != nil {
		return err
	}
	return r.settleEpoch(ctx)
}

// insistOnDisk has commits wait until they are on the server's disk, and says so where
// its operator has decided otherwise for the whole server.
func (r *remote) insistOnDisk(ctx context.Context, conn *sql.Conn) error {
	var commits, fsync, pages string
	err := conn.QueryRowContext(ctx, `SELECT CASE current_setting('synchronous_commit')
		WHEN 'off' THEN set_config('synchronous_commit', 'on', false) ELSE current_setting('synchronous_commit') END,
		current_setting('fsync'), current_setting('full_page_writes')`).Scan(&commits, &fsync, &pages)
	if err == nil && commits == "off" {
		err = errors.New("the database is not durable: synchronous_commit stays off")
	}
	if err != nil {
		return fmt.Errorf("have commits wait for the disk: %w", err)
	}
	if fsync != "on" || pages != "on" {
		r.log.Warn("the PostgreSQL server runs without a safety of its own: what it acknowledges can be lost with its power",
			"fsync", fsync, "full_page_writes", pages)
	}
	return nil
}

// mend makes the line anew where it broke.
func (r *remote) mend(ctx context.Context, w *writer) error {
	if !r.broken {
		return nil
	}
	if wait := time.Until(r.restUntil); wait > 0 {
		return errOutOfReach
	}
	// What is left of the old one must not go back to the pool.
	_ = w.conn.Raw(func(any) error { return errBadConn })
	_ = w.line.close()
	fresh, err := r.open(ctx)
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) || errors.Is(err, errReadOnly) {
		r.restUntil = time.Now().Add(remoteRest)
		err = fmt.Errorf("%w: %w", errOutOfReach, err)
	}
	if err != nil { // the line that was closed answers everything with an error
		return err
	}
	w.line, r.broken = fresh, false
	return nil
}

// transact runs a batch in one transaction, and tries again where that is safe: what
// was not committed has left nothing, and of what may have been the server knows.
func (r *remote) transact(w *writer, batch []*op, results []error, began time.Time) (entries []models.LogEntry, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), remotePatience)
	defer cancel()
	for _, o := range batch {
		o.commit = o.span.Child("commit", began)
	}
	for try := 1; ; try++ {
		clear(results)
		var t *tx
		if t, err = r.try(ctx, w, batch, results); err == nil {
			w.commits.Add(1)
			for _, tell := range t.committed {
				tell()
			}
			return t.entries, nil
		}
		if lost(err) {
			r.broken = true
		}
		if !passing(err) && !lost(err) || errors.Is(err, errOutOfReach) || try == remoteTries || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(longestPause)): //nolint:gosec // no secret
		}
	}
	if lost(err) || ctx.Err() != nil || passing(err) || stuck(err) {
		err = fmt.Errorf("%w: %w", errOutOfReach, err)
	}
	return nil, err
}

// try runs one transaction. Without an error it is committed.
func (r *remote) try(ctx context.Context, w *writer, batch []*op, results []error) (t *tx, err error) {
	if err := r.mend(ctx, w); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTransaction)
	defer cancel()
	r.ctx = ctx
	defer func() {
		if err != nil {
			r.rollback()
		}
	}()
	t = &tx{w: w, ctx: ctx, now: w.now(), heads: map[models.ID]*int64{}}
	if err := r.begin(ctx, t, batch); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	for i := 0; i < len(batch); {
		if end := i + together(batch[i:]); end > i {
			if err := r.submit(t, batch[i:end], results[i:end]); err != nil {
				return nil, err
			}
			i = end
			continue
		}
		first := len(t.entries)
		if results[i], err = t.applyOne(batch[i]); err != nil {
			return nil, err
		}
		batch[i].mark(t.entries[first:])
		i++
	}
	return t, r.commit(ctx, w)
}

// rollback ends a transaction that failed. Where that fails, too, the line is made
// anew, and the server ends the transaction with the connection.
func (r *remote) rollback() {
	ctx, cancel := context.WithTimeout(context.Background(), remoteRest)
	defer cancel()
	_, err := r.pg.Exec(ctx, "ROLLBACK")
	r.broken = r.broken || err != nil
}

// together is how many writes from the first on are submissions.
func together(batch []*op) int {
	n := slices.IndexFunc(batch, func(o *op) bool { return o.submission == nil })
	if n < 0 {
		return len(batch)
	}
	return n
}

// begin opens the transaction, takes its locks, and notes its number.
func (r *remote) begin(ctx context.Context, t *tx, batch []*op) error {
	lock := "SELECT pg_advisory_xact_lock($1)"
	if together(batch) == len(batch) {
		lock = "SELECT pg_advisory_xact_lock_shared($1)"
	}
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	b.Queue(lock, int64(lockOfWriters))
	r.written++
	b.Queue("INSERT INTO writers (id, written, at) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET written = excluded.written, at = excluded.at",
		string(r.node), r.written, t.now.UnixMilli())
	t.lockProjects(b, batch)
	return r.pg.SendBatch(ctx, b).Close()
}

// commit ends the transaction. Where the connection broke meanwhile, the server is
// asked what became of it.
func (r *remote) commit(ctx context.Context, w *writer) error {
	tag, err := r.pg.Exec(ctx, "COMMIT")
	if err == nil {
		if tag.String() != "COMMIT" { // it had failed before
			return fmt.Errorf("commit: the server answers %s", tag)
		}
		return nil
	}
	if !lost(err) && ctx.Err() == nil {
		return fmt.Errorf("commit: %w", err)
	}
	r.broken = true
	committed, askErr := r.outcome(w)
	if askErr != nil {
		// Nobody may try again, nor be told that it failed: it may not have.
		return fmt.Errorf("%w: the outcome of a commit is not known: %w", errOutOfReach, errors.Join(err, askErr))
	}
	if committed {
		return nil
	}
	return fmt.Errorf("commit: %w", err)
}

// outcome asks over a new connection whether our newest transaction was committed. It
// waits for one that is not at its end: that holds the lock of our row. Numbers of the
// server's own would not do: after a crash it gives some out again.
func (r *remote) outcome(w *writer) (committed bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), remotePatience)
	defer cancel()
	for {
		if err = r.mend(ctx, w); err == nil {
			var written int64
			err = r.pg.QueryRow(ctx, "SELECT written FROM writers WHERE id = $1 FOR UPDATE", string(r.node)).Scan(&written)
			if err == nil || errors.Is(err, pgx.ErrNoRows) {
				return err == nil && written == r.written, nil
			}
			r.broken = r.broken || lost(err)
		}
		select {
		case <-ctx.Done():
			return false, errors.Join(ctx.Err(), err)
		case <-time.After(longestPause):
		}
	}
}
