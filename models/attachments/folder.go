package attachments

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"earshot/models"
)

// folder keeps contents as files, under their ids. It is the machine's own file system
// and no library over several kinds of stores: the one that was tried took 9 MiB of
// memory at the start, and left syncing to the system.
type folder struct{ path string }

const half = ".half" // the end of what is being written

func openFolder(path string) (folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return folder{}, fmt.Errorf("make the folder for attachments: %w", err)
	}
	return folder{path}, nil
}

func (f folder) file(id models.ID) string { return filepath.Join(f.path, string(id)) }

// write returns once the content is on disk, under its name: all of it or nothing.
func (f folder) write(id models.ID, content []byte) error {
	err := f.writeHalf(id, content)
	if err == nil {
		err = os.Rename(f.file(id)+half, f.file(id))
	}
	if err == nil {
		err = f.sync()
	}
	if err == nil {
		return nil
	}
	_ = os.Remove(f.file(id) + half)
	if errors.Is(err, syscall.ENOSPC) {
		return models.Errorf(models.CodeStorageFull, "there is no room for the file")
	}
	return fmt.Errorf("keep attachment: %w", err)
}

func (f folder) writeHalf(id models.ID, content []byte) error {
	file, err := os.OpenFile(f.file(id)+half, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

// sync puts the folder's names on disk.
func (f folder) sync() error {
	dir, err := os.Open(f.path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (f folder) open(id models.ID) (io.ReadCloser, error) {
	file, err := os.Open(f.file(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, models.Errorf(models.CodeNotFound, "there is no such file")
	}
	if err != nil {
		return nil, fmt.Errorf("read attachment: %w", err)
	}
	return file, nil
}

func (f folder) remove(id models.ID) error {
	if err := os.Remove(f.file(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove attachment: %w", err)
	}
	return nil
}
