package store

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
)

func TestMembershipsNameTheOrganisation(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	user, org, err := s.CreateFirstOwner(t.Context(), models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Memberships(t.Context(), user.ID)
	if err != nil || len(list) != 1 || list[0].Organization != org || list[0].Role != models.RoleOwner {
		t.Errorf("memberships are %+v (%v), want the owner's of %+v", list, err, org)
	}
}

// A setup link that makes no owner, whatever the reason, stays good; one that
// made one ends, and every other with it.
func TestSetUpSpendsTheLinkWithTheOwner(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	links := []models.TokenHash{newHash(), newHash()}
	for _, link := range links {
		if err := s.PutToken(t.Context(), PurposeSetup, link, struct{}{}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	user, shop := models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"}
	_, _, err := s.SetUp(t.Context(), newHash(), user, shop)
	wantCode(t, "an unknown link", err, models.CodeUnauthorized)

	change := func(statement string) {
		t.Helper()
		if err := s.exec(t, statement); err != nil {
			t.Fatal(err)
		}
	}
	fail, mend := "CREATE TRIGGER fail BEFORE INSERT ON members BEGIN SELECT RAISE(ABORT, 'a fault'); END", "DROP TRIGGER fail"
	if onPostgres {
		fail = `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a fault'; END $$;
			CREATE TRIGGER fail BEFORE INSERT ON members FOR EACH ROW EXECUTE FUNCTION fail()`
		mend = "DROP FUNCTION fail CASCADE"
	}
	change(fail)
	_, _, err = s.SetUp(t.Context(), links[0], user, shop)
	wantCode(t, "a fault half-way", err, models.CodeInternal)
	change(mend)
	wantCode(t, "the link after a fault", s.CheckToken(t.Context(), PurposeSetup, links[0]), "")

	var made atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			switch _, _, err := s.SetUp(context.Background(), links[i%2], user, shop); models.CodeOf(err) {
			case "":
				made.Add(1)
			case models.CodeForbidden:
			default:
				t.Errorf("SetUp: %v, want forbidden", err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d owners were made, want 1", made.Load())
	}
	if list, err := s.Organizations(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("organisations are %+v (%v), want one", list, err)
	}
	for _, link := range links {
		wantCode(t, "a link once there is an owner", s.CheckToken(t.Context(), PurposeSetup, link), models.CodeUnauthorized)
	}
}
