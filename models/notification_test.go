package models

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The next mail is ahead, soon, and at the hour that was promised, wherever and
// whenever that is.
func TestNextMail(t *testing.T) {
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "Africa/Casablanca", "America/St_Johns",
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		zone, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		now := time.UnixMilli(rapid.Int64Range(1_700_000_000_000, 1_900_000_000_000).Draw(t, "now"))
		for _, mode := range []NotifyMode{NotifyHourly, NotifyDaily} {
			next := mode.Next(now, zone)
			if !next.After(now) || next.Sub(now) > mode.Longest() {
				t.Errorf("%s: after %v comes %v", mode, now, next)
			}
			if local := next.In(zone); mode == NotifyDaily && (local.Hour() != DailyHour || local.Minute() != 0) {
				t.Errorf("%s: a daily mail comes at %v", name, local)
			}
			if again := mode.Next(next, zone); !again.After(next) {
				t.Errorf("%s: after %v comes %v", mode, next, again)
			}
		}
	})
}

func TestNotificationsCheck(t *testing.T) {
	project := NewID()
	for name, tc := range map[string]struct {
		wants Notifications
		bad   []string
	}{
		"good":                   {Notifications{TimeZone: "Europe/Berlin", Projects: map[ID]NotifyMode{project: NotifyDaily}}, nil},
		"no zone":                {Notifications{}, []string{"time_zone"}},
		"the server's own":       {Notifications{TimeZone: "Local"}, []string{"time_zone"}},
		"a path":                 {Notifications{TimeZone: "../../etc/passwd"}, []string{"time_zone"}},
		"an unknown mode":        {Notifications{TimeZone: "UTC", Projects: map[ID]NotifyMode{project: "weekly"}}, []string{"projects"}},
		"no id, and no zone too": {Notifications{TimeZone: "x", Projects: map[ID]NotifyMode{"x": NotifyDaily}}, []string{"time_zone", "projects"}},
	} {
		err := tc.wants.Check()
		var bad []string
		if e, ok := err.(*Error); ok { //nolint:errorlint // Check wraps nothing
			for _, field := range e.Fields {
				bad = append(bad, field.Path)
			}
		}
		if !slices.Equal(bad, tc.bad) {
			t.Errorf("%s: complains of %v, want %v", name, bad, tc.bad)
		}
	}
}
