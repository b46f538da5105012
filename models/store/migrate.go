package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pressly/goose/v3"

	"earshot/migrations"
)

// Migration is one step of the schema's history.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero where it is pending
}

// Schema changes the schema of the database at a path or an address. It is for use while no
// Store has the database open.
type Schema struct {
	path     string
	db       *sql.DB
	provider *goose.Provider
}

// OpenSchema prepares the schema's history. A database that a newer program
// wrote is refused before anything is changed.
func OpenSchema(ctx context.Context, path string) (*Schema, error) {
	if IsPostgres(path) {
		return openPostgresSchema(ctx, path)
	}
	if err := keepPrivate(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", writerDSN(path))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.SQLite())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read migrations: %w", err), db.Close())
	}
	s := &Schema{path: path, db: db, provider: provider}
	if err := s.refuseNewer(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// keepPrivate lets only the owner read the database, whatever the folder and
// the umask allow. The files that SQLite puts beside it take its mode.
func keepPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own folder
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return errors.Join(file.Chmod(0o600), file.Close())
}

// Close closes the database.
func (s *Schema) Close() error { return s.db.Close() }

func (s *Schema) refuseNewer(ctx context.Context) error {
	if !Exists(s.path) {
		return nil
	}
	version, err := s.provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	sources := s.provider.ListSources()
	if newest := sources[len(sources)-1].Version; version > newest {
		return fmt.Errorf("the database has schema version %d and this program knows %d: use a newer earshot", version, newest)
	}
	return nil
}

// Up brings the schema up to date. Where there is data already, a copy of the
// database is kept beside it first; its path is returned. Of PostgreSQL there is no
// copy: a migration that fails is undone as a whole.
func (s *Schema) Up(ctx context.Context) (backup string, err error) {
	if IsPostgres(s.path) {
		return "", s.upPostgres(ctx)
	}
	pending, err := s.provider.HasPending(ctx)
	if err != nil {
		return "", fmt.Errorf("read the schema's version: %w", err)
	}
	if !pending {
		return "", nil
	}
	version, err := s.provider.GetDBVersion(ctx)
	if err != nil {
		return "", fmt.Errorf("read the schema's version: %w", err)
	}
	if version > 0 {
		if backup, err = s.copy(ctx, version); err != nil {
			return "", err
		}
	}
	if _, err := s.provider.Up(ctx); err != nil {
		return backup, fmt.Errorf("migrate up: %w", err)
	}
	return backup, nil
}

// copy keeps the database as it is beside itself, and gives the copy's path.
func (s *Schema) copy(ctx context.Context, version int64) (string, error) {
	path := fmt.Sprintf("%s.before-%d-%s", s.path, version, time.Now().UTC().Format("20060102T150405.000"))
	_, err := vacuumInto(ctx, s.db, path)
	if err == nil {
		_, err = Examine(ctx, path)
	}
	if err != nil {
		return "", fmt.Errorf("copy the database before migrating: %w", err)
	}
	return path, nil
}

// Down undoes the newest migration, after a copy of the database was kept
// beside it, and returns it; nil where there is none.
func (s *Schema) Down(ctx context.Context) (undone *Migration, backup string, err error) {
	version, err := s.provider.GetDBVersion(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("read the schema's version: %w", err)
	}
	if version == 0 {
		return nil, "", nil
	}
	if IsPostgres(s.path) {
		err = s.exclusively(ctx, func() error {
			undone, err = s.undo(ctx)
			return err
		})
		return undone, "", err
	}
	if backup, err = s.copy(ctx, version); err != nil {
		return nil, "", err
	}
	undone, err = s.undo(ctx)
	return undone, backup, err
}

func (s *Schema) undo(ctx context.Context) (*Migration, error) {
	result, err := s.provider.Down(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate down: %w", err)
	}
	return &Migration{Version: result.Source.Version, Name: result.Source.Path}, nil
}

// Status lists all migrations, oldest first.
func (s *Schema) Status(ctx context.Context) ([]Migration, error) {
	states, err := s.provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema's version: %w", err)
	}
	list := make([]Migration, len(states))
	for i, state := range states {
		list[i] = Migration{Version: state.Source.Version, Name: state.Source.Path, AppliedAt: state.AppliedAt}
	}
	return list, nil
}
