package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"github.com/pressly/goose/v3"

	"earshot/migrations"
	"earshot/models"
)

// Copied says what a copy of the database was made of.
type Copied struct {
	// Epoch was the original's; the copy has none.
	Epoch models.Epoch
	// Schema is the version of the schema.
	Schema int64
	// Heads is where the logs of the projects end, by project.
	Heads map[models.ID]int64
}

// Backup writes a consistent copy of the database to a new file while others
// read and write, and opens the copy to check it.
func Backup(ctx context.Context, path, target string) (Copied, error) {
	if IsPostgres(path) {
		return Copied{}, errors.New("of PostgreSQL its own programs make copies: pg_dump --format=custom --file=FILE, and pg_restore")
	}
	if !Exists(path) {
		return Copied{}, fmt.Errorf("there is no database at %s", path)
	}
	// A connection that may only read cannot write the copy either.
	db, err := sql.Open("sqlite3", "file:"+escapePath(path)+"?mode=rw&_busy_timeout=5000")
	if err != nil {
		return Copied{}, fmt.Errorf("open database: %w", err)
	}
	epoch, err := vacuumInto(ctx, db, target)
	if err := errors.Join(err, db.Close()); err != nil {
		return Copied{}, fmt.Errorf("backup: %w", translateCopying(err))
	}
	copied, err := Examine(ctx, target)
	copied.Epoch = epoch
	return copied, err
}

// translateCopying says in one word what SQLite says in several.
func translateCopying(err error) error {
	if readable := translateSQLite(err); models.CodeOf(readable) == models.CodeStorageFull {
		return errors.New("there is no room left for a copy of the database")
	}
	return err
}

// vacuumInto writes a copy that only its owner may read: it has everybody's
// feedback in it. SQLite takes an empty file for a new one.
func vacuumInto(ctx context.Context, db *sql.DB, target string) (epoch models.Epoch, err error) {
	file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names it
	if errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("%s exists already", target)
	}
	if err != nil {
		return "", err
	}
	if err := file.Close(); err != nil {
		return "", err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", target)
	if err == nil {
		epoch, err = finishCopy(ctx, target)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(target))
	}
	return epoch, nil
}

// finishCopy takes the epoch out, so that a database restored from the copy
// starts a new one: what it numbers from there on is not what others have seen.
// Then it brings the copy to disk, which VACUUM INTO leaves to the system.
func finishCopy(ctx context.Context, path string) (epoch models.Epoch, err error) {
	db, err := sql.Open("sqlite3", "file:"+escapePath(path)+"?mode=rw&_synchronous=FULL")
	if err != nil {
		return "", err
	}
	err = db.QueryRowContext(ctx, "DELETE FROM meta WHERE name = ? RETURNING value", metaEpoch).Scan(&epoch)
	if errors.Is(err, sql.ErrNoRows) { // it was never opened
		err = nil
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator names it
	if err != nil {
		return "", err
	}
	return epoch, errors.Join(file.Sync(), file.Close())
}

// Examine checks a copy, all of it, and says what is in it.
func Examine(ctx context.Context, path string) (Copied, error) {
	db, err := sql.Open("sqlite3", readerDSN(path))
	if err != nil {
		return Copied{}, fmt.Errorf("open the copy: %w", err)
	}
	copied, err := examine(ctx, db)
	if err := errors.Join(err, db.Close()); err != nil {
		return Copied{}, fmt.Errorf("check the copy: %w", err)
	}
	return copied, nil
}

func examine(ctx context.Context, db *sql.DB) (c Copied, err error) {
	if err := checkIntegrity(ctx, db); err != nil {
		return c, err
	}
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&c.Schema); err != nil {
		return c, err
	}
	rows, err := db.QueryContext(ctx, "SELECT p.id, "+lastSeq+" FROM projects AS p")
	if err != nil {
		return c, err
	}
	defer func() { _ = rows.Close() }()
	for c.Heads = map[models.ID]int64{}; rows.Next(); {
		var project models.ID
		var head int64
		if err := rows.Scan(&project, &head); err != nil {
			return c, err
		}
		c.Heads[project] = head
	}
	return c, rows.Err()
}

func checkIntegrity(ctx context.Context, db *sql.DB) error {
	var answer string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&answer); err != nil {
		return err
	}
	if answer != "ok" {
		return errors.New(answer)
	}
	return nil
}

// CopiedAttachments gives the sizes of the files that a copy speaks of.
func CopiedAttachments(ctx context.Context, path string) iter.Seq2[models.Attachment, error] {
	return func(yield func(models.Attachment, error) bool) {
		err := func() error {
			db, err := sql.Open("sqlite3", readerDSN(path))
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			var has bool // an older schema may have none
			err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'attachments')").Scan(&has)
			if err != nil || !has {
				return err
			}
			rows, err := db.QueryContext(ctx, "SELECT id, size FROM attachments ORDER BY id")
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				var a models.Attachment
				if err := rows.Scan(&a.ID, &a.Size); err != nil {
					return err
				}
				if !yield(a, nil) {
					return nil
				}
			}
			return rows.Err()
		}()
		if err != nil {
			yield(models.Attachment{}, fmt.Errorf("read the copy's attachments: %w", err))
		}
	}
}

// NewestSchema is the schema's version that this program brings.
func NewestSchema() (int64, error) {
	names, err := fs.Glob(migrations.SQLite(), "*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("read migrations: %w", err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}

// HasAttachment reports whether a database knows a file, without opening it as a
// server does.
func HasAttachment(ctx context.Context, path string, id models.ID) (known bool, err error) {
	db, err := sql.Open("sqlite3", readerDSN(path))
	if err != nil {
		return false, fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM attachments WHERE id = ?)", id).Scan(&known); err != nil {
		return false, fmt.Errorf("look for an attachment: %w", err)
	}
	return known, nil
}
