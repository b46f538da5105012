package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
)

// Meta reads one of the database's own notes; "" where there is none.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := gorm.G[metaRow](s.read).Where("name = ?", name).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", nil
	}
	return row.Value, translate(err)
}

// SetMeta writes one of the database's own notes.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Save(&metaRow{Name: name, Value: value}).Error
	})
}
