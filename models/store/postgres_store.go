package store

import (
	"context"
	"errors"
)

// openPostgres opens a PostgreSQL database, whose schema Schema.Up has brought up to
// date.
func (s *Store) openPostgres(ctx context.Context, options Options) error {
	schema, err := openPostgresSchema(ctx, options.Path)
	if err != nil {
		return err
	}
	if err := errors.Join(schema.checkCurrent(ctx), schema.Close()); err != nil {
		return err
	}
	config, err := postgresConfig(options.Path, "writer", nil)
	if err != nil {
		return err
	}
	if s.write, err = openPostgres(config, 1); err != nil {
		return err
	}
	if s.read, err = openPostgresReaders(options.Path); err != nil {
		return err
	}
	if !options.Beside {
		pool, err := s.read.DB()
		if err = errors.Join(err, warnOfConnections(ctx, pool, options.Log)); err != nil {
			return err
		}
	}
	s.searchable = true
	s.writer, err = newRemoteWriter(ctx, s.write, s.setEpoch, options)
	return err
}

// DatabaseBytes is how much the files of a PostgreSQL database take.
func (s *Store) DatabaseBytes(ctx context.Context) (size int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err = s.read.WithContext(ctx).Raw("SELECT pg_database_size(current_database())").Scan(&size).Error
	return size, translate(err)
}
