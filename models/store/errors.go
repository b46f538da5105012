package store

import (
	"context"
	"errors"

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
	if e := translateSQLite(err); e != nil {
		return e
	}
	if e := translatePostgres(err); e != nil {
		return e
	}
	return err
}

var (
	errNotFound    = models.Errorf(models.CodeNotFound, "there is no such object")
	errStorageFull = models.Errorf(models.CodeStorageFull, "the server has no storage left")
	errUnavailable = models.Errorf(models.CodeUnavailable, "storage is not available at the moment; try again")
)
