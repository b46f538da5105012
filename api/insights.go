package api

import (
	"context"
	"time"

	"earshot/models"
)

// Insights are a project's figures.
type Insights struct {
	AsOf       time.Time       `json:"as_of" doc:"New items are counted within seconds"`
	Days       []InsightDay    `json:"days" nullable:"false" doc:"In the zone asked for"`
	Ratings    []int64         `json:"ratings" nullable:"false" doc:"How many gave one star to five; as all below by days of UTC"`
	Pages      []InsightCount  `json:"pages" nullable:"false" doc:"The ten with the most"`
	Tags       []InsightCount  `json:"tags" nullable:"false" doc:"The ten with the most"`
	Response   InsightDuration `json:"response" doc:"Until staff first answered"`
	Resolution InsightDuration `json:"resolution" doc:"Until the item was resolved or closed"`
}

// InsightDay is what came on one day, by what it is now.
type InsightDay struct {
	Day      string                  `json:"day" format:"date"`
	Total    int64                   `json:"total"`
	ByKind   map[string]int64        `json:"by_kind" doc:"\"\" where the visitor chose none"`
	ByStatus map[models.Status]int64 `json:"by_status"`
}

// InsightCount is how often something is there.
type InsightCount struct {
	Value string `json:"value"`
	N     int64  `json:"n"`
}

// InsightDuration is how long something took: at most 2.5 % off.
type InsightDuration struct {
	N        int64 `json:"n" doc:"Of how many items"`
	MedianMS int64 `json:"median_ms"`
	P90MS    int64 `json:"p90_ms"`
}

type insightsInput struct {
	ProjectPath
	From string `query:"from" required:"true" format:"date" doc:"The first day"`
	To   string `query:"to" required:"true" format:"date" doc:"The day after the last, at most 366 after from"`
	TZ   string `query:"tz" default:"UTC" maxLength:"64" doc:"A zone's name, such as Europe/Berlin"`
}

type insightsOutput struct{ Body Insights }

func (s *Server) getInsights(ctx context.Context, in *insightsInput) (*insightsOutput, error) {
	zone, err := time.LoadLocation(in.TZ)
	if err != nil || in.TZ == "Local" {
		return nil, models.InvalidField("tz", "must be the name of a zone, such as Europe/Berlin")
	}
	from, err := time.Parse(time.DateOnly, in.From)
	if err != nil {
		return nil, models.InvalidField("from", "must be a day such as 2026-01-31")
	}
	to, err := time.Parse(time.DateOnly, in.To)
	if err != nil {
		return nil, models.InvalidField("to", "must be a day such as 2026-01-31")
	}
	found, err := s.store.Insights(ctx, askerOf(ctx).claims.Scope, models.ID(in.ID), from, to, zone)
	if err != nil {
		return nil, err
	}
	body := Insights{
		AsOf: found.AsOf.UTC(), Days: []InsightDay{}, Ratings: found.Ratings[:], Pages: insightCounts(found.Pages), Tags: insightCounts(found.Tags),
		Response: insightDuration(found.Response), Resolution: insightDuration(found.Resolution),
	}
	for _, d := range found.Days {
		day := InsightDay{Day: d.Day.Format(time.DateOnly), Total: d.Total, ByKind: map[string]int64{}, ByStatus: d.ByStatus}
		for kind, n := range d.ByKind {
			day.ByKind[string(kind)] = n
		}
		body.Days = append(body.Days, day)
	}
	return &insightsOutput{Body: body}, nil
}

func insightCounts(found []models.Count) []InsightCount {
	counts := make([]InsightCount, 0, len(found))
	for _, c := range found {
		counts = append(counts, InsightCount(c))
	}
	return counts
}

func insightDuration(d models.Durations) InsightDuration {
	return InsightDuration{N: d.N, MedianMS: d.Median.Milliseconds(), P90MS: d.P90.Milliseconds()}
}
