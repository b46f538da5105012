package intake

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/store"
)

// fakeStore remembers what it was given and accepts it.
type fakeStore struct {
	got    []store.NewFeedback
	answer func(store.NewFeedback) (store.Accepted, error)
	blocks *models.Blocks
}

func (f *fakeStore) Submit(_ context.Context, in store.NewFeedback) (store.Accepted, error) {
	f.got = append(f.got, in)
	if f.answer != nil {
		return f.answer(in)
	}
	return store.Accepted{ID: in.Submission.ID, SessionID: in.SessionID, Owned: true, ReceiptVersion: 1}, nil
}

func (f *fakeStore) HasFeedback(_ context.Context, _, id models.ID) (bool, error) {
	return slices.ContainsFunc(f.got, func(in store.NewFeedback) bool { return in.Submission.ID == id }), nil
}

func (f *fakeStore) Blocks(context.Context, models.ID) (*models.Blocks, error) { return f.blocks, nil }

func (f *fakeStore) PostVisitorMessage(context.Context, *models.Project, models.ID, models.NewMessage) (store.Posted, error) {
	return store.Posted{}, nil
}

func newIntake(t *testing.T, s Store) *Intake {
	t.Helper()
	in, err := New(Options{Store: s, BaseURL: "https://earshot.example/", Secret: []byte("0123456789abcdef0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func newRequest() Request {
	return Request{
		Project: &models.Project{ID: models.NewID()}, Address: netip.MustParseAddr("192.0.2.1"),
		Submission:  models.Submission{ID: models.NewID(), PageURL: "https://shop.example/", Message: " The total is wrong "},
		ResumeToken: models.NewToken(), SessionID: models.NewID(),
	}
}

func TestSubmitNormalisesAndStores(t *testing.T) {
	s := &fakeStore{}
	in := newIntake(t, s)
	request := newRequest()
	got, err := in.Submit(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	stored := s.got[0]
	if stored.Submission.Message != "The total is wrong" || !slices.Equal(stored.ResumeHash, models.HashResumeToken(request.ResumeToken)) || stored.Quarantine != nil {
		t.Errorf("stored %+v, want the trimmed message, the token's hash and no quarantine", stored)
	}
	if got.ID != request.Submission.ID || got.ResumeToken != "" || !strings.HasPrefix(got.ReceiptURL, "https://earshot.example/r/") {
		t.Errorf("got %+v, want the id, a receipt and no token, for one was brought", got)
	}
}

func TestSubmitMakesATokenForWhoBringsNone(t *testing.T) {
	s := &fakeStore{}
	in := newIntake(t, s)
	request := newRequest()
	request.ResumeToken, request.SessionID = "", ""
	got, err := in.Submit(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if !models.ValidToken(got.ResumeToken) || !slices.Equal(s.got[0].ResumeHash, models.HashResumeToken(got.ResumeToken)) || !got.SessionID.Valid() {
		t.Errorf("got %+v, want a token whose hash was stored, and a session", got)
	}
}

func TestSubmitRefuses(t *testing.T) {
	failure := errors.New("disk")
	for _, tc := range []struct {
		name   string
		change func(*Request)
		answer error
		code   models.Code
	}{
		{"invalid fields", func(r *Request) { r.Submission.Message = "" }, nil, models.CodeInvalidField},
		{"bad token", func(r *Request) { r.ResumeToken = "abc" }, nil, models.CodeInvalidField},
		{"what the store refuses", func(*Request) {}, models.Errorf(models.CodeIDConflict, "taken"), models.CodeIDConflict},
		{"what the store fails at", func(*Request) {}, failure, models.CodeInternal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &fakeStore{answer: func(store.NewFeedback) (store.Accepted, error) { return store.Accepted{}, tc.answer }}
			in := newIntake(t, s)
			request := newRequest()
			tc.change(&request)
			got, err := in.Submit(t.Context(), request)
			if models.CodeOf(err) != tc.code || got != (Result{}) {
				t.Errorf("got %+v, %v; want nothing and code %q", got, err, tc.code)
			}
			if tc.answer == nil && len(s.got) > 0 {
				t.Error("it reached the store")
			}
		})
	}
}

func TestNoReceiptForAnotherSession(t *testing.T) {
	s := &fakeStore{answer: func(in store.NewFeedback) (store.Accepted, error) {
		return store.Accepted{ID: in.Submission.ID, Repeated: true}, nil
	}}
	got, err := newIntake(t, s).Submit(t.Context(), newRequest())
	if err != nil || got.ReceiptURL != "" || !got.Repeated {
		t.Errorf("got %+v (%v), want a repetition without a receipt", got, err)
	}
}

func TestLimits(t *testing.T) {
	project := &models.Project{ID: models.NewID()}
	token := models.NewToken()
	for _, tc := range []struct {
		name    string
		request func(i int) Request
		count   int
		after   func(t *testing.T, s *fakeStore, err error)
	}{
		{"a session", func(i int) Request {
			r := newRequest()
			r.Project, r.ResumeToken = project, token
			r.Address = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			return r
		}, PerSession, wantLimited},
		{"an address", func(int) Request {
			r := newRequest()
			r.Project = project
			return r
		}, perAddress, wantLimited},
		{"a project", func(i int) Request {
			r := newRequest()
			r.Project = project
			r.Address = netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})
			return r
		}, perProject, func(t *testing.T, s *fakeStore, err error) {
			if err != nil || len(s.got[len(s.got)-1].Quarantine) != 1 {
				t.Errorf("the last one gives %v and is quarantined for %q; want it kept, for one reason", err, s.got[len(s.got)-1].Quarantine)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &fakeStore{}
			in := newIntake(t, s)
			for i := range tc.count {
				if _, err := in.Submit(t.Context(), tc.request(i)); err != nil {
					t.Fatalf("submission %d of %d: %v", i+1, tc.count, err)
				}
				if s.got[i].Quarantine != nil {
					t.Fatalf("submission %d of %d is quarantined", i+1, tc.count)
				}
			}
			// On a slow machine the limit has let some more through meanwhile.
			var err error
			for i := tc.count; i < 2*tc.count && err == nil && s.got[i-1].Quarantine == nil; i++ {
				_, err = in.Submit(t.Context(), tc.request(i))
			}
			tc.after(t, s, err)
		})
	}
}

func wantLimited(t *testing.T, _ *fakeStore, err error) {
	t.Helper()
	if e := (*models.Error)(nil); !errors.As(err, &e) || e.Code != models.CodeRateLimited || e.RetryAfter <= 0 {
		t.Errorf("the one past the limit gives %v, want rate_limited with a time", err)
	}
}

func TestUnlimitedIntake(t *testing.T) {
	in, err := New(Options{Store: &fakeStore{}, Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	request := newRequest()
	for range 100 {
		if _, err := in.Submit(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAddressKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":  "2001:db8:1:2::/64",
		"2001:db8:1:3::1":      "2001:db8:1:3::/64",
		"fe80::1%eth0":         "fe80::/64",
		"::1":                  "::/64",
	} {
		if got := AddressKey(netip.MustParseAddr(in)); got != want {
			t.Errorf("AddressKey(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestReceipts(t *testing.T) {
	in := newIntake(t, &fakeStore{})
	other, err := New(Options{Secret: []byte("another")})
	if err != nil {
		t.Fatal(err)
	}
	id := models.NewID()
	token := strings.TrimPrefix(in.ReceiptURL(id, 1), "https://earshot.example/r/")
	if got, ok := ReceiptID(token); !ok || got != id {
		t.Fatalf("ReceiptID(%s) = %s, %v; want %s", token, got, ok, id)
	}
	if !in.VerifyReceipt(token, id, 1) {
		t.Fatal("the receipt is not genuine to who made it")
	}
	for name, genuine := range map[string]bool{
		"another version": in.VerifyReceipt(token, id, 2),
		"another item":    in.VerifyReceipt(token, models.NewID(), 1),
		"another secret":  other.VerifyReceipt(token, id, 1),
		"empty":           in.VerifyReceipt("", id, 1),
		"cut":             in.VerifyReceipt(token[:42], id, 1),
		"with more":       in.VerifyReceipt(token+"A", id, 1),
	} {
		if genuine {
			t.Errorf("%s: the receipt is taken for genuine", name)
		}
	}
	// Every single character counts.
	for i := range token {
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		changed := token[:i] + string(c) + token[i+1:]
		if got, ok := ReceiptID(changed); ok && in.VerifyReceipt(changed, got, 1) {
			t.Errorf("the receipt with character %d changed is genuine too", i)
		}
	}
	for _, junk := range []string{"", "a", strings.Repeat("A", 43), strings.Repeat("/", 43), strings.Repeat("A", 44), "\x00"} {
		if id, ok := ReceiptID(junk); ok {
			t.Errorf("ReceiptID(%q) = %s, want none", junk, id)
		}
	}
}

// A client that lost the answer sends the same id again: that neither uses up
// the session's limit nor is refused for it.
func TestRepeatsAreNotCounted(t *testing.T) {
	s := &fakeStore{}
	accepted := map[models.ID]bool{}
	s.answer = func(in store.NewFeedback) (store.Accepted, error) {
		repeated := accepted[in.Submission.ID]
		accepted[in.Submission.ID] = true
		return store.Accepted{ID: in.Submission.ID, SessionID: in.SessionID, Repeated: repeated, Owned: true, ReceiptVersion: 1}, nil
	}
	in := newIntake(t, s)
	request := newRequest()
	submit := func(n int) error {
		request.Address = netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}) // its limit is another
		result, err := in.Submit(t.Context(), request)
		if err == nil && result.Repeated != (n > 0) {
			t.Errorf("submission %d: repeated is %v", n, result.Repeated)
		}
		return err
	}
	for n := range 3 * PerSession {
		if err := submit(n); err != nil {
			t.Fatalf("repeat %d: %v", n, err)
		}
	}
	first := request.Submission
	for n := 1; n < PerSession; n++ {
		request.Submission.ID = models.NewID()
		if err := submit(0); err != nil {
			t.Fatalf("submission %d of %d after repeats: %v", n+1, PerSession, err)
		}
	}
	request.Submission.ID = models.NewID()
	if err := submit(0); models.CodeOf(err) != models.CodeRateLimited {
		t.Errorf("one more than the limit gives %v", err)
	}
	request.Submission = first
	if err := submit(1); err != nil {
		t.Errorf("a repeat past the limit gives %v", err)
	}
}

// A repetition gives nothing back that it had not taken: otherwise an old id would
// buy one new submission after the other.
func TestRepetitionsBuyNoBudget(t *testing.T) {
	s := &fakeStore{}
	seen := map[models.ID]bool{}
	s.answer = func(in store.NewFeedback) (store.Accepted, error) {
		repeated := seen[in.Submission.ID]
		seen[in.Submission.ID] = true
		return store.Accepted{ID: in.Submission.ID, SessionID: in.SessionID, Owned: true, Repeated: repeated, ReceiptVersion: 1}, nil
	}
	in := newIntake(t, s)
	known := newRequest()
	fresh := 0
	for range 2 * PerSession {
		request := known
		request.Submission.ID = models.NewID()
		if fresh == 0 {
			known = request
		}
		if _, err := in.Submit(t.Context(), request); err == nil {
			fresh++
			continue
		}
		if _, err := in.Submit(t.Context(), known); err != nil {
			t.Fatalf("repeat what was acknowledged: %v", err)
		}
	}
	if fresh != PerSession {
		t.Errorf("a session that repeats got %d submissions in, want %d", fresh, PerSession)
	}
}

// What was not stored is not counted.
func TestRefusedSubmissionCostsNoBudget(t *testing.T) {
	s := &fakeStore{}
	down := true
	s.answer = func(in store.NewFeedback) (store.Accepted, error) {
		if down {
			return store.Accepted{}, models.Errorf(models.CodeUnavailable, "down")
		}
		return store.Accepted{ID: in.Submission.ID, SessionID: in.SessionID, Owned: true, ReceiptVersion: 1}, nil
	}
	in := newIntake(t, s)
	request := newRequest()
	for range 2 * PerSession {
		if _, err := in.Submit(t.Context(), request); models.CodeOf(err) != models.CodeUnavailable {
			t.Fatalf("while the store is down: %v", err)
		}
	}
	down = false
	if _, err := in.Submit(t.Context(), request); err != nil {
		t.Errorf("once it is up: %v", err)
	}
}
