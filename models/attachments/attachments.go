// Package attachments keeps visitors' files: their content in a blob store, what is
// known of them in the database. Content is kept before anybody is told its id, and
// goes once nothing in the database needs it any more, whatever ends in between.
package attachments

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"earshot/models"
	"earshot/models/blob"
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

// Folder is where contents are in the blob store, under their attachments' ids.
const Folder = "attachments"

// Name is an attachment's content in the blob store.
func Name(id models.ID) string { return Folder + "/" + string(id) }

const (
	interval = time.Second
	// afterFailure is the time to the next look where one has failed.
	afterFailure = 15 * time.Second
	batch        = 100
	timeout      = time.Minute
)

// Keeper keeps attachments. End it with Stop.
type Keeper struct {
	store  Store
	blobs  blob.Store
	reader *files.Reader
	log    *slog.Logger
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// Start begins to remove what nothing needs. alone says that nobody else keeps files in
// the blob store: then files that no row speaks of are removed as well. In a bucket they
// may be those of another installation, or of a newer state of the database than the one
// that somebody looks at.
func Start(s Store, blobs blob.Store, alone bool, log *slog.Logger) *Keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{store: s, blobs: blobs, reader: files.NewReader(), log: log, cancel: cancel}
	k.ended.Go(func() { k.run(ctx, alone) })
	return k
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
	if err := k.blobs.Put(ctx, Name(id), bytes.NewReader(file.Content), int64(len(file.Content))); err != nil {
		k.note("keep an attachment", err)
		return models.Attachment{}, err
	}
	kept, err := k.store.CreateAttachment(ctx, models.Attachment{
		ID: id, ProjectID: project.ID, Name: file.Name, ContentType: file.ContentType, Size: int64(len(file.Content)),
		Width: file.Width, Height: file.Height,
	}, project, owner)
	if models.CodeOf(err) != models.CodeUnavailable && err != nil { // otherwise it may be there
		err = errors.Join(err, k.blobs.Delete(context.WithoutCancel(ctx), Name(id)))
	}
	return kept, err
}

// Open reads an attachment's content. CodeNotFound where there is none.
func (k *Keeper) Open(ctx context.Context, id models.ID) (*blob.Content, error) {
	content, err := k.blobs.Open(ctx, Name(id))
	k.note("open an attachment", err)
	return content, err
}

// note logs why the blob store did not do its work: clients read only that they may
// try again.
func (k *Keeper) note(operation string, err error) {
	if code := models.CodeOf(err); code == models.CodeUnavailable || code == models.CodeStorageFull {
		k.log.Error(operation, "error", err)
	}
}

func (k *Keeper) run(ctx context.Context, alone bool) {
	if alone {
		if err := k.sweep(ctx); err != nil && ctx.Err() == nil {
			k.log.Error("look for files without a database row", "error", err)
		}
	}
	for {
		next := interval
		if err := k.tidy(ctx); err != nil && ctx.Err() == nil {
			k.log.Error("remove attachments", "error", err)
			next = afterFailure
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
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
			if err := k.blobs.Delete(ctx, Name(id)); err != nil {
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
			err = errors.Join(err, k.blobs.Delete(ctx, Name(id)))
		}
		return err
	}
	for entry, err := range k.blobs.List(ctx, Folder) {
		if err != nil {
			return err
		}
		id := models.ID(strings.TrimPrefix(entry.Name, Folder+"/"))
		if !id.Valid() || entry.Modified.After(before) {
			continue
		}
		if some = append(some, id); len(some) == batch {
			if err := drop(); err != nil {
				return err
			}
		}
	}
	return drop()
}
