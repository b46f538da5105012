package store

import (
	"context"
	"time"

	"earshot/models"
)

// failureMemory is how long a failed transaction speaks against the storage: nobody
// may be left who would try it again.
const failureMemory = 10 * time.Second

// Writable reports why writes are likely to fail: too many wait, or the last
// transaction failed a moment ago.
func (s *Store) Writable() error {
	if len(s.writer.queue) == cap(s.writer.queue) {
		return models.Errorf(models.CodeUnavailable, "too many writes wait")
	}
	if at := s.writer.failedAt.Load(); at != 0 && time.Since(time.Unix(0, at)) < failureMemory {
		return models.Errorf(models.CodeUnavailable, "the last write failed")
	}
	return nil
}

// QueuedWrites is how many writes wait, and how many may.
func (s *Store) QueuedWrites() (waiting, limit int) { return len(s.writer.queue), cap(s.writer.queue) }

// OpenJobs counts the jobs of everybody that are not finished.
func (s *Store) OpenJobs(ctx context.Context) (count int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err = s.read.WithContext(ctx).Model(&jobRow{}).Where("finished_at IS NULL").Count(&count).Error
	return count, translate(err)
}

// FirstOrganization is the one that was there first: whoever set the server up made
// it. CodeNotFound where there is none.
func (s *Store) FirstOrganization(ctx context.Context) (models.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row organizationRow
	err := s.read.WithContext(ctx).Order("created_at, id").Take(&row).Error
	return row.ID, translate(err)
}
