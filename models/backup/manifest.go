// Package backup puts all that an installation keeps into one file, and back: the
// database, visitors' files, exports and, under a passphrase, the secret. A backup is
// checked after it was written and before anything of it is put back.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/attachments"
	"earshot/models/blob"
	"earshot/models/store"
)

const (
	// format is that of the archive; a program knows it and older ones.
	format = 1

	// The names of parts. Files keep those of the blob store.
	manifestName = "manifest.json"
	secretName   = "secret.age"
	databaseName = "earshot.db"
	// exportsFolder has files of exports and imports, finished and under way.
	exportsFolder = "exports"

	// maxManifest bounds what is read of a manifest: a million files.
	maxManifest = 256 << 20
)

// Manifest says what is in a backup. Nothing in it is secret or personal.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the program
	MadeAt  time.Time `json:"made_at"`
	Schema  int64     `json:"schema"`
	// Epoch and Heads are where the logs were: of each project its last seq.
	Epoch models.Epoch        `json:"epoch"`
	Heads map[models.ID]int64 `json:"heads"`
	// Sealed: the secret is in it, under a passphrase. SecretCheck tells that secret
	// from others, whether it is in it or not; "" where it was not known.
	Sealed      bool   `json:"sealed"`
	SecretCheck string `json:"secret_check"`
	Parts       []Part `json:"parts"`
	// Erased are files that were erased while the backup was made, Lost those that were
	// not there although they should have been. The database in the backup has both.
	Erased []models.ID `json:"erased,omitempty"`
	Lost   []models.ID `json:"lost,omitempty"`
}

// Part is one of the backup's contents.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// readManifest reads what may have been changed by anybody.
func readManifest(content []byte) (m Manifest, err error) {
	if err := json.Unmarshal(content, &m); err != nil {
		return m, errors.New("its manifest cannot be read")
	}
	if m.Format > format {
		return m, errors.New("it was made by a newer earshot: use that")
	}
	newest, err := store.NewestSchema()
	if err != nil {
		return m, err
	}
	if m.Schema > newest {
		return m, fmt.Errorf("it has schema version %d and this program knows %d: use a newer earshot", m.Schema, newest)
	}
	return m, m.check()
}

func (m Manifest) check() error {
	if m.Format < 1 || len(m.Parts) == 0 || m.Parts[0].Name != databaseName {
		return errors.New("its manifest names no database")
	}
	seen := map[string]bool{}
	for i, part := range m.Parts {
		if seen[part.Name] || part.Size < 0 || i > 0 && !isFile(part.Name) {
			return fmt.Errorf("its manifest names a part %q", part.Name)
		}
		seen[part.Name] = true
	}
	return nil
}

// isFile reports whether a part is to be put into a folder of files.
func isFile(name string) bool {
	folder, file, _ := strings.Cut(name, "/")
	return blob.ValidName(name) && !strings.Contains(file, "/") && (folder == attachments.Folder && models.ID(file).Valid() || folder == exportsFolder && file != "")
}

// absent reports whether a file that the database has is not in the backup.
func (m Manifest) absent(id models.ID) bool {
	return slices.Contains(m.Erased, id) || slices.Contains(m.Lost, id)
}
