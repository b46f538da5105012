package main

import (
	"errors"
	"fmt"
	"time"

	"earshot/models/store"
)

// spans of time that charts are drawn for, by how many days they have.
func chartSpans() map[string]int {
	return map[string]int{"charts of a month": 30, "charts of a year": 365}
}

// charts measures what the charts' figures cost. They are roll-ups, so what counts is
// the time alone, and not how it compares with a small project's.
func (c scale) charts(t *test, small, large *shelf) error {
	for _, s := range []*shelf{small, large} {
		if err := s.awaitCounts(t); err != nil {
			return err
		}
	}
	var failures []error
	for name, days := range chartSpans() {
		few, err := small.measureCharts(t, days, c.Runs)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		many, err := large.measureCharts(t, days, c.Runs)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		t.printf("%-34s %8.2f %8.2f %8.2f %8.2f %7.2f\n", name, ms(few.p50), ms(few.p99), ms(many.p50), ms(many.p99), float64(many.p99)/float64(few.p99))
		if ms(many.p99) > c.Charts {
			failures = append(failures, fmt.Errorf("%s: p99 %.2f ms", name, ms(many.p99)))
		}
	}
	return errors.Join(failures...)
}

func (s *shelf) measureCharts(t *test, days, runs int) (timing, error) {
	to := epoch.Truncate(24 * time.Hour)
	var times []time.Duration
	for i := range 2 + runs {
		began := time.Now()
		if _, err := s.store.Insights(t.ctx, s.scope, s.project, to.AddDate(0, 0, -days), to, time.UTC); err != nil {
			return timing{}, err
		}
		if i >= 2 {
			times = append(times, time.Since(began))
		}
	}
	p50, p99 := percentiles(times)
	return timing{p50, p99}, nil
}

// awaitCounts waits until the charts have every item that the inbox has.
func (s *shelf) awaitCounts(t *test) error {
	list, err := s.store.FeedbackList(t.ctx, s.scope, s.project, store.Filter{}, store.Page{Limit: 1, Count: store.CountExact})
	if err != nil {
		return err
	}
	end := epoch.Truncate(24*time.Hour).AddDate(0, 0, 1)
	for {
		var counted int64
		for year := range 3 {
			in, err := s.store.Insights(t.ctx, s.scope, s.project, end.AddDate(0, 0, -365*(year+1)), end.AddDate(0, 0, -365*year), time.UTC)
			if err != nil {
				return err
			}
			for _, day := range in.Days {
				counted += day.Total
			}
		}
		if counted == list.Total.N {
			return nil
		}
		select {
		case <-t.ctx.Done():
			return fmt.Errorf("%d of %d items were counted: %w", counted, list.Total.N, t.ctx.Err())
		case <-time.After(time.Second):
		}
	}
}
