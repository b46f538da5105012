package store

import (
	"context"
	"fmt"

	"earshot/models"
)

const metaEpoch = "epoch"

// loadEpoch reads the epoch, and gives a new database one.
func (s *Store) loadEpoch(ctx context.Context) (models.Epoch, error) {
	var row metaRow
	err := s.writer.do(ctx, false, func(t *tx) error {
		fresh := metaRow{Name: metaEpoch, Value: string(newEpoch())}
		if err := t.orm().Exec("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", fresh.Name, fresh.Value).Error; err != nil {
			return err
		}
		return t.orm().Where("name = ?", metaEpoch).Take(&row).Error
	})
	if err != nil {
		return "", fmt.Errorf("read epoch: %w", err)
	}
	return models.Epoch(row.Value), nil
}

// renewEpoch gives the database a new epoch.
func (s *Store) renewEpoch(ctx context.Context) error {
	err := s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Where("name = ?", metaEpoch).Delete(&metaRow{}).Error
	})
	if err != nil {
		return fmt.Errorf("renew epoch: %w", err)
	}
	epoch, err := s.loadEpoch(ctx)
	if err == nil {
		s.setEpoch(epoch)
	}
	return err
}

// Epoch names this life of the database's logs.
func (s *Store) Epoch() models.Epoch {
	if epoch := s.epoch.Load(); epoch != nil {
		return *epoch
	}
	return ""
}

func (s *Store) setEpoch(epoch models.Epoch) { s.epoch.Store(&epoch) }

func newEpoch() models.Epoch { return models.Epoch(models.NewToken()[:16]) }
