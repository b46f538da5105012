package api

import (
	"context"
	"time"

	"earshot/models"
)

// QuarantineSummary is what is held back of what came lately, by reason.
type QuarantineSummary struct {
	Day  QuarantinePeriod `json:"day" doc:"The last 24 hours"`
	Week QuarantinePeriod `json:"week" doc:"The last 7 days"`
}

// QuarantinePeriod is the same of one stretch of time.
type QuarantinePeriod struct {
	Total   int64              `json:"total" doc:"Items that are still held back. Of more than 10,000 the newest are counted"`
	TotalIs string             `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
	Reasons []QuarantineReason `json:"reasons" nullable:"false" doc:"The most frequent first. An item may have several"`
}

// QuarantineReason is how many items are held back for a reason.
type QuarantineReason struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

type quarantineOutput struct{ Body QuarantineSummary }

func (s *Server) summarizeQuarantine(ctx context.Context, in *ProjectPath) (*quarantineOutput, error) {
	var body QuarantineSummary
	const day = 24 * time.Hour
	for _, period := range []struct {
		into *QuarantinePeriod
		long time.Duration
	}{{&body.Day, day}, {&body.Week, 7 * day}} {
		held, err := s.store.QuarantineSince(ctx, askerOf(ctx).claims.Scope, models.ID(in.ID), s.now().Add(-period.long))
		if err != nil {
			return nil, err
		}
		*period.into = QuarantinePeriod{Total: held.Total.N, Reasons: []QuarantineReason{}}
		if held.Total.AtLeast {
			period.into.TotalIs = "at_least"
		}
		for _, reason := range held.Reasons {
			period.into.Reasons = append(period.into.Reasons, QuarantineReason{Reason: reason.Value, Count: reason.N})
		}
	}
	return &quarantineOutput{Body: body}, nil
}
