package backup

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"earshot/models"
	"earshot/models/attachments"
	"earshot/models/blob"
	"earshot/models/store"
)

// Source is what a backup is made of.
type Source struct {
	// Database is the database's file. A server may be using it.
	Database string
	// Files has the attachments, Folder the exports.
	Files, Folder blob.Store
	// Secret is nil where it is not known. Passphrase seals it; "" leaves it out.
	Secret     []byte
	Passphrase string
	Version    string
	Now        func() time.Time
}

const (
	// workPattern names the folder in which a backup is made, beside where it is to be.
	workPattern = ".earshot-backup-*"
	// workFolder is where a server makes its backups, in the data folder.
	workFolder = ".earshot-backups"
)

// Write makes a backup in a file that does not exist yet, and checks it. The file is
// there when all of it is on disk, or not at all.
func Write(ctx context.Context, from Source, target string) (m Manifest, err error) {
	if _, err := os.Lstat(target); !errors.Is(err, os.ErrNotExist) {
		return m, cmp.Or(err, fmt.Errorf("%s exists already", target))
	}
	work, err := os.MkdirTemp(filepath.Dir(target), workPattern) // mode 0700
	if err != nil {
		return m, fmt.Errorf("backup: %w", noRoom(err))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	w := &writing{Source: from, database: filepath.Join(work, databaseName)}
	archive := filepath.Join(work, "archive.zip")
	if err := w.write(ctx, archive); err != nil {
		return m, fmt.Errorf("backup: %w", noRoom(err))
	}
	if err := verify(ctx, archive, w.database); err != nil {
		return m, fmt.Errorf("check the backup: %w", err)
	}
	if err := publish(archive, target); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	return w.manifest, nil
}

// noRoom says in one line what a full disk is said in several.
func noRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errors.New("there is no room left on the disk")
	}
	return err
}

// publish gives the archive its name, which must be free. A link is refused where
// there is something already; where there are no links, a look has to do.
func publish(archive, target string) error {
	err := os.Link(archive, target)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already", target)
	}
	if err != nil {
		if _, taken := os.Lstat(target); !errors.Is(taken, os.ErrNotExist) {
			return fmt.Errorf("%s exists already", target)
		}
		err = os.Rename(archive, target)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(target))
}

func syncFolder(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// writing is a backup on its way.
type writing struct {
	Source
	database string // the copy
	zip      *zip.Writer
	manifest Manifest
}

func (w *writing) write(ctx context.Context, path string) (err error) {
	began := w.Now().UTC().Truncate(time.Second)
	copied, err := store.Backup(ctx, w.Database, w.database)
	if err != nil {
		return err
	}
	check := ""
	if w.Secret != nil {
		if check, err = secretCheck(w.Secret); err != nil {
			return err
		}
	}
	w.manifest = Manifest{
		Format: format, Version: w.Version, MadeAt: began, Schema: copied.Schema, Epoch: copied.Epoch, Heads: copied.Heads,
		Sealed: w.Passphrase != "" && w.Secret != nil, SecretCheck: check,
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in a folder of our own
	if err != nil {
		return err
	}
	w.zip = zip.NewWriter(file)
	w.zip.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	err = w.contents(ctx)
	return errors.Join(err, w.zip.Close(), file.Sync(), file.Close())
}

func (w *writing) contents(ctx context.Context) error {
	database, err := os.Open(w.database)
	if err != nil {
		return err
	}
	err = w.part(ctx, databaseName, zip.Deflate, database)
	if err := errors.Join(err, database.Close()); err != nil {
		return err
	}
	if err := w.attachments(ctx); err != nil {
		return err
	}
	if err := w.exports(ctx); err != nil {
		return err
	}
	return w.end()
}

// part adds a content, and what it is to the manifest.
func (w *writing) part(ctx context.Context, name string, method uint16, content io.Reader) error {
	out, err := w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: w.manifest.MadeAt})
	if err != nil {
		return err
	}
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(out, hash), untilDone(ctx, content))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.manifest.Parts = append(w.manifest.Parts, Part{name, size, hex.EncodeToString(hash.Sum(nil))})
	return nil
}

// attachments adds the files that the copy of the database speaks of.
func (w *writing) attachments(ctx context.Context) error {
	for a, err := range store.CopiedAttachments(ctx, w.database) {
		if err == nil {
			err = w.attachment(ctx, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) attachment(ctx context.Context, a models.Attachment) error {
	content, err := w.Files.Open(ctx, attachments.Name(a.ID))
	switch {
	case models.CodeOf(err) == models.CodeNotFound:
		// A file goes after its row: if the row is still there, it should be.
		known, err := store.HasAttachment(ctx, w.Database, a.ID)
		if known {
			w.manifest.Lost = append(w.manifest.Lost, a.ID)
		} else {
			w.manifest.Erased = append(w.manifest.Erased, a.ID)
		}
		return err
	case err != nil:
		return err
	case content.Size != a.Size:
		w.manifest.Lost = append(w.manifest.Lost, a.ID)
		return content.Close()
	}
	err = w.part(ctx, attachments.Name(a.ID), zip.Store, content) // images and PDF are small already
	return errors.Join(err, content.Close())
}

// exports adds the files of exports and imports. Those that end meanwhile are left
// out; one that is written just now is continued, or begun anew, by its job.
func (w *writing) exports(ctx context.Context) error {
	for entry, err := range w.Folder.List(ctx, exportsFolder) {
		if err != nil {
			return err
		}
		if !isFile(entry.Name) {
			continue
		}
		content, err := w.Folder.Open(ctx, entry.Name)
		if models.CodeOf(err) == models.CodeNotFound {
			continue
		}
		if err == nil {
			err = errors.Join(w.part(ctx, entry.Name, zip.Deflate, content), content.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// end adds the manifest, and the secret.
func (w *writing) end() error {
	manifest, err := json.MarshalIndent(w.manifest, "", " ")
	if err != nil {
		return err
	}
	if err := w.raw(manifestName, manifest); err != nil || !w.manifest.Sealed {
		return err
	}
	secret, err := seal(w.Passphrase, w.Secret, manifest)
	if err != nil {
		return err
	}
	return w.raw(secretName, secret)
}

func (w *writing) raw(name string, content []byte) error {
	out, err := w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: w.manifest.MadeAt})
	if err == nil {
		_, err = out.Write(content)
	}
	return err
}

// untilDone reads until the context ends.
func untilDone(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(buf []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(buf)
	})
}

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(buf []byte) (int, error) { return f(buf) }
