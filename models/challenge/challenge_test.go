package challenge

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/models"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newBook(t testing.TB) (*Book, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return NewBook([]byte("0123456789abcdef0123456789abcdef"), c.Now), c
}

func give(t testing.TB, b *Book, project models.ID) Challenge {
	t.Helper()
	c, err := b.Give(project, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantRequired(t *testing.T, err error, words string) {
	t.Helper()
	var e *models.Error
	if !errors.As(err, &e) || e.Code != models.CodeChallengeRequired || !strings.Contains(e.Message, words) {
		t.Errorf("got %v, want challenge_required that says %q", err, words)
	}
}

func TestProofIsTaken(t *testing.T) {
	b, c := newBook(t)
	project, id := models.NewID(), models.NewID()
	asked := give(t, b, project)
	if asked.Difficulty != minDifficulty || !asked.ExpiresAt.Equal(c.Now().Add(Lifetime)) {
		t.Errorf("asked %+v", asked)
	}
	proof := Solve(asked.Text, asked.Difficulty)
	if err := b.Check(proof, project, id); err != nil {
		t.Fatal(err)
	}
	c.add(Lifetime - time.Millisecond)
	if err := b.Check(proof, project, id); err != nil {
		t.Errorf("for a repetition of the same submission: %v", err)
	}
	wantRequired(t, b.Check(proof, project, models.NewID()), "used before")
}

func TestProofIsRefused(t *testing.T) {
	b, c := newBook(t)
	other := NewBook([]byte("another key of 32 bytes, like it"), c.Now)
	project, id := models.NewID(), models.NewID()
	asked := give(t, b, project)
	proof := Solve(asked.Text, asked.Difficulty)
	foreign := give(t, other, project)
	raw, err := base64.RawURLEncoding.DecodeString(asked.Text)
	if err != nil {
		t.Fatal(err)
	}
	easier := func(change func([]byte)) string {
		changed := append([]byte{}, raw...)
		change(changed)
		return Solve(base64.RawURLEncoding.EncodeToString(changed), 1)
	}
	short := asked.Text + ":x"
	for n := 0; Zeros(sha256.Sum256([]byte(short))) >= asked.Difficulty; n++ {
		short = asked.Text + ":" + strings.Repeat("y", n+1)
	}
	for _, tc := range []struct{ name, proof, words string }{
		{"nothing", "", "the challenge, a colon"},
		{"no number", asked.Text, "the challenge, a colon"},
		{"an empty number", asked.Text + ":", "the challenge, a colon"},
		{"a long number", asked.Text + ":" + strings.Repeat("1", maxNonce+1), "the challenge, a colon"},
		{"no challenge", ":1", "not one that this server gave out"},
		{"junk", "abc:1", "not one that this server gave out"},
		{"another server's", Solve(foreign.Text, foreign.Difficulty), "not one that this server gave out"},
		{"made easier", easier(func(raw []byte) { raw[signedBytes-1] = 1 }), "not one that this server gave out"},
		{"made to last", easier(func(raw []byte) {
			binary.BigEndian.PutUint64(raw[projectBytes+randomBytes:], uint64(c.Now().Add(time.Hour).UnixMilli()))
		}), "not one that this server gave out"},
		{"another signature", easier(func(raw []byte) { raw[len(raw)-1]++ }), "not one that this server gave out"},
		{"too little work", short, "does not begin with 16 zero bits"},
	} {
		t.Run(tc.name, func(t *testing.T) { wantRequired(t, b.Check(tc.proof, project, id), tc.words) })
	}
	wantRequired(t, b.Check(proof, models.NewID(), id), "another project's")
	c.add(Lifetime)
	wantRequired(t, b.Check(proof, project, id), "expired")
}

// What was used before a restart is not known any more, so nothing from before it
// is taken.
func TestRestartEndsChallenges(t *testing.T) {
	b, c := newBook(t)
	project := models.NewID()
	proof := Solve(give(t, b, project).Text, minDifficulty)
	c.add(time.Second)
	again := NewBook(b.key, c.Now)
	wantRequired(t, again.Check(proof, project, models.NewID()), "expired")
	proof = Solve(give(t, again, project).Text, minDifficulty)
	if err := again.Check(proof, project, models.NewID()); err != nil {
		t.Error(err)
	}
}

func TestDifficultyGrows(t *testing.T) {
	b, c := newBook(t)
	project := models.NewID()
	last, at := 0, map[int]int{}
	for n := 1; n <= 1000; n++ {
		asked, err := b.Give(project, 7)
		if err != nil {
			t.Fatal(err)
		}
		if asked.Difficulty < last || asked.Difficulty > maxDifficulty {
			t.Fatalf("challenge %d has %d bits after %d", n, asked.Difficulty, last)
		}
		last, at[n] = asked.Difficulty, asked.Difficulty
	}
	if at[eased-1] != minDifficulty || at[90] != minDifficulty+4 || last != maxDifficulty {
		t.Errorf("the 7th has %d bits, the 90th %d, the 1,000th %d", at[eased-1], at[90], last)
	}
	if other, _ := b.Give(project, 8); other.Difficulty != minDifficulty {
		t.Errorf("another address has %d bits", other.Difficulty)
	}
	c.add(easedWindow)
	if later, _ := b.Give(project, 7); later.Difficulty != minDifficulty {
		t.Errorf("after a while there are %d bits", later.Difficulty)
	}
}

// A full memory refuses: what it forgot could be used again.
func TestFullMemoryRefuses(t *testing.T) {
	b, c := newBook(t)
	b.most = 3
	project := models.NewID()
	var proofs []string
	for range 4 {
		proofs = append(proofs, Solve(give(t, b, project).Text, minDifficulty))
	}
	for _, proof := range proofs[:3] {
		if err := b.Check(proof, project, models.NewID()); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Check(proofs[3], project, models.NewID()); models.CodeOf(err) != models.CodeUnavailable {
		t.Errorf("one more than there is room for: %v", err)
	}
	wantRequired(t, b.Check(proofs[0], project, models.NewID()), "used before")
	c.add(Lifetime)
	if err := b.Check(Solve(give(t, b, project).Text, minDifficulty), project, models.NewID()); err != nil {
		t.Errorf("once the others have expired: %v", err)
	}
	if len(b.spent) != 1 {
		t.Errorf("%d are remembered, want 1", len(b.spent))
	}
}

// Of all that use one proof at once, one gets through.
func TestProofIsSpentOnce(t *testing.T) {
	b, _ := newBook(t)
	project := models.NewID()
	proof := Solve(give(t, b, project).Text, minDifficulty)
	var mu sync.Mutex
	var wg sync.WaitGroup
	taken := 0
	for range 32 {
		wg.Go(func() {
			if b.Check(proof, project, models.NewID()) == nil {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	if wg.Wait(); taken != 1 {
		t.Errorf("%d got through", taken)
	}
}

// Whatever is sent as a proof is refused or is one, and nothing else than a
// challenge of ours with enough work is one.
func FuzzCheck(f *testing.F) {
	b, _ := newBook(f)
	project := models.NewID()
	asked := give(f, b, project)
	for _, seed := range []string{"", ":", "a:b", asked.Text, asked.Text + ":", asked.Text + ":1", Solve(asked.Text, asked.Difficulty), strings.Repeat("A", 71) + ":1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, proof string) {
		err := b.Check(proof, project, models.NewID())
		if err != nil && models.CodeOf(err) != models.CodeChallengeRequired {
			t.Fatalf("%q: %v", proof, err)
		}
		if err == nil && (!strings.HasPrefix(proof, asked.Text+":") || Zeros(sha256.Sum256([]byte(proof))) < asked.Difficulty) {
			t.Fatalf("%q is taken", proof)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	book, _ := newBook(b)
	project, id := models.NewID(), models.NewID()
	proof := Solve(give(b, book, project).Text, minDifficulty)
	b.ReportAllocs()
	for b.Loop() {
		if err := book.Check(proof, project, id); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGive(b *testing.B) {
	book, _ := newBook(b)
	project := models.NewID()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := book.Give(project, 1); err != nil {
			b.Fatal(err)
		}
	}
}
