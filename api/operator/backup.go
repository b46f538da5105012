package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"earshot/api/config"
	"earshot/models/backup"
	"earshot/models/blob"
	"earshot/models/store"
)

// Backup is what the command "backup FILE" is told.
type Backup struct {
	File          string `arg:"" help:"A file that does not exist yet."`
	AskPassphrase bool   `help:"Ask for the passphrase on the terminal, instead of reading EARSHOT_BACKUP_PASSPHRASE."`
}

// Restore is what the command "restore FILE" is told.
type Restore struct {
	File          string `arg:"" help:"A backup."`
	AskPassphrase bool   `help:"Ask for the passphrase on the terminal, instead of reading EARSHOT_BACKUP_PASSPHRASE."`
	WithoutSecret bool   `help:"Go on without the backup's secret: sessions, receipts and second factors end."`
	Replace       bool   `help:"Take a data folder that is not empty, and put aside what is in it."`
}

// Backup writes a backup, also while the server runs. Without a passphrase there is no
// secret in it.
func (d Data) Backup(ctx context.Context, what Backup, passphrase, version string) error {
	if d.Database != "" {
		return errors.New("a backup is of a data folder; the database is in PostgreSQL, which pg_dump --format=custom backs up")
	}
	if err := d.mustExist(); err != nil {
		return err
	}
	passphrase, err := chosen(what.AskPassphrase, passphrase, true)
	if err != nil {
		return err
	}
	source, err := d.BackupSource(passphrase, version)
	if err != nil {
		return err
	}
	made, err := backup.Write(ctx, source, what.File)
	if err != nil {
		return err
	}
	info, err := os.Stat(what.File)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	d.printf("Wrote %s (%.1f MiB), checked: the database and %d files.\n", what.File, float64(info.Size())/(1<<20), len(made.Parts)-1)
	if len(made.Lost) > 0 {
		d.printf("NOT in it: %d files that the database knows and that are not there, such as %s.\n", len(made.Lost), made.Lost[0])
	}
	if !made.Sealed {
		d.printf("The secret is not in it, for there is no passphrase (EARSHOT_BACKUP_PASSPHRASE): keep %s too.\n", d.secretPlace())
	}
	return nil
}

func (d Data) secretPlace() string {
	if d.Configured != "" {
		return "EARSHOT_SECRET"
	}
	return filepath.Join(d.Dir, secretFile)
}

// BackupSource is what backups of the folder are made of.
func (d Data) BackupSource(passphrase, version string) (backup.Source, error) {
	secret, err := d.knownSecret()
	if err != nil {
		return backup.Source{}, err
	}
	if secret == nil && passphrase != "" {
		return backup.Source{}, fmt.Errorf("there is no secret in %s: set EARSHOT_SECRET as the server has it", d.Dir)
	}
	folder, err := blob.Open(blob.Location{Folder: d.Dir}, blob.Credentials{})
	if err != nil {
		return backup.Source{}, err
	}
	files := folder
	if d.Files != (blob.Location{}) {
		if files, err = blob.Open(d.Files, d.FilesCredentials); err != nil {
			return backup.Source{}, err
		}
	}
	return backup.Source{
		Database: d.Path(), Files: files, Folder: folder, Secret: secret, Passphrase: passphrase, Version: version, Now: time.Now,
	}, nil
}

// BackupPlan is what the server backs up by itself; nil where that is nothing.
func (d Data) BackupPlan(stores config.Stores, version string) (*backup.Plan, error) {
	if stores.Backups == nil {
		return nil, nil
	}
	source, err := d.BackupSource(stores.Passphrase, version)
	if err != nil {
		return nil, err
	}
	to, err := blob.Open(*stores.Backups, stores.Credentials)
	if err != nil {
		return nil, fmt.Errorf("EARSHOT_BACKUP_URL: %w", err)
	}
	return &backup.Plan{Source: source, To: to, Every: stores.Every, Keep: stores.Keep, Data: d.Dir, Log: d.Log}, nil
}

// Restore puts a backup back. The folder must be nobody's meanwhile.
func (d Data) Restore(ctx context.Context, what Restore, passphrase string) (err error) {
	if d.Database != "" {
		return errors.New("a backup is put back into a data folder: unset EARSHOT_DATABASE_URL")
	}
	archive, err := backup.Open(what.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	if passphrase, err = chosen(what.AskPassphrase, passphrase, false); err != nil {
		return err
	}
	_, missing := os.Stat(d.Dir)
	if err := os.MkdirAll(d.Dir, dirMode); err != nil {
		return fmt.Errorf("EARSHOT_DATA: the data folder cannot be made: %w", err)
	}
	err = d.locked(func() error { return d.restore(ctx, archive, what, passphrase) })
	if err != nil && errors.Is(missing, os.ErrNotExist) {
		err = errors.Join(err, os.Remove(d.Dir))
	}
	return err
}

func (d Data) restore(ctx context.Context, archive *backup.Archive, what Restore, passphrase string) error {
	target := backup.Target{
		Folder: d.Dir, Passphrase: passphrase, WithoutSecret: what.WithoutSecret, Replace: what.Replace, Now: time.Now,
	}
	if d.Configured != "" {
		target.Configured = []byte(d.Configured)
	}
	if d.Files != (blob.Location{}) {
		files, err := blob.Open(d.Files, d.FilesCredentials)
		if err != nil {
			return err
		}
		target.Files = files
	}
	done, err := backup.Restore(ctx, archive, target)
	if err != nil {
		return err
	}
	d.printf("Restored %s from %s: the database and %d files.\n", d.Dir, done.Manifest.MadeAt.Format(time.DateTime+" MST"), len(done.Manifest.Parts)-1)
	if done.Aside != "" {
		d.printf("What was there before is in %s.\n", done.Aside)
	}
	if what.WithoutSecret {
		if err := store.ForgetSecret(ctx, d.Path()); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	if !done.Secret {
		if d.Configured == "" {
			if _, err := d.makeSecret(); err != nil {
				return err
			}
		}
		d.printf("Without the secret that it belongs to: sessions, receipts' links and second factors are at an end.\n")
	}
	return d.keepPrivate()
}

// chosen is the passphrase to use, asked for where that is wanted.
func chosen(ask bool, set string, twice bool) (string, error) {
	if !ask {
		return set, nil
	}
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", errors.New("there is no terminal to ask for the passphrase on: set EARSHOT_BACKUP_PASSPHRASE or EARSHOT_BACKUP_PASSPHRASE_FILE")
	}
	passphrase, err := askPassphrase(terminal, twice)
	return passphrase, errors.Join(err, terminal.Close())
}

// minPassphrase is that of the settings.
const minPassphrase = 12

// askPassphrase reads a passphrase without showing it; twice where a mistake would be
// found too late.
func askPassphrase(terminal *os.File, twice bool) (string, error) {
	read := func(question string) (string, error) {
		if _, err := terminal.WriteString(question); err != nil {
			return "", err
		}
		line, err := term.ReadPassword(int(terminal.Fd()))
		_, said := terminal.WriteString("\n")
		return string(line), cmp.Or(err, said)
	}
	first, err := read("Passphrase: ")
	if err != nil {
		return "", fmt.Errorf("ask for the passphrase: %w", err)
	}
	if len([]rune(first)) < minPassphrase {
		return "", fmt.Errorf("the passphrase must have at least %d characters", minPassphrase)
	}
	if twice {
		again, err := read("The same again: ")
		if err != nil {
			return "", fmt.Errorf("ask for the passphrase: %w", err)
		}
		if again != first {
			return "", errors.New("these are two passphrases")
		}
	}
	return first, nil
}
