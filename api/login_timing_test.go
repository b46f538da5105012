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
	const rounds, tries = 41, 5
	var unknown, control float64
	for range tries { // another try is for what else the machine does: a leak shows in each
		var unknowns, controls []float64
		for round := range rounds {
			took := map[string]float64{}
			for i := range ways { // each is first as often as the others, and compared with its neighbours
				way := ways[(i+round)%len(ways)]
				began := time.Now()
				c.Post("/api/v1/auth/login", login(way.email, way.password), way.status)
				took[way.name] = float64(time.Since(began))
			}
			unknowns, controls = append(unknowns, took["unknown"]/took["known"]), append(controls, took["control"]/took["known"])
		}
		slices.Sort(unknowns)
		slices.Sort(controls)
		unknown, control = unknowns[rounds/2], controls[rounds/2]
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
