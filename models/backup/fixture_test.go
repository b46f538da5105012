package backup_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/attachments"
	"earshot/models/backup"
	"earshot/models/blob"
	"earshot/models/store"
)

const passphrase = "a passphrase for tests"

var secret = []byte("0123456789abcdef0123456789abcdef0123456789a")

// installation is a data folder that a store has open.
type installation struct {
	dir     string
	store   *store.Store
	files   blob.Store
	project *models.Project
	scope   models.Scope
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func openStore(t *testing.T, dir string) *store.Store {
	t.Helper()
	path := filepath.Join(dir, "earshot.db")
	schema, err := store.OpenSchema(t.Context(), path)
	if err == nil {
		_, err = schema.Up(t.Context())
		err = errors.Join(err, schema.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Path: path, Log: quiet(), AuditKey: secret[:32]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openBlobs(t *testing.T, at blob.Location, c blob.Credentials) blob.Store {
	t.Helper()
	s, err := blob.Open(at, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// install makes an installation whose attachments are in files; in its folder where
// that is nil.
func install(t *testing.T, files blob.Store) *installation {
	t.Helper()
	dir := t.TempDir()
	if files == nil {
		files = openBlobs(t, blob.Location{Folder: dir}, blob.Credentials{})
	}
	i := &installation{dir: dir, store: openStore(t, dir), files: files}
	_, org, err := i.store.CreateFirstOwner(t.Context(), models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	i.scope = models.ScopeOf(org.ID)
	i.project = &models.Project{Name: "Web", Settings: models.DefaultSettings()}
	if err := errors.Join(i.project.Normalize(), i.store.CreateProject(t.Context(), i.scope, i.project)); err != nil {
		t.Fatal(err)
	}
	return i
}

// submit puts an item in, with a file where content is not "".
func (i *installation) submit(t *testing.T, message, content string) (item, file models.ID) {
	t.Helper()
	in := models.Submission{ID: models.NewID(), PageURL: "https://shop.example/", Message: message}
	if content != "" {
		file = i.attach(t, content)
		in.AttachmentIDs = []models.ID{file}
	}
	if err := in.Normalize(); err != nil {
		t.Fatal(err)
	}
	accepted, err := i.store.Submit(t.Context(), store.NewFeedback{Submission: in, Project: i.project, ResumeHash: models.HashResumeToken(models.NewResumeToken())})
	if err != nil {
		t.Fatal(err)
	}
	return accepted.ID, file
}

func (i *installation) attach(t *testing.T, content string) models.ID {
	t.Helper()
	id := models.NewID()
	if err := i.files.Put(t.Context(), attachments.Name(id), strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	_, err := i.store.CreateAttachment(t.Context(), models.Attachment{ID: id, Name: "a.txt", ContentType: "text/plain", Size: int64(len(content))}, i.project, nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (i *installation) source(t *testing.T) backup.Source {
	t.Helper()
	return backup.Source{
		Database: filepath.Join(i.dir, "earshot.db"), Files: i.files, Folder: openBlobs(t, blob.Location{Folder: i.dir}, blob.Credentials{}),
		Secret: secret, Passphrase: passphrase, Version: "test", Now: time.Now,
	}
}

// write makes a backup in a folder of its own.
func write(t *testing.T, from backup.Source) (string, backup.Manifest) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.zip")
	m, err := backup.Write(t.Context(), from, path)
	if err != nil {
		t.Fatal(err)
	}
	return path, m
}

func restore(ctx context.Context, path string, to backup.Target) (r backup.Restored, err error) {
	a, err := backup.Open(path)
	if err != nil {
		return r, err
	}
	to.Now = time.Now
	r, err = backup.Restore(ctx, a, to)
	return r, errors.Join(err, a.Close())
}

// listing is all that is in a folder, with the files' contents.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if entry.IsDir() {
			found[name] = "a folder"
			return nil
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
