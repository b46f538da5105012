//go:build cgo

package store

import (
	"errors"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// Supported reports why this program cannot open a database; nil if it can.
func Supported() error { return nil }

// translateSQLite is the answer to a failure that SQLite names; nil where the
// fault is ours.
func translateSQLite(err error) error {
	var failure sqlite3.Error
	if !errors.As(err, &failure) {
		return nil
	}
	switch failure.Code {
	case sqlite3.ErrFull:
		return errStorageFull
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly:
		return errUnavailable
	}
	return nil
}

// corruptSQLite reports whether SQLite found a file that it cannot have written.
func corruptSQLite(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && (failure.Code == sqlite3.ErrCorrupt || failure.Code == sqlite3.ErrNotADB)
}
