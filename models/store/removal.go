package store

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

const (
	// removalBatch is how many rows one transaction removes; submissions wait for
	// it meanwhile.
	removalBatch = 100
	// removalInterval is the time between two looks for deleted projects, and
	// removalRest how many times as long as it worked a removal then rests.
	removalInterval = 500 * time.Millisecond
	removalRest     = 9
)

// remover removes the rows of deleted projects in the background. What it has
// to do is in the database, so a restart loses none of it.
type remover struct {
	store  *Store
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startRemover(s *Store) *remover {
	ctx, cancel := context.WithCancel(context.Background())
	r := &remover{store: s, cancel: cancel}
	r.ended.Go(func() { r.run(ctx) })
	return r
}

func (r *remover) stop() {
	r.cancel()
	r.ended.Wait()
}

func (r *remover) run(ctx context.Context) {
	for {
		began := time.Now()
		more, err := r.step(ctx)
		if err != nil && ctx.Err() == nil {
			r.store.log.Error("remove a deleted project", "error", err)
		}
		pause := removalInterval
		if more {
			pause = removalRest * time.Since(began)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// step removes some rows of the project that was deleted first.
func (r *remover) step(ctx context.Context) (more bool, err error) {
	var row removalRow
	err = r.store.read.WithContext(ctx).Order("created_at").Limit(1).Find(&row).Error
	if err != nil || row.ProjectID == "" {
		return false, err
	}
	err = r.store.writer.do(ctx, false, func(t *tx) error {
		for _, remove := range []func(models.ID) (int64, error){
			t.blankFeedback, t.removeMessages, t.removeEvents, t.removeVisitorSessions, t.removeMails, t.removeMailAddresses,
			t.removeTags, t.removeInsights, t.removeVolumes, t.removeAttachments,
		} {
			if n, err := remove(row.ProjectID); err != nil || n > 0 {
				return err
			}
		}
		return t.orm().Delete(&row).Error
	})
	return err == nil, err
}

// blankFeedback erases items without a word to anybody: their project has no
// log any more. The rows stay so that their ids stay taken.
func (t *tx) blankFeedback(project models.ID) (int64, error) {
	var numbers []int64
	err := t.orm().Model(&feedbackRow{}).Where("project_id = ? AND erased_at IS NULL", project).
		Limit(removalBatch).Pluck("n", &numbers).Error
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	if err := t.forgetWords(numbers...); err != nil {
		return 0, err
	}
	ids := t.orm().Model(&feedbackRow{}).Select("id").Where("n IN ?", numbers)
	if err := t.orm().Where("feedback_id IN (?)", ids).Delete(&readRow{}).Error; err != nil {
		return 0, err
	}
	at := t.now.UnixMilli()
	blanked := t.orm().Model(&feedbackRow{}).Where("n IN ?", numbers).Updates(map[string]any{
		"session_id": "", "fingerprint": []byte{}, "message": "", "page_url": "", "kind": "", "rating": 0, "email": "", "name": "",
		"context": "", "status": models.StatusClosed, "assignee_id": "", "tags": "[]", "quarantine_reasons": "[]", "address_hash": "",
		"updated_at": at, "erased_at": at, "attachments": 0, "identity": "",
	})
	return blanked.RowsAffected, blanked.Error
}

func (t *tx) removeMessages(project models.ID) (int64, error) {
	var ids []models.ID
	err := t.orm().Model(&messageRow{}).Where("project_id = ? AND (deleted_at IS NULL OR author_name <> '' OR user_id <> '')", project).
		Limit(removalBatch).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return int64(len(ids)), t.blankMessages("id IN ?", ids)
}

func (t *tx) removeEvents(project models.ID) (int64, error) {
	return rows(t.orm().Exec(`DELETE FROM events WHERE project_id = ? AND seq IN
		(SELECT seq FROM events WHERE project_id = ? LIMIT ?)`, project, project, removalBatch))
}

func (t *tx) removeVisitorSessions(project models.ID) (int64, error) {
	return rows(t.orm().Exec(`DELETE FROM visitor_sessions WHERE project_id = ? AND resume_hash IN
		(SELECT resume_hash FROM visitor_sessions WHERE project_id = ? LIMIT ?)`, project, project, removalBatch))
}

func rows(result *gorm.DB) (int64, error) { return result.RowsAffected, result.Error }
