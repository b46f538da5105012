package backup

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"earshot/models"
	"earshot/models/attachments"
	"earshot/models/store"
)

// Archive is a backup that is read.
type Archive struct {
	Manifest Manifest
	manifest []byte // as it was written
	sealed   []byte // nil where there is none
	zip      *zip.ReadCloser
	parts    map[string]*zip.File
}

// Open reads a backup's manifest. What is in its parts is checked as they are read.
func Open(path string) (*Archive, error) {
	file, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%s is no backup, or was cut off", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w", err)
	}
	a := &Archive{zip: file, parts: map[string]*zip.File{}}
	if err := a.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("the backup %s cannot be used: %w", path, err), file.Close())
	}
	return a, nil
}

func (a *Archive) open() (err error) {
	for _, file := range a.zip.File {
		if a.parts[file.Name] != nil {
			return fmt.Errorf("it has two parts %q", file.Name)
		}
		a.parts[file.Name] = file
	}
	if a.manifest, err = a.small(manifestName, maxManifest); err != nil {
		return err
	}
	if a.Manifest, err = readManifest(a.manifest); err != nil {
		return err
	}
	if a.Manifest.Sealed {
		if a.sealed, err = a.small(secretName, maxSealed); err != nil {
			return err
		}
	}
	for _, part := range a.Manifest.Parts {
		if a.parts[part.Name] == nil {
			return fmt.Errorf("%s is not in it", part.Name)
		}
	}
	return nil
}

// small reads a part as a whole.
func (a *Archive) small(name string, limit int64) ([]byte, error) {
	file := a.parts[name]
	if file == nil {
		return nil, fmt.Errorf("%s is not in it", name)
	}
	content, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	raw, err := io.ReadAll(io.LimitReader(content, limit+1))
	if err := errors.Join(err, content.Close()); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s is too large", name)
	}
	return raw, nil
}

// Close closes the file.
func (a *Archive) Close() error { return a.zip.Close() }

// copyPart writes a part out. It is an error unless it was all there and is what the
// manifest says; what was written until then is the caller's to remove.
func (a *Archive) copyPart(ctx context.Context, part Part, out io.Writer) error {
	content, err := a.parts[part.Name].Open()
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", part.Name, err)
	}
	defer func() { _ = content.Close() }()
	hash := sha256.New()
	// One byte more than there should be tells a part that is too long.
	source := &io.LimitedReader{R: untilDone(ctx, content), N: part.Size + 1}
	size, err := io.Copy(io.MultiWriter(out, hash), source)
	if errors.Is(err, zip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || err == nil && (size != part.Size || hex.EncodeToString(hash.Sum(nil)) != part.SHA256) {
		return fmt.Errorf("%s was changed or damaged", part.Name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", part.Name, err)
	}
	return nil
}

// check reads all parts but the database, which is examined as a file.
func (a *Archive) check(ctx context.Context) error {
	for _, part := range a.Manifest.Parts[1:] {
		if err := a.copyPart(ctx, part, io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// checkFiles holds the database against the files: each that it speaks of is there,
// as long as it should be, but for those that the manifest names.
func (m Manifest) checkFiles(ctx context.Context, database string) error {
	sizes := map[models.ID]int64{}
	for _, part := range m.Parts {
		if id, ok := strings.CutPrefix(part.Name, attachments.Folder+"/"); ok {
			sizes[models.ID(id)] = part.Size
		}
	}
	for row, err := range store.CopiedAttachments(ctx, database) {
		if err != nil {
			return err
		}
		if size, there := sizes[row.ID]; there && size == row.Size || !there && m.absent(row.ID) {
			continue
		}
		return fmt.Errorf("the file of the attachment %s is not in it, or is another", row.ID)
	}
	return nil
}

// verify reads a backup back from disk. The copy of the database that it was made of was
// examined, and is what has to come out again.
func verify(ctx context.Context, path, database string) (err error) {
	a, err := Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.copyPart(ctx, a.Manifest.Parts[0], io.Discard); err != nil {
		return err
	}
	if err := a.check(ctx); err != nil {
		return err
	}
	return a.Manifest.checkFiles(ctx, database)
}
