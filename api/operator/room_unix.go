//go:build linux || darwin

package operator

import "golang.org/x/sys/unix"

// FreeBytes is how much more may be written to the file system of a folder.
func FreeBytes(folder string) (uint64, error) {
	var room unix.Statfs_t
	if err := unix.Statfs(folder, &room); err != nil {
		return 0, err
	}
	return room.Bavail * uint64(room.Bsize), nil //nolint:gosec // a block has some kilobytes
}
