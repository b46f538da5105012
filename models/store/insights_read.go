package store

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"earshot/models"
)

// MaxInsightDays bounds what is asked for at once.
const MaxInsightDays = 366

// topValues is how many pages and tags are named.
const topValues = 10

// Insights are the figures of a project's items that came from one midnight to
// another, both in from's zone. Ratings, pages, tags and times are counted by the
// days of UTC that begin within.
func (s *Store) Insights(ctx context.Context, scope models.Scope, project models.ID, from, to time.Time) (*models.Insights, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return nil, err
	}
	// Before the days are made: whoever asks for ten thousand years gets none of them.
	if days := to.Sub(from); days <= 0 || days > (MaxInsightDays+1)*24*time.Hour {
		return nil, errInsightDays()
	}
	in := &models.Insights{AsOf: s.now()}
	for at := from; at.Before(to); at = at.AddDate(0, 0, 1) {
		in.Days = append(in.Days, models.InsightDay{Day: at, ByKind: map[models.Kind]int64{}, ByStatus: map[models.Status]int64{}})
	}
	if len(in.Days) == 0 || len(in.Days) > MaxInsightDays {
		return nil, errInsightDays()
	}
	// Each reads other rows and fills other fields, so they need not wait for each
	// other; of a year of a large project each takes tens of milliseconds.
	var reading sync.WaitGroup
	errs := make([]error, 3)
	reading.Go(func() { errs[0] = s.readDays(ctx, project, in, to) })
	reading.Go(func() {
		var err error
		in.Pages, err = s.valuesOf(ctx, project, dimPage, from.UnixMilli(), to.UnixMilli(), topValues)
		errs[1] = err
	})
	reading.Go(func() { errs[2] = s.readTotals(ctx, project, in, from.UnixMilli(), to.UnixMilli()) })
	reading.Wait()
	return in, translate(errors.Join(errs...))
}

func errInsightDays() error {
	return models.InvalidField("to", "must be from 1 to 366 days after from")
}

// readDays adds up the hours of each day, in the database: a year has too many to
// be handed over one by one.
func (s *Store) readDays(ctx context.Context, project models.ID, in *models.Insights, to time.Time) error {
	var bounds strings.Builder
	args := make([]any, 0, 3*len(in.Days)+1)
	for i, d := range in.Days {
		end := to
		if i+1 < len(in.Days) {
			end = in.Days[i+1].Day
		}
		if i > 0 {
			bounds.WriteString(", ")
		}
		bounds.WriteString("(?, ?, ?)")
		args = append(args, i, d.Day.UnixMilli(), end.UnixMilli())
	}
	var found []struct {
		Day       int
		Dimension string
		Value     string
		N         int64
	}
	// The order of the join is said: the index is read once a day and dimension.
	err := s.read.WithContext(ctx).Raw(`WITH days (day, begins, ends) AS (VALUES `+bounds.String()+`),
			dimensions (dimension) AS (VALUES ('total'), ('kind'), ('status'))
		SELECT days.day, i.dimension, i.value, SUM(i.n) AS n FROM days CROSS JOIN dimensions CROSS JOIN insights AS i
		WHERE i.project_id = ? AND i.dimension = dimensions.dimension AND i.at >= days.begins AND i.at < days.ends
		GROUP BY days.day, i.dimension, i.value`, append(args, project)...).Scan(&found).Error
	for _, row := range found {
		d := &in.Days[row.Day]
		switch row.Dimension {
		case dimTotal:
			d.Total = row.N
		case dimKind:
			d.ByKind[models.Kind(row.Value)] = row.N
		case dimStatus:
			d.ByStatus[models.Status(row.Value)] = row.N
		}
	}
	return err
}

func (s *Store) readTotals(ctx context.Context, project models.ID, in *models.Insights, from, to int64) error {
	ratings, err := s.valuesOf(ctx, project, dimRating, from, to, 0)
	if err != nil {
		return err
	}
	for _, count := range ratings {
		if stars, err := strconv.Atoi(count.Value); err == nil && stars >= 1 && stars <= len(in.Ratings) {
			in.Ratings[stars-1] = count.N
		}
	}
	if in.Tags, err = s.valuesOf(ctx, project, dimTag, from, to, topValues); err != nil {
		return err
	}
	for dimension, into := range map[string]*models.Durations{dimResponse: &in.Response, dimResolution: &in.Resolution} {
		buckets, err := s.valuesOf(ctx, project, dimension, from, to, 0)
		if err != nil {
			return err
		}
		*into = durationsOf(buckets)
	}
	return nil
}

// valuesOf adds up a dimension's days, the largest first; limit 0 is all.
func (s *Store) valuesOf(ctx context.Context, project models.ID, dimension string, from, to int64, limit int) (counts []models.Count, err error) {
	if limit == 0 {
		limit = -1
	}
	err = s.read.WithContext(ctx).Raw(`SELECT value, SUM(n) AS n FROM insights
		WHERE project_id = ? AND dimension = ? AND at >= ? AND at < ? GROUP BY value HAVING SUM(n) > 0 ORDER BY SUM(n) DESC, value LIMIT ?`,
		project, dimension, from, to, limit).Scan(&counts).Error
	return counts, err
}

func durationsOf(buckets []models.Count) (d models.Durations) {
	byBucket := map[int]int64{}
	first, last := math.MaxInt, math.MinInt
	for _, count := range buckets {
		bucket, err := strconv.Atoi(count.Value)
		if err != nil {
			continue
		}
		byBucket[bucket] = count.N
		d.N += count.N
		first, last = min(first, bucket), max(last, bucket)
	}
	var below int64
	for bucket := first; bucket <= last && d.N > 0; bucket++ {
		before := below
		below += byBucket[bucket]
		// The nearest rank: the smallest that so many do not exceed.
		if rank := (d.N + 1) / 2; before < rank && below >= rank {
			d.Median = bucketDuration(bucket)
		}
		if rank := (d.N*9 + 9) / 10; before < rank && below >= rank {
			d.P90 = bucketDuration(bucket)
		}
	}
	return d
}
