package store

import (
	"context"
	"errors"

	sqlite3 "github.com/mattn/go-sqlite3"
	"gorm.io/gorm"

	"earshot/models"
)

// translate turns a database's failure into one that a client may read where
// the client can do something about it. Everything else stays as it is, to be
// logged and answered as internal.
func translate(err error) error {
	if err == nil || errors.As(err, new(*models.Error)) {
		return err
	}
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return errNotFound
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errUnavailable
	}
	if lite := (sqlite3.Error{}); errors.As(err, &lite) {
		switch lite.Code { //nolint:exhaustive // the others are our own faults
		case sqlite3.ErrFull:
			return models.Errorf(models.CodeStorageFull, "the server has no storage left")
		case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly:
			return errUnavailable
		}
	}
	return err
}

var (
	errNotFound    = models.Errorf(models.CodeNotFound, "there is no such object")
	errUnavailable = models.Errorf(models.CodeUnavailable, "storage is not available at the moment; try again")
)
