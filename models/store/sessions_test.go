package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
)

const month = 30 * 24 * time.Hour

// signIn makes a user with an organisation and a session there.
func signIn(t *testing.T, s *Store) (models.User, models.Organization, models.Session, models.TokenHash) {
	t.Helper()
	user, org, err := s.CreateOwner(t.Context(), models.User{Email: string(models.NewID()) + "@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	token := models.HashToken(models.NewToken())
	session, err := s.CreateSession(t.Context(), user.ID, org.ID, models.SignIn{}, token, month)
	if err != nil {
		t.Fatal(err)
	}
	return user, org, session, token
}

func newHash() models.TokenHash { return models.HashToken(models.NewToken()) }

func TestRefreshRotation(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	_, _, session, first := signIn(t, s)

	second := newHash()
	got, err := s.RotateRefreshToken(t.Context(), first, second, month, "")
	if err != nil || got.Reused || got.Session.ID != session.ID {
		t.Fatalf("the first rotation gives %+v (%v)", got, err)
	}
	c.add(RotationGrace)
	if got, err = s.RotateRefreshToken(t.Context(), first, newHash(), month, ""); err != nil || got.Reused {
		t.Errorf("within the grace: %+v (%v), want another successor", got, err)
	}
	if _, err := s.Authorize(t.Context(), session.ID); err != nil {
		t.Errorf("the session has ended within the grace: %v", err)
	}
	c.add(time.Millisecond)
	if got, err = s.RotateRefreshToken(t.Context(), first, newHash(), month, ""); err != nil || !got.Reused || got.Session.ID != session.ID {
		t.Errorf("after the grace: %+v (%v), want a reuse of session %s", got, err, session.ID)
	}
	_, err = s.Authorize(t.Context(), session.ID)
	wantCode(t, "authorize after a reuse", err, models.CodeUnauthorized)
	_, err = s.RotateRefreshToken(t.Context(), second, newHash(), month, "")
	wantCode(t, "the family's newest token after a reuse", err, models.CodeUnauthorized)
}

func TestRotationRefuses(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	_, _, revoked, ofRevoked := signIn(t, s)
	if err := s.RevokeSession(t.Context(), revoked.ID); err != nil {
		t.Fatal(err)
	}
	_, _, _, ofMember := signIn(t, s)
	_, foreign, _, _ := signIn(t, s)

	_, err := s.RotateRefreshToken(t.Context(), newHash(), newHash(), month, "")
	wantCode(t, "an unknown token", err, models.CodeUnauthorized)
	_, err = s.RotateRefreshToken(t.Context(), ofRevoked, newHash(), month, "")
	wantCode(t, "a token of a revoked session", err, models.CodeUnauthorized)
	successor := newHash()
	_, err = s.RotateRefreshToken(t.Context(), ofMember, successor, month, foreign.ID)
	wantCode(t, "an organisation that the user is no member of", err, models.CodeNotFound)
	_, err = s.RotateRefreshToken(t.Context(), successor, newHash(), month, "")
	wantCode(t, "the successor of a refused rotation", err, models.CodeUnauthorized)
	if _, err = s.RotateRefreshToken(t.Context(), ofMember, newHash(), month, ""); err != nil {
		t.Errorf("the token of a refused rotation: %v, want it as good as before", err)
	}
	_, _, expiring, ofExpiring := signIn(t, s)
	c.add(month)
	_, err = s.RotateRefreshToken(t.Context(), ofExpiring, newHash(), month, "")
	wantCode(t, "a token of an expired session", err, models.CodeUnauthorized)
	_, err = s.Authorize(t.Context(), expiring.ID)
	wantCode(t, "an expired session", err, models.CodeUnauthorized)
}

func TestRotationAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := openWithClock(t)
	_, _, session, token := signIn(t, s)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := s.RotateRefreshToken(context.Background(), token, newHash(), month, ""); err != nil || got.Reused {
				t.Errorf("one of many tabs gets %+v (%v)", got, err)
			}
		})
	}
	wg.Wait()
	if _, err := s.Authorize(t.Context(), session.ID); err != nil {
		t.Errorf("the session has ended: %v", err)
	}
}

func TestSessionsMoveAndEnd(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	user, org, session, token := signIn(t, s)
	other, _ := newProject(t, s)
	err := s.writer.do(t.Context(), false, func(t *tx) error {
		return t.orm().Create(&memberRow{OrganizationID: other.Organization(), UserID: user.ID, Role: models.RoleViewer}).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	next := newHash()
	if _, err := s.RotateRefreshToken(t.Context(), token, next, month, other.Organization()); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Authorize(t.Context(), session.ID)
	if err != nil || claims.Scope != other || claims.Role != models.RoleViewer || claims.UserID != user.ID {
		t.Errorf("claims are %+v (%v), want a viewer of %s", claims, err, other.Organization())
	}
	if of, err := s.SessionOfRefreshToken(t.Context(), next); err != nil || of.ID != session.ID {
		t.Errorf("the token is of session %s (%v), want %s", of.ID, err, session.ID)
	}
	if list, err := s.Memberships(t.Context(), user.ID); err != nil || len(list) != 2 {
		t.Errorf("memberships are %+v (%v), want 2, %s among them", list, err, org.ID)
	}
	err = s.writer.do(t.Context(), false, func(t *tx) error {
		return t.orm().Where("organization_id = ? AND user_id = ?", other.Organization(), user.ID).Delete(&memberRow{}).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Authorize(t.Context(), session.ID)
	wantCode(t, "authorize after the membership ended", err, models.CodeUnauthorized)
}

func TestNewPasswordEndsSessions(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	user, _, session, _ := signIn(t, s)
	_, _, others, _ := signIn(t, s)
	ended, err := s.SetPassword(t.Context(), user.ID, "new", "")
	if err != nil || len(ended) != 1 || ended[0] != session.ID {
		t.Errorf("SetPassword ends %v (%v), want %s", ended, err, session.ID)
	}
	_, err = s.Authorize(t.Context(), session.ID)
	wantCode(t, "a session from before", err, models.CodeUnauthorized)
	if _, err := s.Authorize(t.Context(), others.ID); err != nil {
		t.Errorf("another user's session: %v", err)
	}
	if got, err := s.User(t.Context(), user.ID); err != nil || got.PasswordHash != "new" {
		t.Errorf("the user is %+v (%v), want the new hash", got, err)
	}
	_, err = s.SetPassword(t.Context(), models.NewID(), "new", "")
	wantCode(t, "an unknown user", err, models.CodeNotFound)
}

func TestUsersAreUnique(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	if has, err := s.HasUsers(t.Context()); err != nil || has {
		t.Errorf("a new database has users: %v (%v)", has, err)
	}
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			user := models.User{Email: string(models.NewID()) + "@example.com", PasswordHash: "x"}
			switch _, _, err := s.CreateFirstOwner(context.Background(), user, models.Organization{Name: "Shop"}); {
			case err == nil:
				made.Add(1)
			case models.CodeOf(err) != models.CodeForbidden:
				t.Errorf("CreateFirstOwner: %v", err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d first owners were made at once, want 1", made.Load())
	}
	organizations, err := s.Organizations(t.Context())
	if err != nil || len(organizations) != 1 {
		t.Errorf("there are %d organisations (%v), want 1: who is refused leaves none behind", len(organizations), err)
	}
	user, _, _, _ := signIn(t, s)
	_, _, err = s.CreateOwner(t.Context(), models.User{Email: user.Email}, models.Organization{Name: "Second"})
	wantCode(t, "a taken address", err, models.CodeConflict)
	if got, err := s.UserByEmail(t.Context(), user.Email); err != nil || got.ID != user.ID {
		t.Errorf("UserByEmail gives %+v (%v)", got, err)
	}
	_, err = s.UserByEmail(t.Context(), "nobody@example.com")
	wantCode(t, "an unknown address", err, models.CodeNotFound)
}

func TestOneTimeTokens(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	put := func(lifetime time.Duration) models.TokenHash {
		t.Helper()
		token := newHash()
		if err := s.PutToken(t.Context(), PurposeTicket, token, map[string]int{"n": 7}, lifetime); err != nil {
			t.Fatal(err)
		}
		return token
	}
	token := put(time.Minute)
	var payload struct{ N int }
	wantCode(t, "another purpose", s.TakeToken(t.Context(), PurposeSetup, token, &payload), models.CodeUnauthorized)
	wantCode(t, "an unknown token", s.TakeToken(t.Context(), PurposeTicket, newHash(), &payload), models.CodeUnauthorized)
	for range 2 { // to check is not to take
		wantCode(t, "check", s.CheckToken(t.Context(), PurposeTicket, token), "")
	}
	if err := s.TakeToken(t.Context(), PurposeTicket, token, &payload); err != nil || payload.N != 7 {
		t.Errorf("taking gives %+v (%v), want what was put", payload, err)
	}
	wantCode(t, "a token that was taken", s.TakeToken(t.Context(), PurposeTicket, token, &payload), models.CodeUnauthorized)
	wantCode(t, "check of a token that was taken", s.CheckToken(t.Context(), PurposeTicket, token), models.CodeUnauthorized)
	late := put(time.Minute)
	c.add(time.Minute)
	wantCode(t, "a token at its end", s.TakeToken(t.Context(), PurposeTicket, late, &payload), models.CodeUnauthorized)
	c.add(time.Millisecond)
	put(time.Minute)
	var n int64
	if err := s.read.Model(&oneTimeTokenRow{}).Count(&n).Error; err != nil || n != 1 {
		t.Errorf("%d tokens are kept (%v), want the expired one gone", n, err)
	}
}

func TestOneTimeTokenHasOneTaker(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	token := newHash()
	if err := s.PutToken(t.Context(), PurposeSetup, token, 1, time.Hour); err != nil {
		t.Fatal(err)
	}
	var takers atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			var payload int
			switch err := s.TakeToken(context.Background(), PurposeSetup, token, &payload); {
			case err == nil:
				takers.Add(1)
			case models.CodeOf(err) != models.CodeUnauthorized:
				t.Errorf("TakeToken: %v", err)
			}
		})
	}
	wg.Wait()
	if takers.Load() != 1 {
		t.Errorf("%d took the token, want 1", takers.Load())
	}
}

// Who gives up waiting gets unavailable, and reads nothing that the writer still
// writes: the race detector is the judge of that.
func TestGivingUpTheWait(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	user, org, session, token := signIn(t, s)
	item := mustSubmit(t, s, newFeedback(p, "item"))
	priority := models.PriorityHigh
	release := holdWriter(t, s)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	waiting := 0
	for name, call := range map[string]func() error{
		"CreateOwner": func() error {
			_, _, err := s.CreateOwner(cancelled, models.User{Email: "a@example.com"}, models.Organization{Name: "A"})
			return err
		},
		"CreateFirstOwner": func() error {
			_, _, err := s.CreateFirstOwner(cancelled, models.User{Email: "b@example.com"}, models.Organization{Name: "B"})
			return err
		},
		"CreateMember": func() error {
			_, err := s.CreateMember(cancelled, scope, models.User{Email: "c@example.com"}, models.RoleAgent)
			return err
		},
		"SetPassword": func() error { _, err := s.SetPassword(cancelled, user.ID, "y", ""); return err },
		"CreateSession": func() error {
			_, err := s.CreateSession(cancelled, user.ID, org.ID, models.SignIn{}, newHash(), month)
			return err
		},
		"RotateRefreshToken": func() error {
			_, err := s.RotateRefreshToken(cancelled, token, newHash(), month, "")
			return err
		},
		"Submit": func() error { _, err := s.Submit(cancelled, newFeedback(p, "b")); return err },
		"Triage": func() error {
			_, err := s.Triage(cancelled, scope, item.ID, models.Triage{Priority: &priority, Rev: 1}, models.Actor{})
			return err
		},
		"UpdateProject": func() error {
			_, err := s.UpdateProject(cancelled, scope, p.ID, func(p *models.Project) error { p.KeyDisabled = true; return nil })
			return err
		},
	} {
		wantCode(t, name, call(), models.CodeUnavailable)
		waiting++
	}
	if n := len(s.writer.queue); n != waiting {
		t.Errorf("%d writes wait, want %d", n, waiting)
	}
	if known, err := s.ProjectByKey(t.Context(), p.Key); err != nil || known.KeyDisabled {
		t.Fatalf("the project is %+v (%v) before the change", known, err)
	}
	release()
	await(t, func() bool {
		known, err := s.ProjectByKey(t.Context(), p.Key)
		return err == nil && known.KeyDisabled // a stale copy must not stay
	})
	// SetPassword ended the session, and CreateSession may have pruned it since.
	if _, err := s.SessionOfRefreshToken(t.Context(), token); err != nil && models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("session %s: %v", session.ID, err)
	}
}

func TestStorageFailuresAreNamed(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "a full disk is made of a pragma; TestPostgresFailuresAreNamed is of the other")
	s := openTest(t, nil)
	_, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "fits"))
	// A limit on the database's pages is what a full disk looks like to SQLite.
	if _, err := s.writer.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 1000 {
		if _, err = s.Submit(t.Context(), newFeedback(p, string(make([]byte, 5000)))); err != nil {
			break
		}
	}
	wantCode(t, "a submission to a full disk", err, models.CodeStorageFull)
	_, err = s.CreateMember(t.Context(), models.ScopeOf(p.OrganizationID), models.User{Email: string(make([]byte, 200_000))}, models.RoleAgent)
	wantCode(t, "a member on a full disk", err, models.CodeStorageFull)
	if _, err := s.writer.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, s, newFeedback(p, "there is room again"))

	for _, tc := range []struct {
		name string
		err  error
		code models.Code
	}{
		{"nothing", nil, ""},
		{"a deadline", context.DeadlineExceeded, models.CodeUnavailable},
		{"a fault", errors.New("no such column"), models.CodeInternal},
		{"a refusal", models.Errorf(models.CodeConflict, "x"), models.CodeConflict},
	} {
		wantCode(t, tc.name, translate(tc.err), tc.code)
	}
}
