package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"earshot/models"
)

// full lets the disk of a server run full under load, a file system of its own
// in memory, and makes room again after a while.
type full struct {
	Writers int           `default:"16" help:"Parallel writers, half over sockets, half over POST."`
	Lasts   time.Duration `default:"5s" help:"How long there is no room."`
	Heals   time.Duration `default:"5s" help:"The time from there being room again to the next acknowledgement, at most."`
}

const (
	diskSize = 16 << 20
	// diskFiller leaves the server little of the disk until it is removed.
	diskFiller = 12 << 20
)

// Run is called by kong.
func (f full) Run(t *test) error {
	t.printf("A disk of %d MiB is full for %v, under %d writers\n", diskSize>>20, f.Lasts, f.Writers)
	found, err := f.happens(t)
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := found.holds(models.CodeStorageFull); err != nil {
		return err
	}
	if found, err = f.happens(t, "--bare", "--early"); err != nil {
		return err
	}
	return t.mustFail("a server that acknowledges before it commits", found.audit.holds())
}

func (f full) happens(t *test, flags ...string) (found *suffered, err error) {
	disk, err := mountSmall()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, disk.unmount()) }()
	o := outage{writers: f.Writers, lasts: f.Lasts, heals: f.Heals, begin: disk.fill(t), end: disk.empty}
	return o.run(t, launch{data: disk.folder, flags: flags})
}

// smallDisk is a file system that is soon full.
type smallDisk struct{ folder, filler string }

func mountSmall() (*smallDisk, error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return nil, err
	}
	if err := syscall.Mount("earshot-loadtest", folder, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		return nil, errors.Join(fmt.Errorf("mount a small disk: %w", err), os.Remove(folder))
	}
	d := &smallDisk{folder: folder, filler: filepath.Join(folder, "filler")}
	if err := os.WriteFile(d.filler, make([]byte, diskFiller), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("fill a small disk: %w", err), d.unmount())
	}
	return d, nil
}

func (d *smallDisk) unmount() error {
	if err := syscall.Unmount(d.folder, 0); err != nil {
		return fmt.Errorf("unmount the small disk: %w", err)
	}
	return os.Remove(d.folder)
}

// fill waits until the server has taken the last of the room, and takes at once
// whatever it gives back.
func (d *smallDisk) fill(t *test) func(*process) error {
	return func(*process) error {
		const patience = 30 * time.Second
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			var room syscall.Statfs_t
			if err := syscall.Statfs(d.folder, &room); err != nil {
				return fmt.Errorf("look at the small disk: %w", err)
			}
			if room.Bavail == 0 {
				return nil
			}
			if err := t.wait(5 * time.Millisecond); err != nil {
				return err
			}
		}
		return errors.New("the disk does not fill up")
	}
}

// empty makes room.
func (d *smallDisk) empty() error { return os.Remove(d.filler) }
