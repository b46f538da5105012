package store

import (
	"testing"
	"time"

	"earshot/models"
)

func countRows(t *testing.T, s *Store, table string) (n int64) {
	t.Helper()
	if err := s.read.Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// addTokens gives a session more refresh tokens, all rotated now.
func addTokens(t *testing.T, s *Store, session models.ID, n int) {
	t.Helper()
	err := s.writer.do(t.Context(), false, func(t *tx) error {
		at := t.now.UnixMilli()
		rows := make([]refreshTokenRow, n)
		for i := range rows {
			rows[i] = refreshTokenRow{Hash: newHash(), SessionID: session, CreatedAt: at, RotatedAt: &at}
		}
		return t.orm().CreateInBatches(rows, 100).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A session that is used for ever has no more tokens than its use of one
// lifetime left, and each use deletes a bounded number.
func TestRotationPrunesOldTokens(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	_, _, session, token := signIn(t, s)
	addTokens(t, s, session.ID, pruneBatch+50)
	c.add(month / 2)
	young := newHash()
	if _, err := s.RotateRefreshToken(t.Context(), token, young, month, ""); err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, s, "refresh_tokens"); n != pruneBatch+52 {
		t.Errorf("%d tokens are kept, want all %d while they are younger than the lifetime", n, pruneBatch+52)
	}
	c.add(month / 2)
	for i, want := range []int64{53, 3, 4} { // of the 251 old ones, 200 and 51 go; each rotation adds one
		next := newHash()
		if _, err := s.RotateRefreshToken(t.Context(), young, next, month, ""); err != nil {
			t.Fatal(err)
		}
		young = next
		if n := countRows(t, s, "refresh_tokens"); n != want {
			t.Errorf("after rotation %d %d tokens are kept, want %d", i, n, want)
		}
	}
	_, err := s.RotateRefreshToken(t.Context(), token, newHash(), month, "")
	wantCode(t, "a token past its lifetime", err, models.CodeUnauthorized)
	if _, err := s.Authorize(t.Context(), session.ID); err != nil {
		t.Errorf("the session: %v, want it to live on", err)
	}
}

// A token of two that tabs got at once ends by itself, also while the other
// keeps the session alive.
func TestUnusedTokensExpire(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	_, _, session, token := signIn(t, s)
	used, unused := newHash(), newHash()
	for _, successor := range []models.TokenHash{used, unused} {
		if _, err := s.RotateRefreshToken(t.Context(), token, successor, month, ""); err != nil {
			t.Fatal(err)
		}
	}
	c.add(month - time.Hour)
	if _, err := s.RotateRefreshToken(t.Context(), used, newHash(), month, ""); err != nil {
		t.Fatal(err)
	}
	c.add(time.Hour)
	_, err := s.RotateRefreshToken(t.Context(), unused, newHash(), month, "")
	wantCode(t, "a token as old as its lifetime", err, models.CodeUnauthorized)
	if _, err := s.Authorize(t.Context(), session.ID); err != nil {
		t.Errorf("the session: %v, want it to live on", err)
	}
}

func TestSigningInPrunesEndedSessions(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	_, _, open, _ := signIn(t, s)
	_, _, revoked, _ := signIn(t, s)
	addTokens(t, s, revoked.ID, pruneBatch+50)
	if err := s.RevokeSession(t.Context(), revoked.ID); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ sessions, tokens int64 }{{3, 53}, {3, 3}, {4, 4}} {
		signIn(t, s)
		if n := countRows(t, s, "refresh_tokens"); n != want.tokens {
			t.Errorf("after sign-in %d %d tokens are kept, want %d", i, n, want.tokens)
		}
		if n := countRows(t, s, "sessions"); n != want.sessions {
			t.Errorf("after sign-in %d %d sessions are kept, want %d", i, n, want.sessions)
		}
	}
	if _, err := s.Authorize(t.Context(), open.ID); err != nil {
		t.Errorf("a session that has not ended: %v", err)
	}
	c.add(month)
	signIn(t, s)
	if n := countRows(t, s, "sessions"); n != 1 {
		t.Errorf("%d sessions are kept, want the newest alone: the others have expired", n)
	}
}

func TestPuttingTokensPrunesExpiredOnes(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	put := func() {
		t.Helper()
		if err := s.PutToken(t.Context(), PurposeTicket, newHash(), 1, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for range pruneBatch + 10 {
		put()
	}
	c.add(time.Minute)
	for i, want := range []int64{11, 2, 3} {
		put()
		if n := countRows(t, s, "one_time_tokens"); n != want {
			t.Errorf("after call %d %d tokens are kept, want %d", i, n, want)
		}
	}
}
