package store

import (
	"context"
	"time"

	"earshot/models"
)

// quarantineBound is how many held back items are looked at for a summary: the
// newest ones.
const quarantineBound = 10_000

// Quarantine is what was held back of a project's submissions since a moment, and
// still is.
type Quarantine struct {
	Total Total
	// Reasons counts by reason, the most frequent first. An item may have several.
	Reasons []models.Count
}

// move is what follows from an item's change between inbox and quarantine. Who looked
// at it in the quarantine has not seen it in the inbox, but for whoever released it.
func (t *tx) move(row *feedbackRow, by models.Actor) error {
	if !row.Quarantined {
		if err := t.orm().Where("feedback_id = ? AND user_id <> ?", row.ID, by.UserID).Delete(&readRow{}).Error; err != nil {
			return err
		}
	}
	return t.reindex(row.N)
}

// newsReasons is how many reasons a mail names.
const newsReasons = 3

// heldBack counts what came in the stretch of the log that a mail is about and is
// held back, up to maxNews.
func (s *Store) heldBack(ctx context.Context, mail models.Mail) (n int64, reasons []models.Count, err error) {
	db := s.read.WithContext(ctx)
	const held = `SELECT f.n AS n, f.quarantine_reasons AS reasons FROM events AS e JOIN feedback AS f ON f.id = e.feedback_id
		WHERE e.project_id = ? AND e.seq > ? AND e.seq <= ? AND e.type = 'FeedbackReceived' AND f.quarantined = TRUE AND f.erased_at IS NULL LIMIT ?`
	if err := db.Raw("SELECT count(*) FROM ("+held+") AS h", mail.ProjectID, mail.Since, mail.Through, maxNews).Scan(&n).Error; err != nil || n == 0 {
		return n, nil, err
	}
	err = db.Raw(`SELECT r.value AS value, count(*) AS n FROM (`+held+`) AS h, `+dialectOf(db).elements("h.reasons")+`
		GROUP BY r.value ORDER BY count(*) DESC, r.value LIMIT ?`, mail.ProjectID, mail.Since, mail.Through, maxNews, newsReasons).Scan(&reasons).Error
	return n, reasons, err
}

// QuarantineSince counts a project's held back items by reason. Of more than 10,000
// it counts the newest.
func (s *Store) QuarantineSince(ctx context.Context, scope models.Scope, project models.ID, since time.Time) (q Quarantine, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return q, err
	}
	dialect := dialectOf(s.read)
	// The order of creation is a range for each status.
	sel := &selection{db: s.read.WithContext(ctx), dialect: dialect, project: project, filter: Filter{Quarantined: true, From: since}}
	held := sel.query(part{source: sel.created(), descending: true, limit: quarantineBound + 1})
	if err := s.read.WithContext(ctx).Raw("SELECT count(*) FROM ("+held.sql+") AS h", held.args...).Scan(&q.Total.N).Error; err != nil {
		return q, translate(err)
	}
	if q.Total.N > quarantineBound {
		q.Total.N, q.Total.AtLeast = quarantineBound, true
	}
	err = s.read.WithContext(ctx).Raw(`SELECT r.value AS value, count(*) AS n
		FROM (`+held.sql+`) AS h `+dialect.join()+` feedback AS f ON f.n = h.n, `+dialect.elements("f.quarantine_reasons")+`
		GROUP BY r.value ORDER BY count(*) DESC, r.value`, held.args...).Scan(&q.Reasons).Error
	return q, translate(err)
}
