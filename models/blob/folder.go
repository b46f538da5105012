package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"earshot/models"
)

// folder keeps contents as files of the machine's own file system.
type folder struct {
	root string
	// untouched: a List leaves what others have left half written.
	untouched bool
}

const (
	half = ".half" // the end of what is being written
	// keepHalf is when nobody is writing any more to what has not changed.
	keepHalf = time.Hour
	// listBatch is how much of a folder is read at once.
	listBatch = 1000

	dirMode = 0o700
)

func openFolder(path string) (Store, error) {
	if err := os.MkdirAll(path, dirMode); err != nil {
		return nil, fmt.Errorf("make the folder for files: %w", err)
	}
	return folder{root: path}, nil
}

func (f folder) file(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }

// Put implements Store.
func (f folder) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir := filepath.Dir(f.file(name))
	err := os.MkdirAll(dir, dirMode)
	var written string
	if err == nil {
		written, err = writeHalf(ctx, f.file(name), content, size)
	}
	if err == nil {
		err = os.Rename(written, f.file(name))
	}
	if err == nil {
		err = syncFolder(dir)
	}
	if err == nil {
		return nil
	}
	if written != "" {
		_ = os.Remove(written)
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", models.Errorf(models.CodeStorageFull, "there is no room for the file"), err)
	}
	return fmt.Errorf("keep %s: %w", name, err)
}

// writeHalf writes and syncs a file beside the one that it is to become.
func writeHalf(ctx context.Context, target string, content io.Reader, size int64) (path string, err error) {
	file, err := os.CreateTemp(filepath.Dir(target), filepath.Base(target)+".*"+half) // mode 0600
	if err != nil {
		return "", err
	}
	n, err := io.Copy(file, contextReader{ctx, content})
	if err == nil && n != size {
		err = fmt.Errorf("it has %d bytes and not %d", n, size)
	}
	return file.Name(), errors.Join(err, file.Sync(), file.Close())
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r contextReader) Read(buf []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(buf)
}

// syncFolder puts a folder's names on disk.
func syncFolder(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the operator's own folder
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open implements Store.
func (f folder) Open(_ context.Context, name string) (*Content, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	file, err := os.Open(f.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotFound(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", name, err), file.Close())
	}
	return &Content{file, info.Size()}, nil
}

func errNotFound(name string) error {
	return fmt.Errorf("%w: %s", models.Errorf(models.CodeNotFound, "there is no such file"), name)
}

// Delete implements Store.
func (f folder) Delete(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := os.Remove(f.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

// List implements Store. What a process that ended in the middle of a Put has left is
// removed on the way, once it is an hour old, except by who only looks.
func (f folder) List(ctx context.Context, of string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		dir, err := os.Open(f.file(of))
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Entry{}, fmt.Errorf("list %s: %w", of, err))
			return
		}
		defer func() { _ = dir.Close() }()
		for {
			found, err := dir.ReadDir(listBatch)
			if err == io.EOF { //nolint:errorlint // it comes as it is
				return
			}
			if err = cmp.Or(err, ctx.Err()); err != nil {
				yield(Entry{}, fmt.Errorf("list %s: %w", of, err))
				return
			}
			for _, entry := range found {
				if listed, ok := f.entry(of, entry); ok && !yield(listed, nil) {
					return
				}
			}
		}
	}
}

// entry looks at what is in a folder; it is false for what is no content.
func (f folder) entry(of string, found fs.DirEntry) (Entry, bool) {
	info, err := found.Info()
	if err != nil || !info.Mode().IsRegular() { // or removed since
		return Entry{}, false
	}
	name := path.Join(of, found.Name())
	if !f.untouched && strings.HasSuffix(name, half) && time.Since(info.ModTime()) > keepHalf {
		_ = os.Remove(f.file(name)) // the next look tries again
	}
	return Entry{name, info.Size(), info.ModTime()}, ValidName(name)
}
