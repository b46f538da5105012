// Package operator is what the person who runs the server can do from the
// command line: the schema, users, backups.
package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/backup"
	"earshot/models/blob"
	"earshot/models/jobs"
	"earshot/models/store"
)

const (
	databaseFile = "earshot.db"
	secretFile   = "secret"
	// elsewhereFile is there where the data is in PostgreSQL.
	elsewhereFile = "on-postgresql"
	// Only the operator's own account reads what is in the folder.
	dirMode  = 0o700
	fileMode = 0o600
)

// exportFolder is where the files of exports are, attachmentFolder where visitors' are.
const (
	exportFolder     = "exports"
	attachmentFolder = "attachments"
)

// Exports is the folder for the files of exports.
func (d Data) Exports() string { return filepath.Join(d.Dir, exportFolder) }

// jobFiles is where jobs have their files.
func (d Data) jobFiles() (files jobs.Files, err error) {
	files.Folder = d.Exports()
	if d.Files != (blob.Location{}) {
		files.Shared, err = blob.Open(d.Files, d.FilesCredentials)
	}
	return files, err
}

// Attachments is the folder of visitors' files.
func (d Data) Attachments() string { return filepath.Join(d.Dir, attachmentFolder) }

// Data is the folder with everything that a server keeps.
type Data struct {
	Dir string
	// Database is the address of a PostgreSQL database; "" where it is a file in the
	// folder.
	Database string
	// Configured is the secret of the settings; "" where it is in the folder.
	Configured string
	// Files is where attachments are; zero for the folder.
	Files            blob.Location
	FilesCredentials blob.Credentials
	Out              io.Writer
	Log              *slog.Logger
}

// Path is the database's file, or its address.
func (d Data) Path() string { return cmp.Or(d.Database, filepath.Join(d.Dir, databaseFile)) }

// Prepare makes the folder and keeps others out of it, or says in one line why
// it cannot be written to.
func (d Data) Prepare() error {
	if err := os.MkdirAll(d.Dir, dirMode); err != nil {
		return fmt.Errorf("EARSHOT_DATA: the data folder cannot be made: %w", err)
	}
	if err := d.keepPrivate(); err != nil {
		return fmt.Errorf("EARSHOT_DATA: the data folder %s: %w", d.Dir, err)
	}
	if d.Database != "" {
		if err := os.WriteFile(filepath.Join(d.Dir, elsewhereFile), []byte("The data of this folder's server is in PostgreSQL (EARSHOT_DATABASE_URL).\n"), fileMode); err != nil {
			return fmt.Errorf("EARSHOT_DATA: the data folder %s cannot be written to: %w", d.Dir, errors.Unwrap(err))
		}
	} else if err := d.isHere(); err != nil {
		return err
	}
	probe, err := os.CreateTemp(d.Dir, ".write-test-*")
	if err != nil {
		return fmt.Errorf("EARSHOT_DATA: the data folder %s cannot be written to: %w", d.Dir, errors.Unwrap(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// isHere refuses to look for a database in the folder of a server that has its data in
// PostgreSQL: there would be none, or an old one.
func (d Data) isHere() error {
	path := filepath.Join(d.Dir, elsewhereFile)
	if d.Database != "" || !exists(path) {
		return nil
	}
	return fmt.Errorf("the data of this folder's server is in PostgreSQL: set EARSHOT_DATABASE_URL and EARSHOT_SECRET as the server has them "+
		"(to have it in the folder from now on, remove %s)", path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// keepPrivate takes other accounts' access to a folder that was there before. One
// with other things in it, such as somebody's home, is not ours to close: there
// the files' own modes have to do.
func (d Data) keepPrivate() error {
	info, err := os.Stat(d.Dir)
	if err != nil || info.Mode().Perm()&^dirMode == 0 {
		return err
	}
	ours, err := d.holdsNothingElse()
	if err != nil {
		return err
	}
	if ours && info.Mode()&os.ModeSticky == 0 && os.Chmod(d.Dir, dirMode) == nil {
		return nil
	}
	d.Log.Warn("others can look into the data folder: give Earshot one of its own, with mode 0700", "folder", d.Dir, "mode", info.Mode().Perm())
	return nil
}

// holdsNothingElse reports whether the folder is empty, or has a database and
// nothing that Earshot did not put beside it.
func (d Data) holdsNothingElse() (bool, error) {
	entries, err := os.ReadDir(d.Dir)
	database := false
	for _, entry := range entries {
		switch name := entry.Name(); {
		case name == databaseFile:
			database = true
		case strings.HasPrefix(name, databaseFile), name == secretFile, name == elsewhereFile: // -wal, -shm, copies
		case name == exportFolder, name == attachmentFolder, name == "lost+found": // where a file system begins
		case backup.IsWork(name):
		default:
			return false, err
		}
	}
	return database || d.Database != "" || len(entries) == 0, err
}

// Secret is the configured one or, where that is "", the one in the data folder, which
// is made before there is a database. One that is gone is not made anew in silence: all
// that was signed and sealed with it would end.
func (d Data) Secret() ([]byte, error) {
	secret, err := d.knownSecret()
	if err != nil || secret != nil {
		return secret, err
	}
	if store.Exists(d.Path()) {
		return nil, fmt.Errorf("there is a database in %s and not the secret that belongs to it: set EARSHOT_SECRET if it was set before, or restore the file %s from a backup "+
			"(to go on with a new one, which ends sessions, receipts' links and second factors: openssl rand -hex 32 > %s, then earshot secret adopt)", d.Dir, secretFile, filepath.Join(d.Dir, secretFile))
	}
	return d.makeSecret()
}

// AdoptSecret is the command "secret adopt": the database belongs to the secret that
// there is, whichever it had before.
func (d Data) AdoptSecret(ctx context.Context) error {
	if err := d.mustExist(); err != nil {
		return err
	}
	return d.locked(func() error {
		return d.openStore(ctx, true, func(*store.Store) error {
			d.printf("The database belongs to the secret in %s now. What was signed with another one is at an end.\n", d.secretPlace())
			return nil
		})
	})
}

func (d Data) makeSecret() ([]byte, error) {
	secret := []byte(models.NewToken())
	if err := os.WriteFile(filepath.Join(d.Dir, secretFile), append(secret, '\n'), fileMode); err != nil {
		return nil, fmt.Errorf("the secret in the data folder: %w", err)
	}
	return secret, nil
}

// knownSecret is the secret that there is; nil where there is none.
func (d Data) knownSecret() ([]byte, error) {
	if d.Configured != "" {
		return []byte(d.Configured), nil
	}
	path := filepath.Join(d.Dir, secretFile)
	content, err := os.ReadFile(path) //nolint:gosec // the operator's own folder
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the secret in the data folder: %w", err)
	}
	secret := strings.TrimSpace(string(content))
	if len(secret) < models.TokenLength {
		return nil, fmt.Errorf("the secret in %s is too short: restore it from a backup", path)
	}
	return []byte(secret), nil
}

// Migrate brings the schema up to date. The secret is there before the database is.
func (d Data) Migrate(ctx context.Context) (err error) {
	if err := d.isHere(); err != nil {
		return err
	}
	if _, err := d.Secret(); err != nil {
		return err
	}
	schema, err := store.OpenSchema(ctx, d.Path())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, schema.Close()) }()
	backup, err := schema.Up(ctx)
	if backup != "" && err == nil {
		d.Log.Info("the database was copied before its schema changed", "copy", filepath.Base(backup))
	}
	return err
}

// MigrateUp is the command "migrate up".
func (d Data) MigrateUp(ctx context.Context) error {
	if d.Database == "" {
		if err := d.Prepare(); err != nil {
			return err
		}
	}
	if err := d.locked(func() error { return d.Migrate(ctx) }); err != nil {
		return err
	}
	return d.MigrateStatus(ctx)
}

// MigrateDown is the command "migrate down". SQLite's database is copied before;
// copied says that somebody has made a copy where that is not possible.
func (d Data) MigrateDown(ctx context.Context, copied bool) error {
	if d.Database != "" && !copied {
		return errors.New("a migration that is undone takes with it what it made room for, and here no copy is made before: " +
			"stop all servers, make one with pg_dump --format=custom, and say --copied")
	}
	if err := d.mustExist(); err != nil {
		return err
	}
	return d.locked(func() error { return d.withSchema(ctx, d.undo(ctx)) })
}

func (d Data) undo(ctx context.Context) func(*store.Schema) error {
	return func(schema *store.Schema) error {
		undone, backup, err := schema.Down(ctx)
		if err != nil {
			return err
		}
		if undone == nil {
			d.printf("There is no migration to undo.\n")
			return nil
		}
		d.printf("Undone: %d %s\n", undone.Version, undone.Name)
		if backup != "" {
			d.printf("The database as it was before: %s\n", backup)
		}
		return nil
	}
}

// MigrateStatus is the command "migrate status".
func (d Data) MigrateStatus(ctx context.Context) error {
	return d.withSchema(ctx, func(schema *store.Schema) error {
		list, err := schema.Status(ctx)
		if err != nil {
			return err
		}
		for _, migration := range list {
			state := "pending"
			if !migration.AppliedAt.IsZero() {
				state = "applied " + migration.AppliedAt.UTC().Format(time.DateTime) + " UTC"
			}
			d.printf("%05d  %-32s %s\n", migration.Version, filepath.Base(migration.Name), state)
		}
		return nil
	})
}

func (d Data) withSchema(ctx context.Context, use func(*store.Schema) error) error {
	if err := d.mustExist(); err != nil {
		return err
	}
	schema, err := store.OpenSchema(ctx, d.Path())
	if err != nil {
		return err
	}
	return errors.Join(use(schema), schema.Close())
}

func (d Data) mustExist() error {
	if d.Database == "" {
		if err := d.readable(); err != nil {
			return fmt.Errorf("%w: %s", err, asItsAccount)
		}
	}
	if err := d.isHere(); err != nil {
		return err
	}
	if !store.Exists(d.Path()) {
		return fmt.Errorf("there is no database in %s", d.Dir)
	}
	return nil
}

func (d Data) printf(format string, args ...any) { _, _ = fmt.Fprintf(d.Out, format, args...) }
