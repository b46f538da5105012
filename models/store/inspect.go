package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"earshot/migrations"
)

// Inspection is what a look at a database found. Nothing is changed by one.
type Inspection struct {
	// Damage is what the database says is wrong with its own pages; empty if nothing.
	Damage []string
	// Version is the schema's, Newest what this program brings it up to.
	Version, Newest int64
	// Durable is nil where what is acknowledged is on disk.
	Durable error
	// LastChange is the newest time in any project's log; zero where there is none.
	LastChange time.Time
	// Now is what the database's own clock shows; zero where it has none.
	Now time.Time
	// LowLimits are those of its connections that are too low for a server.
	LowLimits []ConnectionLimit
	// secret is the note of which secret it was last used with; "" where there is none.
	secret string
}

// inspectedDamage bounds how much damage is told.
const inspectedDamage = 5

// Inspect looks at the database at path, also while a server uses it. An error means
// that it cannot be opened or read.
func Inspect(ctx context.Context, path string) (found Inspection, err error) {
	if IsPostgres(path) {
		return inspectPostgres(ctx, path)
	}
	db, err := sql.Open("sqlite3", readerDSN(path))
	if err != nil {
		return found, fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if found.Damage, err = damage(ctx, db); err != nil {
		return found, err
	}
	if len(found.Damage) > 0 { // whatever else it says means nothing
		return found, nil
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite())
	if err != nil {
		return found, fmt.Errorf("read migrations: %w", err)
	}
	sources := provider.ListSources()
	found.Newest = sources[len(sources)-1].Version
	// The provider would make its table where there is none.
	if err := db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&found.Version); err != nil {
		return found, fmt.Errorf("read the schema's version: %w", err)
	}
	var last sql.NullInt64
	if err := db.QueryRowContext(ctx, "SELECT MAX(at) FROM events").Scan(&last); err != nil {
		return found, fmt.Errorf("read the last change: %w", err)
	}
	if last.Valid {
		found.LastChange = fromMillis(last.Int64)
	}
	if found.secret, err = inspectSecret(ctx, db); err != nil {
		return found, err
	}
	found.Durable = durable(ctx, path)
	return found, nil
}

// damage asks for what a look at all pages shows, without comparing indexes with
// their tables (https://sqlite.org/pragma.html#pragma_quick_check).
func damage(ctx context.Context, db *sql.DB) (found []string, err error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA quick_check(%d)", inspectedDamage))
	if corruptSQLite(err) { // so much that it cannot even look
		return []string{err.Error()}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("check the database: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, fmt.Errorf("check the database: %w", err)
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	if err := rows.Err(); corruptSQLite(err) {
		return append(found, err.Error()), nil
	} else if err != nil {
		return nil, fmt.Errorf("check the database: %w", err)
	}
	return found, nil
}

// durable opens the database as the server does and asks what that comes to.
func durable(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", writerDSN(path))
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(checkDurability(ctx, conn), conn.Close(), db.Close())
}
