//go:build !linux && !darwin

package operator

import "errors"

// FreeBytes is how much more may be written to the file system of a folder.
func FreeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
