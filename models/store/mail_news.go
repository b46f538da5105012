package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// News of feedback cost a submission nothing: what a member has not been told of
// is the project's log after the number up to which they were. Who is due is asked
// of the database each time, so neither a restart nor a clock that jumps loses
// anybody's mail.

const (
	// newsBatch bounds how many members one transaction queues mails for.
	newsBatch = 100
	// newsPace and newsBurst bound the mails at once of one member and project: so
	// many in a row, and then one in this time, of all that came meanwhile.
	newsPace  = 5 * time.Minute
	newsBurst = 12
	// maxNews is where counting stops.
	maxNews = 10_000
)

// dueNotification is a member who may be due to be told.
type dueNotification struct {
	ProjectID, UserID, OrganizationID models.ID
	Mode                              models.NotifyMode
	Through, NextAt, PaceAt, Head     int64
	TimeZone                          string
	// news: there is something.
	news bool
}

// A mail that waits takes up what a member would be told: the next one is made
// when it is gone, of everything since.
const dueNotifications = `SELECT * FROM (SELECT n.*, COALESCE(m.time_zone, 'UTC') AS time_zone,
	COALESCE((SELECT MAX(seq) FROM events WHERE project_id = n.project_id), 0) AS head
	FROM notifications AS n LEFT JOIN mail_preferences AS m ON m.user_id = n.user_id
	WHERE (n.next_at <= @now OR n.next_at > @now + CASE n.mode WHEN 'daily' THEN CAST(@day AS BIGINT) ELSE CAST(@hour AS BIGINT) END)
	AND NOT EXISTS (SELECT 1 FROM mails AS q WHERE q.project_id = n.project_id AND q.ended_at IS NULL
		AND q.user_id = n.user_id AND q.kind = 'news')
	) AS due WHERE mode <> 'at_once' OR head > through ORDER BY next_at LIMIT @batch`

// QueueNews queues the mails about new feedback that are due.
func (s *Store) QueueNews(ctx context.Context) (queued int, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	now := s.now()
	var due []dueNotification
	err = s.read.WithContext(ctx).Raw(dueNotifications, map[string]any{
		"now": now.UnixMilli(), "batch": newsBatch,
		"day": models.NotifyDaily.Longest().Milliseconds(), "hour": models.NotifyHourly.Longest().Milliseconds(),
	}).Scan(&due).Error
	if err != nil || len(due) == 0 {
		return 0, translate(err)
	}
	for i := range due {
		d := &due[i]
		// A next mail that is too far away was reckoned by a wrong clock. Nothing is
		// told then: only the time is set right.
		if d.NextAt > now.UnixMilli() {
			continue
		}
		news, err := s.anyNews(ctx, d.ProjectID, d.Through, d.Head)
		if err != nil {
			return 0, err
		}
		d.news = news
	}
	total := 0
	err = s.writer.do(ctx, false, func(t *tx) error {
		total = 0
		for _, d := range due {
			n, err := t.queueNews(d)
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return total, nil
}

// queueNews moves a member's place on, and queues a mail of what they pass. Who
// changed their mind meanwhile has another place.
func (t *tx) queueNews(d dueNotification) (queued int, err error) {
	next := map[string]any{"next_at": d.next(t.now).UnixMilli()}
	if d.NextAt <= t.now.UnixMilli() {
		next["through"] = d.Head
	}
	if d.news && d.Mode == models.NotifyAtOnce {
		pace := d.pace(t.now)
		next["pace_at"] = pace.UnixMilli()
		next["next_at"] = max(t.now.UnixMilli(), pace.Add(-(newsBurst-1)*newsPace).UnixMilli())
	}
	moved, err := rows(t.orm().Model(&notificationRow{}).Where("project_id = ? AND user_id = ? AND mode = ? AND through = ? AND next_at = ?",
		d.ProjectID, d.UserID, d.Mode, d.Through, d.NextAt).Updates(next))
	if err != nil || moved == 0 || !d.news {
		return 0, err
	}
	at := t.now.UnixMilli()
	return 1, t.orm().Create(&mailRow{
		ID: models.NewID(), Kind: models.MailNews, OrganizationID: d.OrganizationID, ProjectID: d.ProjectID, UserID: d.UserID,
		Recipient: memberHash(d.UserID), Since: d.Through, Through: d.Head, State: mailWaiting, DueAt: at, CreatedAt: at,
	}).Error
}

func (d dueNotification) next(now time.Time) time.Time {
	zone, err := models.LoadZone(d.TimeZone)
	if err != nil { // it was one when it was chosen
		zone = time.UTC
	}
	return d.Mode.Next(now, zone)
}

// pace counts a mail at once, by the generic cell rate algorithm (ITU-T I.371).
func (d dueNotification) pace(now time.Time) time.Time {
	pace := fromMillis(d.PaceAt)
	if pace.Before(now) || pace.After(now.Add((newsBurst+1)*newsPace)) {
		pace = now
	}
	return pace.Add(newsPace)
}

// released is of the events e in which staff let a suspected item into the inbox.
func released(d dialect, e string) string {
	return e + ".type = 'FeedbackUpdated' AND " + d.isFalse(e+".data", "changes", "quarantined")
}

// newsOf are the items of a stretch of a project's log that are news. What was
// held back once is news where it was released last; what still is, or was erased,
// is none.
func newsOf(db *gorm.DB, project models.ID, since, through int64) *gorm.DB {
	d := dialectOf(db)
	return db.Table("events AS e").Joins("JOIN feedback AS f ON f.id = e.feedback_id").
		Where("e.project_id = ? AND e.seq > ? AND e.seq <= ? AND f.quarantined = FALSE AND f.erased_at IS NULL", project, since, through).
		Where(`(e.type = 'FeedbackReceived' AND CAST(f.quarantine_reasons AS TEXT) = '[]' OR ` + released(d, "e") + `
			AND NOT EXISTS (SELECT 1 FROM events AS l WHERE l.feedback_id = f.id AND l.type <> 'FeedbackReceived' AND l.seq > e.seq AND ` + released(d, "l") + `))`)
}

func (s *Store) anyNews(ctx context.Context, project models.ID, since, through int64) (bool, error) {
	var one []int
	err := newsOf(s.read.WithContext(ctx), project, since, through).Select("1").Limit(1).Scan(&one).Error
	return len(one) > 0, translate(err)
}

// News is what a mail tells of new feedback.
type News struct {
	// Items are the first ones.
	Items []*models.Feedback
	Total int64
	// AtLeast: there were more than Total.
	AtLeast bool
	Kinds   []KindCount
	// Held is how many submissions came meanwhile and are held back, and HeldFor why,
	// the most frequent reasons first.
	Held    int64
	HeldFor []models.Count
}

// KindCount is how many items of a kind there are; "" is no kind.
type KindCount struct {
	Kind  models.Kind
	Count int64
}

// newsItems is how many items a mail shows.
const newsItems = 10

func (s *Store) news(ctx context.Context, mail models.Mail) (News, error) {
	db := s.read.WithContext(ctx)
	var rows []feedbackRow
	err := newsOf(db, mail.ProjectID, mail.Since, mail.Through).Select("f.*").Order("e.seq").Limit(newsItems).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return News{}, translate(err)
	}
	var news News
	for i := range rows {
		news.Items = append(news.Items, rows[i].feedback())
	}
	counted := newsOf(db, mail.ProjectID, mail.Since, mail.Through).Select("f.kind AS kind").Limit(maxNews + 1)
	if err := db.Table("(?) AS counted", counted).Select("kind, COUNT(*) AS count").Group("kind").Order("count DESC, kind").Scan(&news.Kinds).Error; err != nil {
		return News{}, translate(err)
	}
	for _, kind := range news.Kinds {
		news.Total += kind.Count
	}
	// The log forgets what is old and followed by much.
	var first int64
	if news.Held, news.HeldFor, err = s.heldBack(ctx, mail); err != nil {
		return News{}, translate(err)
	}
	if err := db.Raw("SELECT COALESCE(MIN(seq), 0) FROM events WHERE project_id = ?", mail.ProjectID).Scan(&first).Error; err != nil {
		return News{}, translate(err)
	}
	news.AtLeast = first > mail.Since+1
	if news.Total > maxNews {
		news.Total, news.AtLeast, news.Kinds = maxNews, true, nil
	}
	return news, nil
}
