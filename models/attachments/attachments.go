// Package attachments keeps visitors' files: their content in a folder, what is known
// of them in the database. Content is on disk before anybody is told its id, and
// goes once nothing in the database needs it any more, whatever ends in between.
package attachments

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"earshot/models"
	"earshot/models/files"
)

// Store is what is needed of the store.
type Store interface {
	CreateAttachment(ctx context.Context, attachment models.Attachment, project *models.Project, owner models.ResumeHash) (models.Attachment, error)
	ExpireAttachments(ctx context.Context) (more bool, err error)
	AttachmentRemovals(ctx context.Context, limit int) ([]models.ID, error)
	ForgetAttachments(ctx context.Context, ids []models.ID) error
	UnknownAttachments(ctx context.Context, ids []models.ID) ([]models.ID, error)
}

const (
	interval = time.Second
	batch    = 100
	timeout  = time.Minute
)

// Keeper keeps attachments. End it with Stop.
type Keeper struct {
	store  Store
	folder folder
	reader *files.Reader
	log    *slog.Logger
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// Start opens the folder, which is made where it is missing, and begins to remove
// what nothing needs.
func Start(s Store, path string, log *slog.Logger) (*Keeper, error) {
	folder, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{store: s, folder: folder, reader: files.NewReader(), log: log, cancel: cancel}
	k.ended.Go(func() { k.run(ctx) })
	return k, nil
}

// Stop ends the removing.
func (k *Keeper) Stop() {
	k.cancel()
	k.ended.Wait()
}

// Keep looks at a file and keeps it. owner's alone it is to name the attachment in a
// submission; nil leaves that to whoever has the id.
func (k *Keeper) Keep(ctx context.Context, project *models.Project, owner models.ResumeHash, name string, content []byte) (models.Attachment, error) {
	file, err := k.reader.Read(ctx, name, content)
	if err != nil {
		return models.Attachment{}, err
	}
	id := models.NewID()
	if err := k.folder.write(id, file.Content); err != nil {
		return models.Attachment{}, err
	}
	kept, err := k.store.CreateAttachment(ctx, models.Attachment{
		ID: id, ProjectID: project.ID, Name: file.Name, ContentType: file.ContentType, Size: int64(len(file.Content)),
		Width: file.Width, Height: file.Height,
	}, project, owner)
	if models.CodeOf(err) != models.CodeUnavailable && err != nil { // otherwise it may be there
		err = errors.Join(err, k.folder.remove(id))
	}
	return kept, err
}

// Open reads an attachment's content. CodeNotFound where there is none.
func (k *Keeper) Open(id models.ID) (io.ReadCloser, error) { return k.folder.open(id) }

func (k *Keeper) run(ctx context.Context) {
	if err := k.sweep(ctx); err != nil && ctx.Err() == nil {
		k.log.Error("look for files without a database row", "error", err)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := k.tidy(ctx); err != nil && ctx.Err() == nil {
			k.log.Error("remove attachments", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tidy removes what no submission has named in time, and what was erased.
func (k *Keeper) tidy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for more := true; more; {
		var err error
		if more, err = k.store.ExpireAttachments(ctx); err != nil {
			return err
		}
	}
	for {
		ids, err := k.store.AttachmentRemovals(ctx, batch)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := k.folder.remove(id); err != nil {
				return err
			}
		}
		if err := k.store.ForgetAttachments(ctx, ids); err != nil {
			return err
		}
	}
}

// sweep removes, once at the start, files that no row speaks of: the process may have
// ended between the two. Those of this very moment are left alone.
func (k *Keeper) sweep(ctx context.Context) error {
	before := time.Now().Add(-models.AttachmentClaim)
	var some []models.ID
	drop := func() error {
		unknown, err := k.store.UnknownAttachments(ctx, some)
		some = some[:0]
		for _, id := range unknown {
			err = errors.Join(err, k.folder.remove(id))
		}
		return err
	}
	err := filepath.WalkDir(k.folder.path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		info, err := entry.Info()
		if entry.IsDir() || errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().After(before) {
			return nil
		}
		if id := models.ID(entry.Name()); id.Valid() {
			some = append(some, id)
		} else if strings.HasSuffix(path, half) {
			err = errors.Join(err, os.Remove(path)) //nolint:gosec // the folder is ours alone, mode 0700
		}
		if len(some) == batch {
			err = errors.Join(err, drop())
		}
		return err
	})
	return errors.Join(err, drop())
}
