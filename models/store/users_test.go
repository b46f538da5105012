package store

import (
	"testing"

	"earshot/models"
)

func TestMembershipsNameTheOrganisation(t *testing.T) {
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
