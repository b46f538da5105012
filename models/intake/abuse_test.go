package intake

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/challenge"
	"earshot/models/store"
)

func text(s string) *string { return &s }

// suspected is a request that one sign speaks against which work outweighs.
func suspected() Request {
	r := newRequest()
	elapsed := int64(10)
	r.Evidence.ElapsedMS = &elapsed
	return r
}

func (in *Intake) solve(t *testing.T, project *models.Project) *string {
	t.Helper()
	asked, err := in.Challenge(t.Context(), project.ID, netip.MustParseAddr("198.51.100.1"))
	if err != nil {
		t.Fatal(err)
	}
	return text(challenge.Solve(asked.Text, asked.Difficulty))
}

func TestSuspectedSubmissions(t *testing.T) {
	const accepted, quarantined, asked = "accepted", "quarantined", "asked"
	for _, tc := range []struct {
		name   string
		change func(*testing.T, *Intake, *Request)
		want   string
	}{
		{"by a client that knows no challenges", func(*testing.T, *Intake, *Request) {}, quarantined},
		{"by one that could", func(_ *testing.T, _ *Intake, r *Request) { r.Evidence.Proof = text("") }, asked},
		{"with a bad proof", func(_ *testing.T, _ *Intake, r *Request) { r.Evidence.Proof = text("x") }, asked},
		{"with a proof", func(t *testing.T, in *Intake, r *Request) { r.Evidence.Proof = in.solve(t, r.Project) }, accepted},
		{"with another project's proof", func(t *testing.T, in *Intake, r *Request) {
			r.Evidence.Proof = in.solve(t, &models.Project{ID: models.NewID()})
		}, asked},
		{"in a trap", func(_ *testing.T, _ *Intake, r *Request) { r.Evidence.Website, r.Evidence.Proof = "x", text("") }, quarantined},
		{"in a trap, with a proof", func(t *testing.T, in *Intake, r *Request) {
			r.Evidence.Website, r.Evidence.Proof = "x", in.solve(t, r.Project)
		}, quarantined},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &fakeStore{}
			in := newIntake(t, s)
			r := suspected()
			tc.change(t, in, &r)
			_, err := in.Submit(t.Context(), r)
			got := accepted
			switch {
			case models.CodeOf(err) == models.CodeChallengeRequired:
				got = asked
			case err != nil:
				t.Fatal(err)
			case len(s.got[0].Quarantine) > 0:
				got = quarantined
			}
			if got != tc.want || got == asked && len(s.got) > 0 {
				t.Errorf("%s, %d stored (%v), want %s", got, len(s.got), err, tc.want)
			}
		})
	}
}

// Whatever speaks against it, what was acknowledged is acknowledged again.
func TestRepeatNeedsNoProof(t *testing.T) {
	s := &fakeStore{}
	in := newIntake(t, s)
	r := suspected()
	r.Evidence.Proof = in.solve(t, r.Project)
	if _, err := in.Submit(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, proof := range []*string{text(""), text("x"), nil, r.Evidence.Proof} {
		r.Evidence.Proof = proof
		if _, err := in.Submit(t.Context(), r); err != nil {
			t.Errorf("the same once more: %v", err)
		}
	}
	r.Submission.ID, r.Evidence.Proof = models.NewID(), text("")
	if _, err := in.Submit(t.Context(), r); models.CodeOf(err) != models.CodeChallengeRequired {
		t.Errorf("another one: %v", err)
	}
}

// Being asked costs nothing of any budget.
func TestChallengesCostNoBudget(t *testing.T) {
	s := &fakeStore{}
	in := newIntake(t, s)
	r := suspected()
	r.Evidence.Proof = text("")
	for range 2 * perAddress {
		if _, err := in.Submit(t.Context(), r); models.CodeOf(err) != models.CodeChallengeRequired {
			t.Fatal(err)
		}
	}
	for n := range PerSession {
		r.Submission.ID, r.Evidence.Proof = models.NewID(), in.solve(t, r.Project)
		if _, err := in.Submit(t.Context(), r); err != nil {
			t.Fatalf("submission %d: %v", n, err)
		}
	}
}

// An office shares an address: with proofs it gets three times as much through.
func TestCrowdedAddress(t *testing.T) {
	s := &fakeStore{}
	in := newIntake(t, s)
	project := newRequest().Project
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	in.now = func() time.Time { return now }
	send := func(n int, proof *string) error {
		r := newRequest()
		r.Project, r.Submission.Message, r.Evidence.Proof = project, fmt.Sprint("Question ", n), proof
		_, err := in.Submit(t.Context(), r)
		return err
	}
	for n := range perAddress {
		if err := send(n, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(0, nil); models.CodeOf(err) != models.CodeRateLimited {
		t.Errorf("one more of a client that knows no challenges: %v", err)
	}
	if err := send(0, text("")); models.CodeOf(err) != models.CodeChallengeRequired {
		t.Errorf("one more of one that does: %v", err)
	}
	through := 0
	for through < 2*provenPerAddress {
		// Of another address each, or they would become hard.
		asked, err := in.challenges.Give(project.ID, uint64(through))
		if err != nil {
			t.Fatal(err)
		}
		if err := send(through, text(challenge.Solve(asked.Text, asked.Difficulty))); err != nil {
			wantLimited(t, s, err)
			break
		}
		through++
	}
	// On a slow machine the limits have let some more through meanwhile.
	if through < provenPerAddress || through > provenPerAddress*3/2 {
		t.Errorf("%d got through with a proof, want %d", through, provenPerAddress)
	}
	if last := s.got[len(s.got)-1]; last.Quarantine != nil {
		t.Errorf("they are quarantined for %q", last.Quarantine)
	}
}

// Who proves themselves gets through while the project is flooded.
func TestFloodedProject(t *testing.T) {
	s := &fakeStore{}
	in := newIntake(t, s)
	project := newRequest().Project
	send := func(n int, proof *string) error {
		r := newRequest()
		r.Project, r.Evidence.Proof = project, proof
		r.Address = netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)})
		_, err := in.Submit(t.Context(), r)
		return err
	}
	flooded := func() bool { return s.got[len(s.got)-1].Quarantine != nil }
	n := 0
	for n == 0 || !flooded() {
		if err := send(n, nil); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if reasons := s.got[len(s.got)-1].Quarantine; !slices.Equal(reasons, []string{reasonFlood}) {
		t.Fatalf("quarantined for %q", reasons)
	}
	if err := send(n, text("")); models.CodeOf(err) != models.CodeChallengeRequired && !flooded() {
		t.Errorf("one who could prove themselves is not asked: %v", err)
	}
	if err := send(n+1, in.solve(t, project)); err != nil || flooded() {
		t.Errorf("one with a proof is not let through: %v", err)
	}
}

func TestBlocks(t *testing.T) {
	r := newRequest()
	in := newIntake(t, &fakeStore{})
	past, future := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	sender := in.AddressHash(r.Project.ID, r.Address)
	session := models.SessionValue(models.HashResumeToken(r.ResumeToken))
	for _, tc := range []struct {
		name  string
		block models.Block
		want  string
	}{
		{"the address", models.Block{Kind: models.BlockAddress, Value: sender}, "The sender's address is blocked by staff."},
		{"for some time", models.Block{Kind: models.BlockAddress, Value: sender, ExpiresAt: future}, "The sender's address is blocked by staff."},
		{"which is over", models.Block{Kind: models.BlockAddress, Value: sender, ExpiresAt: past}, ""},
		{"another project's address", models.Block{Kind: models.BlockAddress, Value: in.AddressHash(models.NewID(), r.Address)}, ""},
		{"the session", models.Block{Kind: models.BlockSession, Value: session}, "The sender's session is blocked by staff."},
		{"another session", models.Block{Kind: models.BlockSession, Value: session[1:]}, ""},
		{"a word of the message", models.Block{Kind: models.BlockWord, Value: "total is", Label: "Total IS"}, "Staff blocked the word “Total IS”."},
		{"a word of the page", models.Block{Kind: models.BlockWord, Value: "shop.example", Label: "shop.example"}, "Staff blocked the word “shop.example”."},
		{"a word that was blocked for a while", models.Block{Kind: models.BlockWord, Value: "total", ExpiresAt: past}, ""},
		{"another word", models.Block{Kind: models.BlockWord, Value: "watches"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &fakeStore{blocks: models.NewBlocks([]models.Block{tc.block})}
			in := newIntake(t, s)
			r.Submission.ID, r.Evidence.Proof = models.NewID(), in.solve(t, r.Project) // of no use
			if _, err := in.Submit(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.got[0].Quarantine, "|"); got != tc.want {
				t.Errorf("held back for %q, want %q", got, tc.want)
			}
			if s.got[0].AddressHash != sender {
				t.Errorf("the address is kept as %q, want %q", s.got[0].AddressHash, sender)
			}
		})
	}
}

func TestAddressHash(t *testing.T) {
	in := newIntake(t, &fakeStore{})
	other, err := New(Options{Store: &fakeStore{}, AddressKey: []byte("another")})
	if err != nil {
		t.Fatal(err)
	}
	project := models.NewID()
	hash := in.AddressHash(project, netip.MustParseAddr("2001:db8:1:2::1"))
	if len(hash) != 22 || hash != in.AddressHash(project, netip.MustParseAddr("2001:db8:1:2:ffff::2")) {
		t.Errorf("two addresses of a /64 are not one party: %q", hash)
	}
	for name, different := range map[string]string{
		"another network": in.AddressHash(project, netip.MustParseAddr("2001:db8:1:3::1")),
		"another project": in.AddressHash(models.NewID(), netip.MustParseAddr("2001:db8:1:2::1")),
		"another secret":  other.AddressHash(project, netip.MustParseAddr("2001:db8:1:2::1")),
	} {
		if different == hash {
			t.Errorf("%s has the same hash", name)
		}
	}
}

// BenchmarkSubmit measures intake alone: the store takes no time.
func BenchmarkSubmit(b *testing.B) {
	for name, credulous := range map[string]bool{"judging": false, "credulous": true} {
		b.Run(name, func(b *testing.B) {
			in, err := New(Options{Store: &forgetful{}, BaseURL: "https://earshot.example", Secret: make([]byte, 32), Credulous: credulous})
			if err != nil {
				b.Fatal(err)
			}
			in.sessions, in.addresses = in.messages, in.messages // each key is another
			r := newRequest()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.ResumeToken, r.Submission.ID = models.NewResumeToken(), models.NewID()
				r.Address = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
				if _, err := in.Submit(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// forgetful is a store that keeps nothing.
type forgetful struct{ fakeStore }

func (f *forgetful) Submit(_ context.Context, in store.NewFeedback) (store.Accepted, error) {
	return store.Accepted{ID: in.Submission.ID, SessionID: in.SessionID, Owned: true, ReceiptVersion: 1}, nil
}
