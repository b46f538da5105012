package api_test

import (
	"slices"
	"testing"
	"time"

	"earshot/api/apitest"
)

// How long an answer takes does not tell which accounts there are. What a comparison
// of medians finds is shown by the control: an attempt that is refused before its
// password is looked at.
func TestLoginTakesAsLongForNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	s := apitest.Start(t, apitest.Unlimited)
	s.Owner(t)
	c := s.Client(t)
	ways := []struct {
		name, email, password string
		status                int
	}{
		{"known", apitest.OwnerEmail, "not the password", 401},
		{"unknown", "nobody@example.com", "not the password", 401},
		{"control", apitest.OwnerEmail, "short", 422},
	}
	const rounds, tries = 41, 3
	var unknown, control float64
	for range tries { // another try is for what else the machine does: a leak shows in each
		took := map[string][]time.Duration{}
		for range rounds {
			for _, way := range ways {
				began := time.Now()
				c.Post("/api/v1/auth/login", login(way.email, way.password), way.status)
				took[way.name] = append(took[way.name], time.Since(began))
			}
		}
		median := func(name string) float64 {
			slices.Sort(took[name])
			return float64(took[name][rounds/2])
		}
		unknown, control = median("unknown")/median("known"), median("control")/median("known")
		if similar(unknown) {
			break
		}
	}
	t.Logf("an unknown account takes %.3f of the time of a known one, the control %.3f", unknown, control)
	if !similar(unknown) {
		t.Errorf("an unknown account takes %.3f of the time of a known one, want 0.85 to 1.15", unknown)
	}
	if similar(control) {
		t.Errorf("the control takes %.3f of the time: the comparison finds nothing", control)
	}
}

func similar(ratio float64) bool { return ratio > 0.85 && ratio < 1.15 }
