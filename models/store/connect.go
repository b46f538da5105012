package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // registers the driver that DSNs below name
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

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
	return openWith(sqlite.Open(dsn), connections)
}

func openWith(dialector gorm.Dialector, connections int) (*gorm.DB, error) {
	db, err := gorm.Open(dialector, &gorm.Config{
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

// searching makes connections that see a database and its search index, and
// change neither.
type searching struct {
	driver driver.Driver
	path   string
}

func (c searching) Driver() driver.Driver { return c.driver }

func (c searching) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(readerDSN(c.path))
	if err != nil {
		return nil, err
	}
	index := "file:" + escapePath(searchPath(c.path)) + "?mode=ro"
	// A path in an ATTACH is a string of SQL.
	attach := "ATTACH DATABASE '" + strings.ReplaceAll(index, "'", "''") + "' AS search"
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("the driver runs no statements"), conn.Close())
	}
	if _, err := execer.ExecContext(ctx, attach, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("attach the search index: %w", err), conn.Close())
	}
	return conn, nil
}

// openReaders opens connections for reading. With the search index they find
// what it has; its file must exist.
func openReaders(path string, withSearch bool) (*gorm.DB, error) {
	connections := max(4, runtime.NumCPU())
	plain, err := open(readerDSN(path), connections)
	if err != nil || !withSearch {
		return plain, err
	}
	pool, err := plain.DB()
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = pool.Close() }()
	return openWith(sqlite.New(sqlite.Config{Conn: sql.OpenDB(searching{driver: pool.Driver(), path: path})}), connections)
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
