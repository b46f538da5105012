package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"maragu.dev/goqite"

	"earshot/models"
	"earshot/models/metrics"
	"earshot/models/trace"
)

const (
	// queueLength bounds the writes that wait. At 20,000 a second it is a fifth
	// of a second of work; whoever comes when it is full is told so at once.
	queueLength = 4096
	// maxBatch bounds one transaction. Beyond some hundreds a batch gains
	// nothing (the sync is shared well enough), and the first in it waits longer.
	maxBatch = 512
	// writeTimeout bounds the wait of one write, the disk's stalls included.
	writeTimeout = 15 * time.Second
)

// op is one write. apply may run more than once, each time in a transaction
// that knows nothing of the time before, and must leave its results to be read
// only after it was committed.
type op struct {
	apply func(*tx) error
	// clean promises that apply writes nothing when it returns an error that a
	// client may read. It saves a savepoint.
	clean bool
	done  chan error
	// submission is what apply does where it can be done together with others.
	submission *submissionOp
	// span is what the write is a part of, commit that of its last transaction; nil
	// where it is not traced.
	span, commit *trace.Span
}

// line is the connection that writes, with what is made for it.
type line struct {
	conn    *sql.Conn
	orm     *gorm.DB
	stmts   *statements
	queueDB *sql.DB
	jobs    *goqite.Queue
}

// close closes what there is.
func (l *line) close() (err error) {
	if l.queueDB != nil {
		err = l.queueDB.Close()
	}
	if l.stmts != nil {
		err = errors.Join(err, l.stmts.close())
	}
	if closeErr := l.conn.Close(); !errors.Is(closeErr, sql.ErrConnDone) { // it may have broken
		err = errors.Join(err, closeErr)
	}
	return err
}

// writer owns the one connection that writes.
type writer struct {
	*line
	// remote is how the line is made and used where it leads to PostgreSQL; nil in
	// SQLite.
	remote  *remote
	dialect dialect
	log     *slog.Logger
	now     func() time.Time
	publish func([]models.LogEntry)
	record  *headsRecord // nil until it is begun
	mails   bool
	// auditKey seals the audit log.
	auditKey []byte
	metrics  metrics.Writer
	queue    chan *op

	// The run goroutine's own.
	insistedAt   time.Time
	complainedAt time.Time
	warnedAt     time.Time
	// erased is what submissions may no longer know by heart.
	erased erasedSessions

	// owed is what to do to the write-ahead log after the next transaction;
	// commits counts them.
	owed    atomic.Int32
	commits atomic.Uint64
	// failedAt is when the last transaction failed, in Unix nanoseconds; 0 if it did
	// not.
	failedAt atomic.Int64

	mu     sync.RWMutex // guards closed against sends on queue
	closed bool
	ended  chan struct{}
}

func newWriter(ctx context.Context, db *gorm.DB, options Options) (*writer, error) {
	line, err := openLine(ctx, db)
	if err != nil {
		return nil, err
	}
	return startWriter(line, nil, options), nil
}

func startWriter(line *line, remote *remote, options Options) *writer {
	w := &writer{
		line: line, remote: remote, dialect: dialectOf(line.orm), log: options.Log, now: options.Now, publish: options.Publish,
		mails: options.Mails, auditKey: options.AuditKey, metrics: options.Metrics.Writer, queue: make(chan *op, queueLength), ended: make(chan struct{}),
	}
	go w.run()
	return w
}

func openLine(ctx context.Context, db *gorm.DB) (*line, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("open writer: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open writer: %w", err)
	}
	if err := checkDurability(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA wal_autocheckpoint = 0"); err != nil {
		return nil, errors.Join(fmt.Errorf("leave checkpoints to the checkpointer: %w", err), conn.Close())
	}
	stmts, err := prepare(ctx, conn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare statements: %w", err), conn.Close())
	}
	queueDB, err := openNested(conn, pool.Driver())
	if err != nil {
		return nil, errors.Join(err, stmts.close(), conn.Close())
	}
	return &line{conn: conn, orm: ormOn(db, conn), stmts: stmts, queueDB: queueDB, jobs: newQueue(queueDB, goqite.SQLFlavorSQLite)}, nil
}

// ormOn is gorm on a connection of its own.
func ormOn(db *gorm.DB, conn *sql.Conn) *gorm.DB {
	orm := db.Session(&gorm.Session{NewDB: true, Context: context.Background()})
	orm.Statement.ConnPool = conn
	return orm
}

// do queues a write and waits until it is on disk or has failed. An error
// without a code means that nothing was written, except where the wait ended
// first: then the outcome is unknown and the code is unavailable. After an error
// what apply wrote to must not be read: it may still be running.
func (w *writer) do(ctx context.Context, clean bool, apply func(*tx) error) error {
	return w.wait(ctx, &op{apply: apply, clean: clean, done: make(chan error, 1), span: trace.Of(ctx)})
}

func (w *writer) wait(ctx context.Context, o *op) error { return translate(w.result(ctx, o)) }

// result is wait in the database's own words.
func (w *writer) result(ctx context.Context, o *op) error {
	if err := w.enqueue(o); err != nil {
		return err
	}
	timer := time.NewTimer(writeTimeout)
	defer timer.Stop()
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
	case <-timer.C:
	}
	return errUnavailable
}

func (w *writer) enqueue(o *op) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errUnavailable
	}
	select {
	case w.queue <- o:
		return nil
	default:
		w.metrics.Refused.Inc()
		return errUnavailable
	}
}

func (w *writer) close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.ended
	return w.line.close()
}

// run commits batches until the queue is closed and empty. It waits for no
// timer: alone, a write is committed at once; under load, those that come
// during one commit share the next.
func (w *writer) run() {
	defer close(w.ended)
	batch := make([]*op, 0, maxBatch)
	for first := range w.queue {
		batch = w.collect(append(batch[:0], first))
		w.commit(batch)
		clear(batch)
		w.checkpoint()
	}
}

// collect adds what waits to a batch. Before each look it lets the goroutines run
// that are ready to: those who were just told of the last commit bring their next
// writes, which then share this one's sync. It goes on while they bring any.
func (w *writer) collect(batch []*op) []*op {
	for looked := 0; looked < len(batch) && len(batch) < maxBatch; {
		looked = len(batch)
		runtime.Gosched()
		batch = w.drain(batch)
	}
	return batch
}

func (w *writer) drain(batch []*op) []*op {
	for len(batch) < maxBatch {
		select {
		case o, ok := <-w.queue:
			if !ok {
				return batch
			}
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// commit applies a batch in one transaction. Where that fails as a whole, each
// write gets a transaction of its own, so that one bad row fails alone.
func (w *writer) commit(batch []*op) {
	results := make([]error, len(batch))
	began := time.Now()
	entries, err := w.transact(batch, results, began)
	w.count(batch, time.Since(began), err)
	if err != nil && len(batch) > 1 && !errors.Is(err, errOutOfReach) {
		if seldom(&w.warnedAt) {
			w.log.Warn("batch failed, writes go one by one", "writes", len(batch), "error", err)
		}
		for i := range batch {
			w.commit(batch[i : i+1])
		}
		return
	}
	if err == nil && w.publish != nil && len(entries) > 0 {
		w.publish(entries)
	}
	if err != nil {
		w.complain(err)
	}
	for i, o := range batch {
		o.endSpan(len(batch), errors.Join(results[i], err))
		o.done <- errors.Join(results[i], err)
	}
}

// count is for the metrics. Whether the last transaction failed, and when, says
// whether there is a point in more writes.
func (w *writer) count(batch []*op, took time.Duration, err error) {
	if err != nil {
		w.metrics.Failed.Inc()
		w.failedAt.Store(time.Now().UnixNano())
		return
	}
	w.failedAt.Store(0)
	w.metrics.Batch.Observe(float64(len(batch)))
	w.metrics.Seconds.Observe(took.Seconds())
}

// complain logs why the storage fails: clients are told only that it does.
func (w *writer) complain(err error) {
	if seldom(&w.complainedAt) {
		w.log.Error("write failed", "error", err)
	}
}

// seldom is true once a second. That is enough to see what is wrong, and a disk
// that is full has no room for more.
func seldom(last *time.Time) bool {
	now := time.Now()
	if now.Sub(*last) <= time.Second {
		return false
	}
	*last = now
	return true
}

// transact runs one transaction. Its error means that nothing was committed;
// results holds what single writes were refused for.
func (w *writer) transact(batch []*op, results []error, began time.Time) (entries []models.LogEntry, err error) {
	if w.remote != nil {
		return w.remote.transact(w, batch, results, began)
	}
	ctx := context.Background() // a cancelled caller must not undo its neighbours
	if _, err := w.stmts.begin.exec(); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil {
			// After a failed COMMIT the transaction may be gone already.
			_, _ = w.stmts.rollback.exec()
		}
	}()
	t := &tx{w: w, ctx: ctx, now: w.now(), heads: map[models.ID]*int64{}}
	for i, o := range batch {
		first := len(t.entries)
		o.commit = o.span.Child("commit", began)
		if results[i], err = t.applyOne(o); err != nil {
			return nil, err
		}
		o.mark(t.entries[first:])
	}
	if _, err := w.stmts.commit.exec(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	w.commits.Add(1)
	if w.record != nil {
		for project, last := range t.heads {
			w.record.note(project, *last)
		}
	}
	for _, tell := range t.committed {
		tell()
	}
	return t.entries, nil
}
