package store

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"earshot/models"
)

// The dimensions of what is counted by the days of UTC and by its months; the latter
// have the dimension's name with perMonth.
const (
	dimRating     = "rating"
	dimPage       = "page"
	dimTag        = "tag"
	dimResponse   = "response"
	dimResolution = "resolution"
	perMonth      = "/month"
)

const (
	insightsThrough = "insights_through" // the meta name of the number that is counted last
	// insightsBatch is how many items one transaction counts.
	insightsBatch    = 200
	insightsInterval = time.Second
	// Counting rests this many times as long as it worked, while others write.
	insightsRest = 19
	// maxPageValue bounds the address of a page, in bytes; longer ones are cut.
	maxPageValue = 300
	hour         = int64(time.Hour / time.Millisecond)
	day          = 24 * hour
)

// insightRow is one count: of a day, or of the month that begins then.
type insightRow struct {
	ProjectID models.ID `gorm:"primaryKey"`
	Dimension string    `gorm:"primaryKey"`
	At        int64     `gorm:"primaryKey;autoIncrement:false"`
	Value     string    `gorm:"primaryKey"`
	N         int64
}

func (insightRow) TableName() string { return "insights" }

// counted is what items add to the counts.
type counted struct {
	values  map[insightRow]int64
	volumes map[volumeRow]*volume // by their keys, the counts of which are zero
}

func newCounted() counted {
	return counted{values: map[insightRow]int64{}, volumes: map[volumeRow]*volume{}}
}

// add counts an item, or with sign -1 takes it out again. Suspected items and
// erased ones are in no figure.
func (c counted) add(r *feedbackRow, sign int64) {
	if r.Quarantined || r.ErasedAt != nil {
		return
	}
	key := volumeRow{ProjectID: r.ProjectID, At: r.CreatedAt - r.CreatedAt%quarter}
	if c.volumes[key] == nil {
		c.volumes[key] = &volume{}
	}
	c.volumes[key].add(r, sign)

	created := fromMillis(r.CreatedAt)
	month := time.Date(created.Year(), created.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	count := func(dimension, value string) {
		c.values[insightRow{ProjectID: r.ProjectID, Dimension: dimension, At: r.CreatedAt - r.CreatedAt%day, Value: value}] += sign
		c.values[insightRow{ProjectID: r.ProjectID, Dimension: dimension + perMonth, At: month, Value: value}] += sign
	}
	if r.Rating > 0 {
		count(dimRating, strconv.Itoa(r.Rating))
	}
	if page := pageValue(r.PageURL); page != "" {
		count(dimPage, page)
	}
	for _, tag := range r.Tags {
		count(dimTag, tag)
	}
	if r.FirstReplyAt != nil {
		count(dimResponse, strconv.Itoa(durationBucket(*r.FirstReplyAt-r.CreatedAt)))
	}
	if r.ResolvedAt != nil {
		count(dimResolution, strconv.Itoa(durationBucket(*r.ResolvedAt-r.CreatedAt)))
	}
}

// pageValue is a page without what differs from visit to visit.
func pageValue(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return ""
	}
	page := parsed.Host + strings.TrimSuffix(parsed.EscapedPath(), "/")
	return strings.ToValidUTF8(page[:min(len(page), maxPageValue)], "")
}

// Durations are counted in buckets, each a twentieth longer than the one before: a
// percentile read from them is at most 2.5 % off (half a bucket, as in HDR
// histograms, http://hdrhistogram.org).
const bucketGrowth = 1.05

func durationBucket(ms int64) int {
	return int(math.Round(math.Log(float64(max(ms, 1))) / math.Log(bucketGrowth)))
}

func bucketDuration(bucket int) time.Duration {
	return time.Duration(math.Pow(bucketGrowth, float64(bucket))) * time.Millisecond
}

// count writes what was counted. A value of which nothing is left goes: it may be
// the address of a page that was erased. The quarters stay as zeros, and say nothing.
func (t *tx) count(c counted) error {
	if err := t.countVolumes(c.volumes); err != nil {
		return err
	}
	rows := make([]insightRow, 0, len(c.values))
	for row, n := range c.values {
		if n != 0 {
			row.N = n
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	const most = 1000
	err := t.orm().Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "project_id"}, {Name: "dimension"}, {Name: "at"}, {Name: "value"}},
		DoUpdates: clause.Assignments(map[string]any{"n": gorm.Expr("insights.n + excluded.n")}),
	}).CreateInBatches(&rows, most).Error
	for i := 0; err == nil && i < len(rows); i++ {
		if row := rows[i]; row.N < 0 {
			err = t.orm().Where("project_id = ? AND dimension = ? AND at = ? AND value = ? AND n <= 0",
				row.ProjectID, row.Dimension, row.At, row.Value).Delete(&insightRow{}).Error
		}
	}
	return err
}

// recount keeps the counts in step with a change of an item. One that the
// projection has not come to is counted later, as it is by then.
func (t *tx) recount(before, after *feedbackRow) error {
	through, err := t.insightsThrough()
	if err != nil || before.N > through {
		return err
	}
	c := newCounted()
	c.add(before, -1)
	c.add(after, 1)
	return t.count(c)
}

func (t *tx) insightsThrough() (n int64, err error) {
	err = t.orm().Model(&metaRow{}).Select("CAST(value AS BIGINT)").Where("name = ?", insightsThrough).Scan(&n).Error
	return n, err
}

func (t *tx) removeInsights(project models.ID) (int64, error) {
	return rows(t.orm().Exec(`DELETE FROM insights WHERE project_id = ? AND (dimension, at, value) IN
		(SELECT dimension, at, value FROM insights WHERE project_id = ? LIMIT ?)`, project, project, removalBatch))
}

// insightsProjection counts new items in the background: none of it is in the way
// of a submission.
type insightsProjection struct {
	store  *Store
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startInsights(s *Store) *insightsProjection {
	ctx, cancel := context.WithCancel(context.Background())
	p := &insightsProjection{store: s, cancel: cancel}
	p.ended.Go(func() { p.run(ctx) })
	return p
}

func (p *insightsProjection) stop() {
	p.cancel()
	p.ended.Wait()
}

func (p *insightsProjection) run(ctx context.Context) {
	var seen uint64
	for {
		pause := insightsInterval
		if commits := p.store.writer.commits.Load(); commits != seen {
			began := time.Now()
			more, err := p.step(ctx)
			switch {
			case err != nil && ctx.Err() == nil:
				p.store.log.Error("count for charts", "error", err)
			case more && p.store.writer.commits.Load()-commits > 1: // others write as well
				pause = insightsRest * time.Since(began)
			case more:
				pause = 0
			case err == nil:
				seen = commits
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// step counts the next items.
func (p *insightsProjection) step(ctx context.Context) (more bool, err error) {
	var behind bool
	err = p.store.read.WithContext(ctx).Raw("SELECT coalesce(max(n), 0) > (SELECT CAST(value AS BIGINT) FROM meta WHERE name = ?) FROM feedback",
		insightsThrough).Scan(&behind).Error
	if err != nil || !behind {
		return false, err
	}
	told := make(chan int, 1)
	err = p.store.writer.do(ctx, false, func(t *tx) error {
		n, err := t.countNext()
		select {
		case <-told:
		default:
		}
		told <- n
		return err
	})
	if err != nil {
		return false, err
	}
	return <-told == insightsBatch, nil
}

// countNext reads inside the transaction: what changes an item meanwhile comes
// before or after, and knows whether it was counted.
func (t *tx) countNext() (int, error) {
	through, err := t.insightsThrough()
	if err != nil {
		return 0, err
	}
	var next []feedbackRow
	if err := t.orm().Where("n > ?", through).Order("n").Limit(insightsBatch).Find(&next).Error; err != nil || len(next) == 0 {
		return 0, err
	}
	c := newCounted()
	for i := range next {
		c.add(&next[i], 1)
	}
	if err := t.count(c); err != nil {
		return 0, err
	}
	return len(next), t.orm().Save(&metaRow{Name: insightsThrough, Value: strconv.FormatInt(next[len(next)-1].N, 10)}).Error
}
