package main

import "time"

// clocks has the server's clock jump by up to an hour, both ways, while
// dashboards come and go. Order is the order of commits and no clock's.
type clocks struct {
	Dashboards int           `default:"50" help:"How many."`
	Lasts      time.Duration `default:"20s" help:"How long; the clock jumps twice a second."`
	Least      time.Duration `default:"200ms" help:"The shortest life of a connection."`
	Most       time.Duration `default:"2s" help:"The longest."`
	Writers    int           `default:"8" help:"Writers over POST."`
	Pace       int           `default:"200" help:"Their submissions a second, together."`
}

// Run is called by kong.
func (c clocks) Run(t *test) error {
	t.printf("The clock jumps twice a second, for %v\n", c.Lasts)
	under := churn{
		Dashboards: c.Dashboards, Lasts: c.Lasts, Least: c.Least, Most: c.Most, Writers: c.Writers, Pace: c.Pace,
		flags: []string{"--jumps"}, renews: true,
	}
	found, err := under.happens(t, false)
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := found.holds(); err != nil {
		return err
	}
	// The bare server has no place to come back to, so its dashboards stay.
	under.flags, under.Least, under.Most, under.Lasts = []string{"--bare", "--jumps"}, time.Hour, 2*time.Hour, min(c.Lasts, 2*time.Second)
	if found, err = under.happens(t, false); err != nil {
		return err
	}
	return t.mustFail("a log in the order of the clock", found.wrong)
}
