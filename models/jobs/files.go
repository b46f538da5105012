package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/blob"
)

// Files is where jobs have theirs: in a folder and, where several servers do jobs, in
// a store that all of them reach.
type Files struct {
	// Folder is made where there is none.
	Folder string
	// Shared is nil where there is one server.
	Shared blob.Store
}

const (
	sharedFolder = "exports"
	uploadExt    = ".upload"
	// keepUpload is how long a file may be there before its job.
	keepUpload = time.Minute
	// keepExports is how long the file of an export is there.
	keepExports = 24 * time.Hour
	// tidyShared is the time between two looks for what to remove from the shared
	// store, which costs a call.
	tidyShared = time.Minute
)

// Path is where the file that a job has made is: an export, or what an import has
// refused.
func (f Files) Path(job models.Job) string {
	if job.Kind == models.JobImport {
		return filepath.Join(f.Folder, string(job.ID)+".csv")
	}
	return filepath.Join(f.Folder, string(job.ID)+"."+string(job.Export.Format))
}

// upload is where the file of an import is until it has ended.
func (f Files) upload(job models.ID) string {
	return filepath.Join(f.Folder, string(job)+uploadExt)
}

// part is where a job writes what is not finished. Its name is kept in the job's
// place, and is new whenever the job begins to write anew: what another server
// wrote meanwhile never passes for what this one did before.
func (f Files) part(job models.ID, name string) string {
	return filepath.Join(f.Folder, string(job)+"."+name+".part")
}

func newPart() string { return string(models.NewID()) }

func shared(path string) string { return sharedFolder + "/" + filepath.Base(path) }

// KeepUpload keeps the file of an import, whole or not at all, before its job is made.
func (f Files) KeepUpload(ctx context.Context, job models.ID, in io.Reader) error {
	if err := os.MkdirAll(f.Folder, 0o700); err != nil {
		return fmt.Errorf("make the folder for uploads: %w", err)
	}
	path := f.upload(job)
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a name of ours
	if err != nil {
		return fmt.Errorf("keep upload: %w", err)
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, out.Sync(), out.Close())
	if err == nil && f.Shared != nil {
		err = f.share(ctx, path, path)
	}
	if err != nil || f.Shared != nil {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fmt.Errorf("keep upload: %w", err)
	}
	return nil
}

// DropUpload removes the file of an import that has ended, or was never one.
func (f Files) DropUpload(ctx context.Context, job models.ID) error {
	err := os.Remove(f.upload(job))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if f.Shared != nil {
		err = errors.Join(err, f.Shared.Delete(ctx, shared(f.upload(job))))
	}
	return err
}

// openUpload gives the file of an import, whichever server took it in.
func (f Files) openUpload(ctx context.Context, job models.ID) (*os.File, error) {
	path := f.upload(job)
	file, err := os.Open(path) //nolint:gosec // a name of ours
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	gone := models.Errorf(models.CodeNotFound, "the file is not there any more: upload it again")
	if f.Shared == nil {
		return nil, gone
	}
	content, err := f.Shared.Open(ctx, shared(path))
	if models.CodeOf(err) == models.CodeNotFound {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	if err := os.MkdirAll(f.Folder, 0o700); err != nil {
		return nil, err
	}
	// Whole or not at all under its name: a server that is killed meanwhile leaves the
	// rest of it, which would pass for the file.
	partial := f.part(job, newPart())
	out, err := os.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // a name of ours
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(out, content)
	if err == nil {
		_, err = out.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		return nil, errors.Join(err, out.Close(), os.Remove(partial))
	}
	return out, nil
}

// share puts the file at a path where all servers find it, under the name that it has
// at last.
func (f Files) share(ctx context.Context, path, last string) (err error) {
	file, err := os.Open(path) //nolint:gosec // a name of ours
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return f.Shared.Put(ctx, shared(last), file, info.Size())
}

// Has reports whether there may be a file of a job that has one; it asks nobody.
func (f Files) Has(job models.Job, now time.Time) bool {
	if f.Shared != nil {
		return job.FinishedAt == nil || now.Sub(*job.FinishedAt) < keepExports
	}
	_, err := os.Stat(f.Path(job))
	return err == nil
}

// Place says where the file of a job is, for an operator to find it.
func (f Files) Place(job models.Job) string {
	if _, err := os.Stat(f.Path(job)); err != nil && f.Shared != nil {
		return shared(f.Path(job)) + " at EARSHOT_BLOB_URL"
	}
	return f.Path(job)
}

// Open opens the file that a job has made; CodeNotFound where there is none, or none
// any more.
func (f Files) Open(ctx context.Context, job models.Job) (*blob.Content, error) {
	file, err := os.Open(f.Path(job))
	if err == nil {
		info, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return &blob.Content{ReadCloser: file, Size: info.Size()}, nil
	}
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case f.Shared == nil:
		return nil, models.Errorf(models.CodeNotFound, "there is no file of this job, or none any more")
	}
	return f.Shared.Open(ctx, shared(f.Path(job)))
}

// tidy removes files that nobody may fetch any more: old ones, those of deleted
// projects, and those with something in them that was erased since.
func (r *Runner) tidy(ctx context.Context) {
	entries, err := os.ReadDir(r.Folder)
	if err != nil {
		entries = nil // there is none
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !r.stale(ctx, entry.Name(), info.ModTime()) {
			continue
		}
		if err := os.Remove(filepath.Join(r.Folder, entry.Name())); err != nil {
			r.Log.Error("remove old export", "error", err)
		}
	}
	if r.Shared == nil || time.Since(r.tidied) < tidyShared {
		return
	}
	r.tidied = time.Now()
	for entry, err := range r.Shared.List(ctx, sharedFolder) {
		if err == nil && r.stale(ctx, filepath.Base(entry.Name), entry.Modified) {
			err = r.Shared.Delete(ctx, entry.Name)
		}
		if err != nil && ctx.Err() == nil {
			r.Log.Error("remove old export", "error", err)
			return
		}
	}
}

func (r *Runner) stale(ctx context.Context, name string, modified time.Time) bool {
	id, _, _ := strings.Cut(name, ".")
	job, err := r.Store.JobByLink(ctx, models.ID(id))
	if models.CodeOf(err) == models.CodeNotFound {
		return filepath.Ext(name) != uploadExt || time.Since(modified) >= keepUpload // its job is about to be made
	}
	if err != nil {
		return false
	}
	return job.Withdrawn && job.Kind == models.JobExport || time.Since(modified) >= keepExports
}
