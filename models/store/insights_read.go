package store

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"earshot/models"
)

// MaxInsightDays bounds what is asked for at once.
const MaxInsightDays = 366

// topValues is how many pages and tags are named.
const topValues = 10

// Insights are the figures of a project's items that came on the days from one to
// before another, both given by their midnights in UTC, as the clocks of zone had
// them. Ratings, pages, tags and times are counted by the days of UTC.
func (s *Store) Insights(ctx context.Context, scope models.Scope, project models.ID, from, to time.Time, zone *time.Location) (*models.Insights, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return nil, err
	}
	// Before the days are made: whoever asks for ten thousand years gets none of them.
	if days := to.Sub(from); days <= 0 || days > MaxInsightDays*24*time.Hour {
		return nil, models.InvalidField("to", "must be from 1 to 366 days after from")
	}
	in := &models.Insights{AsOf: s.now()}
	for at := from; at.Before(to); at = at.AddDate(0, 0, 1) {
		in.Days = append(in.Days, models.InsightDay{
			Day: at, Begins: models.DayBegins(at, zone), ByKind: map[models.Kind]int64{}, ByStatus: map[models.Status]int64{},
		})
	}
	// Each reads other rows and fills other fields, so they need not wait for each other.
	var reading sync.WaitGroup
	errs := make([]error, 3)
	reading.Go(func() { errs[0] = s.readDays(ctx, project, in, models.DayBegins(to, zone).UnixMilli()) })
	reading.Go(func() {
		var err error
		in.Pages, err = s.valuesOf(ctx, project, dimPage, from, to, topValues)
		errs[1] = err
	})
	reading.Go(func() { errs[2] = s.readTotals(ctx, project, in, from, to) })
	reading.Wait()
	return in, translate(errors.Join(errs...))
}

func (s *Store) readTotals(ctx context.Context, project models.ID, in *models.Insights, from, to time.Time) error {
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

// valuesOf adds up a dimension's whole months and the days before and after them,
// the largest first; limit 0 is all.
func (s *Store) valuesOf(ctx context.Context, project models.ID, dimension string, from, to time.Time, limit int) (counts []models.Count, err error) {
	if limit == 0 {
		limit = noLimit
	}
	firstMonth, lastMonth := wholeMonths(from, to)
	const part = "SELECT value, n FROM insights WHERE project_id = ? AND dimension = ? AND at >= ? AND at < ?"
	err = s.read.WithContext(ctx).Raw(`SELECT value, SUM(n) AS n FROM (`+part+` UNION ALL `+part+` UNION ALL `+part+`) AS parts
		GROUP BY value HAVING SUM(n) > 0 ORDER BY SUM(n) DESC, value LIMIT ?`,
		project, dimension, from.UnixMilli(), firstMonth.UnixMilli(),
		project, dimension+perMonth, firstMonth.UnixMilli(), lastMonth.UnixMilli(),
		project, dimension, lastMonth.UnixMilli(), to.UnixMilli(), limit).Scan(&counts).Error
	return counts, err
}

// wholeMonths are where the first whole month between two days begins and where the
// last one ends; without one, both are the latter day.
func wholeMonths(from, to time.Time) (first, last time.Time) {
	first = time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC)
	if first.Before(from) {
		first = first.AddDate(0, 1, 0)
	}
	last = time.Date(to.Year(), to.Month(), 1, 0, 0, 0, 0, time.UTC)
	if !first.Before(last) {
		return to, to
	}
	return first, last
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
