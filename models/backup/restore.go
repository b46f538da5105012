package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"earshot/models/attachments"
	"earshot/models/blob"
	"earshot/models/store"
)

// Target is where a backup is put back.
type Target struct {
	// Folder is the data folder, which exists and which nobody uses meanwhile.
	Folder string
	// Files takes the attachments; nil where they are in the folder too.
	Files      blob.Store
	Passphrase string
	// Configured is the secret of the settings; nil where it is in the folder.
	Configured []byte
	// WithoutSecret goes on where the secret that the backup belongs to cannot be had.
	WithoutSecret bool
	// Replace takes a folder that is not empty: what was Earshot's in it is put aside in
	// it, and all else left as it is.
	Replace bool
	Now     func() time.Time
}

const (
	// restoring is the folder, in the data folder, in which a backup is unpacked. It is
	// in there and not beside it, because often the one is a file system of its own, or
	// all that its account may write to.
	restoring = ".earshot-restore"
	// aside begins the name of the folder with what was there before.
	aside = "replaced-"

	secretFile = "secret"
	fileMode   = 0o600
	dirMode    = 0o700
)

// IsWork reports whether a name in a data folder is one of this package's.
func IsWork(name string) bool {
	return name == restoring || name == workFolder || strings.HasPrefix(name, aside)
}

// Restored says what was put back.
type Restored struct {
	Manifest Manifest
	// Secret says whether the folder, or the settings, have the backup's secret.
	Secret bool
	// Aside is where what was there before is now; "" where there was nothing.
	Aside string
}

// Restore checks a backup and puts it back. Until all of it has been checked nothing
// changes, and what fails then is undone. The database has no epoch, so that a server
// that opens it begins a new one.
func Restore(ctx context.Context, a *Archive, to Target) (r Restored, err error) {
	r.Manifest = a.Manifest
	there, err := to.present()
	if err != nil {
		return r, err
	}
	if len(there) > 0 && !to.Replace {
		return r, fmt.Errorf("the data folder %s is not empty: choose another one, or say --replace to put aside what is in it", to.Folder)
	}
	secret, err := to.secret(a)
	if err != nil {
		return r, err
	}
	r.Secret = secret != nil
	staged := filepath.Join(to.Folder, restoring)
	if err := errors.Join(os.RemoveAll(staged), os.Mkdir(staged, dirMode)); err != nil { // what an attempt that was killed has left
		return r, fmt.Errorf("restore: %w", noRoom(err))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staged)) }()
	if to.Configured != nil {
		secret = nil // it stays where it is
	}
	if err := to.stage(ctx, a, staged, secret); err != nil {
		return r, fmt.Errorf("restore: %w", noRoom(err))
	}
	if err := to.putFiles(ctx, a); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	r.Aside, err = to.commit(staged, there)
	return r, err
}

// present is what is in the folder.
func (t Target) present() (names []string, err error) {
	entries, err := os.ReadDir(t.Folder)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if name != "lost+found" && !IsWork(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// secret finds the secret that the backup belongs to: sealed in it, or in the settings.
// It is nil where the operator goes on without.
func (t Target) secret(a *Archive) (secret []byte, err error) {
	if a.Manifest.Sealed && t.Passphrase != "" {
		if secret, err = unseal(t.Passphrase, a.sealed, a.manifest); err != nil {
			return nil, fmt.Errorf("restore: %w", err)
		}
		if t.Configured != nil && string(secret) != string(t.Configured) && !t.WithoutSecret {
			return nil, errors.New("restore: EARSHOT_SECRET is not the backup's secret: unset it, or say --without-secret")
		}
		return secret, nil
	}
	if t.Configured != nil {
		check, err := secretCheck(t.Configured)
		if err != nil {
			return nil, err
		}
		if check == a.Manifest.SecretCheck {
			return t.Configured, nil
		}
	}
	switch {
	case t.WithoutSecret:
		return nil, nil
	case a.Manifest.Sealed:
		return nil, errors.New("restore: the backup's secret is under a passphrase: set EARSHOT_BACKUP_PASSPHRASE, or say --without-secret")
	default:
		return nil, errors.New("restore: the backup was made without a passphrase, so its secret is not in it: set EARSHOT_SECRET, or say --without-secret")
	}
}

// stage unpacks and checks all that will be in the folder.
func (t Target) stage(ctx context.Context, a *Archive, staged string, secret []byte) error {
	database := filepath.Join(staged, databaseName)
	if err := a.unpack(ctx, a.Manifest.Parts[0], database); err != nil {
		return err
	}
	found, err := store.Examine(ctx, database)
	if err != nil {
		return err
	}
	if found.Schema != a.Manifest.Schema {
		return errors.New("the database is not the one that the manifest speaks of")
	}
	if err := a.Manifest.checkFiles(ctx, database); err != nil {
		return err
	}
	for _, folder := range []string{attachments.Folder, exportsFolder} {
		if err := os.Mkdir(filepath.Join(staged, folder), dirMode); err != nil {
			return err
		}
	}
	for _, part := range a.Manifest.Parts[1:] {
		if t.elsewhere(part) {
			err = a.copyPart(ctx, part, io.Discard)
		} else {
			err = a.unpack(ctx, part, filepath.Join(staged, filepath.FromSlash(part.Name)))
		}
		if err != nil {
			return err
		}
	}
	if secret != nil {
		if err := writeFile(filepath.Join(staged, secretFile), func(out io.Writer) error {
			_, err := out.Write(append(secret, '\n'))
			return err
		}); err != nil {
			return err
		}
	}
	return errors.Join(syncFolder(filepath.Join(staged, attachments.Folder)), syncFolder(filepath.Join(staged, exportsFolder)), syncFolder(staged))
}

// elsewhere reports whether a part is not kept in the folder.
func (t Target) elsewhere(part Part) bool {
	return t.Files != nil && strings.HasPrefix(part.Name, attachments.Folder+"/")
}

func (a *Archive) unpack(ctx context.Context, part Part, path string) error {
	return writeFile(path, func(out io.Writer) error { return a.copyPart(ctx, part, out) })
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode) //nolint:gosec // in a folder of our own
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Sync(), file.Close())
}

// putFiles puts attachments where they are kept if that is not the folder. They have
// been checked; one that is there already is the same, for ids are given once.
func (t Target) putFiles(ctx context.Context, a *Archive) error {
	for _, part := range a.Manifest.Parts[1:] {
		if !t.elsewhere(part) {
			continue
		}
		content, err := a.parts[part.Name].Open()
		if err != nil {
			return err
		}
		if err := errors.Join(t.Files.Put(ctx, part.Name, content, part.Size), content.Close()); err != nil {
			return err
		}
	}
	return nil
}

// commit gives what was unpacked its place: the database last, without which nothing
// of it counts. What fails is undone.
func (t Target) commit(staged string, there []string) (put string, err error) {
	var done []move
	defer func() {
		if err == nil {
			return
		}
		err = fmt.Errorf("restore: %w", errors.Join(err, undo(done)))
		if put != "" {
			err = errors.Join(err, os.Remove(put))
		}
	}()
	rename := func(from, to string) error {
		if err := os.Rename(from, to); err != nil {
			return err
		}
		done = append(done, move{from, to})
		return nil
	}
	if len(there) > 0 {
		put = filepath.Join(t.Folder, aside+t.Now().UTC().Format("20060102T150405.000"))
		if err := os.Mkdir(put, dirMode); err != nil {
			return "", err
		}
		for _, name := range there {
			if !isOurs(name) {
				continue
			}
			if err := rename(filepath.Join(t.Folder, name), filepath.Join(put, name)); err != nil {
				return put, err
			}
		}
	}
	for _, name := range []string{attachments.Folder, exportsFolder, secretFile, databaseName} {
		err := rename(filepath.Join(staged, name), filepath.Join(t.Folder, name))
		if err != nil && (name != secretFile || !errors.Is(err, os.ErrNotExist)) {
			return put, err
		}
	}
	return put, syncFolder(t.Folder)
}

// isOurs tells what Earshot has put into a folder from what is somebody else's.
func isOurs(name string) bool {
	return strings.HasPrefix(name, databaseName) || name == secretFile || name == attachments.Folder || name == exportsFolder
}

type move struct{ from, to string }

// undo takes moves back, the last one first.
func undo(done []move) (err error) {
	for len(done) > 0 {
		last := done[len(done)-1]
		done = done[:len(done)-1]
		err = errors.Join(err, os.Rename(last.to, last.from))
	}
	return err
}
