//go:build !cgo

package store

import "errors"

// Supported reports why this program cannot open a database: SQLite is C.
func Supported() error {
	return errors.New("this program was built without cgo and cannot open its database: build it with CGO_ENABLED=1 and a C compiler")
}

func translateSQLite(error) error { return nil }

func corruptSQLite(error) bool { return false }
