// Package store keeps Earshot's data. It is the only package that knows the
// database.
//
// One goroutine writes: it takes all writes that wait, applies them in one
// transaction, and answers each after the commit is on disk. Reads go through a
// pool of their own and never wait for it. Every change of a project's data is
// also a row of the project's log, written in the same transaction with the
// next seq, so that the order of commits is the order of the log.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3" // registers the driver that DSNs below name
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"earshot/models"
)

// readTimeout bounds every read; a list at a million rows takes milliseconds.
const readTimeout = 10 * time.Second

// Options is what a Store needs from outside.
type Options struct {
	// Path is the SQLite file. Its folder must exist.
	Path string
	Log  *slog.Logger
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Publish is told of every committed change, in commit order, by the one
	// goroutine that commits: it must return at once. May be nil.
	Publish func([]models.LogEntry)

	// window is replayWindow, but in tests.
	window window
}

// Store is open storage. All methods may be called from any goroutine.
type Store struct {
	log    *slog.Logger
	now    func() time.Time
	read   *gorm.DB
	write  *gorm.DB
	writer *writer
	// What follows the writer in the background.
	checkpoints *checkpointer
	search      *searchProjection
	removals    *remover
	retention   *retention
	record      *headsRecord
	epoch       models.Epoch
	path        string

	projectsMu sync.RWMutex
	byKey      map[string]*models.Project
	// projectsGeneration counts the changes that byKey has seen.
	projectsGeneration uint64
}

// Open opens the database at options.Path, which Schema.Up has brought up to
// date, and starts its writer. The caller closes it.
func Open(ctx context.Context, options Options) (*Store, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Store{log: options.Log, now: options.Now, path: options.Path, byKey: map[string]*models.Project{}}
	var err error
	if s.write, err = open(writerDSN(options.Path), 1); err != nil {
		return nil, err
	}
	if s.read, err = open(readerDSN(options.Path), max(4, runtime.NumCPU())); err != nil {
		return nil, errors.Join(err, closeDB(s.write))
	}
	if s.writer, err = newWriter(ctx, s.write, options); err != nil {
		return nil, errors.Join(err, closeDB(s.read), closeDB(s.write))
	}
	if s.epoch, err = s.loadEpoch(ctx); err == nil {
		err = s.refuseOlder(ctx)
	}
	if err == nil {
		err = s.startRecord(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.checkpoints, err = startCheckpointer(ctx, options.Path, s.writer, options.Log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.search = startSearchProjection(s)
	s.removals = startRemover(s)
	if options.window == (window{}) {
		options.window = replayWindow
	}
	s.retention = startRetention(s, options.window)
	return s, nil
}

// Close lets the writer commit what waits, then closes the database. Writes
// that come later are refused.
func (s *Store) Close() error {
	if s.search != nil {
		s.search.stop()
	}
	if s.removals != nil {
		s.removals.stop()
	}
	if s.retention != nil {
		s.retention.stop()
	}
	err := s.writer.close()
	if s.record != nil {
		err = errors.Join(err, s.record.close())
	}
	if s.checkpoints != nil {
		err = errors.Join(err, s.checkpoints.stop())
	}
	return errors.Join(err, closeDB(s.read), closeDB(s.write))
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var one int
	return translate(s.read.WithContext(ctx).Raw("SELECT 1 FROM meta LIMIT 1").Scan(&one).Error)
}

const (
	// writerCacheKiB keeps the pages that submissions touch again and again in
	// memory: with SQLite's default of 2 MiB each batch reads them anew.
	writerCacheKiB = 16 << 10
	// busyTimeout is how long a statement waits for another process.
	busyTimeout = 5 * time.Second
)

// The DSN options are per connection: a setting made by a statement would be
// lost with the connection it was made on. FULL makes every commit wait for its
// fsync; the driver's own default under WAL is NORMAL.
func writerDSN(path string) string {
	return "file:" + escapePath(path) +
		"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_foreign_keys=on&_secure_delete=on" +
		"&_busy_timeout=" + strconv.FormatInt(busyTimeout.Milliseconds(), 10) +
		"&_cache_size=-" + strconv.Itoa(writerCacheKiB)
}

func readerDSN(path string) string {
	return "file:" + escapePath(path) + "?mode=ro&_query_only=on&_busy_timeout=5000&_foreign_keys=on"
}

// escapePath makes a path fit for a file: URI, whose "?", "#" and "%" would
// otherwise end or change it.
func escapePath(path string) string {
	return (&url.URL{Path: path}).EscapedPath()
}

func open(dsn string, connections int) (*gorm.DB, error) {
	db, err := gorm.Open(sqlite.Open(dsn), &gorm.Config{
		Logger:                 logger.Discard, // errors are returned, and logged by who answers them
		SkipDefaultTransaction: true,
		TranslateError:         false, // translate needs the driver's own code
		NowFunc:                func() time.Time { return time.Now().UTC() },
	})
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return db, nil
}

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// checkDurability refuses a connection that would acknowledge what is not on
// disk.
func checkDurability(ctx context.Context, conn *sql.Conn) error {
	var journal string
	var synchronous int
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return fmt.Errorf("read journal mode: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("read synchronous: %w", err)
	}
	const full = 2 // https://www.sqlite.org/pragma.html#pragma_synchronous
	if journal != "wal" || synchronous != full {
		return fmt.Errorf("the database is not durable: journal_mode=%s synchronous=%d, want wal and %d", journal, synchronous, full)
	}
	return nil
}

// scoped is a read inside a tenant's walls. The zero scope is refused.
func (s *Store) scoped(ctx context.Context, scope models.Scope) (*gorm.DB, error) {
	if scope.Organization() == "" {
		return nil, errors.New("query without a tenant scope")
	}
	return s.read.WithContext(ctx), nil
}

func (s *Store) millis() int64 { return s.now().UnixMilli() }

// Exists reports whether a database is at path already.
func Exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}
