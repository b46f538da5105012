package api_test

import (
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func invite(t *testing.T, c *apitest.Client, body map[string]any) (api.CreatedInvite, string) {
	t.Helper()
	var made api.CreatedInvite
	c.Post("/api/v1/invites", body, 201).JSON(&made)
	_, token, ok := strings.Cut(made.URL, "/join#token=")
	if !ok || !models.ValidToken(token) {
		t.Fatalf("the invitation's link is %s", made.URL)
	}
	return made, token
}

func TestInvites(t *testing.T) {
	t.Parallel()
	var ahead clock
	s := apitest.Start(t, ahead.option)
	owner := s.Owner(t)
	made, token := invite(t, owner, map[string]any{"email": " Ann@Example.com ", "role": "agent"})
	if *made.Email != "ann@example.com" || made.Role != models.RoleAgent || made.Mailed {
		t.Errorf("invitation = %+v", made)
	}
	c := s.Client(t)
	var shown api.OpenInvite
	c.Post("/api/v1/auth/invites/show", map[string]any{"token": token}, 200).JSON(&shown)
	if shown.Organization != "Shop" || shown.Role != models.RoleAgent || *shown.Email != "ann@example.com" {
		t.Errorf("shown = %+v", shown)
	}
	join := func(token, email string) map[string]any {
		return map[string]any{"token": token, "email": email, "password": apitest.Password, "name": "Ann"}
	}
	run(t, c, []call{
		{name: "for another address", method: post, path: "/api/v1/auth/invites/join", body: join(token, "bob@example.com"), status: 422, code: "invalid_field", field: "email"},
		{name: "with no token", method: post, path: "/api/v1/auth/invites/join", body: join(models.NewToken(), "ann@example.com"), status: 401, code: "unauthorized"},
	})
	var access api.AccessToken
	c.Post("/api/v1/auth/invites/join", join(token, "ann@example.com"), 201).JSON(&access)
	ann := s.Client(t)
	ann.Token = access.AccessToken
	var me api.Me
	if ann.Get("/api/v1/me", 200).JSON(&me); me.Role != models.RoleAgent || me.User.Name != "Ann" || !me.User.EmailVerified {
		t.Errorf("me = %+v, want an agent whose address is proved", me)
	}
	run(t, c, []call{{name: "used", method: post, path: "/api/v1/auth/invites/join", body: join(token, "ann@example.com"), status: 401, code: "unauthorized"}})

	revoked, revokedToken := invite(t, owner, map[string]any{"role": "viewer"})
	owner.Delete("/api/v1/invites/" + string(revoked.ID))
	_, late := invite(t, owner, map[string]any{"role": "viewer"})
	_, first := invite(t, owner, map[string]any{"email": "cy@example.com", "role": "viewer"})
	_, second := invite(t, owner, map[string]any{"email": "cy@example.com", "role": "admin"})
	var list api.InviteList
	if owner.Get("/api/v1/invites?count=true", 200).JSON(&list); len(list.Items) != 2 || *list.Total != 2 {
		t.Errorf("open invitations = %+v, want one for whoever, and the later to cy", list.Items)
	}
	run(t, c, []call{
		{name: "taken back", method: post, path: "/api/v1/auth/invites/show", body: map[string]any{"token": revokedToken}, status: 401, code: "unauthorized"},
		{name: "replaced", method: post, path: "/api/v1/auth/invites/show", body: map[string]any{"token": first}, status: 401, code: "unauthorized"},
		{name: "replacing", method: post, path: "/api/v1/auth/invites/show", body: map[string]any{"token": second}, status: 200},
	})
	run(t, ann, []call{
		{name: "agent invites", method: post, path: "/api/v1/invites", body: map[string]any{"role": "viewer"}, status: 403, code: "forbidden"},
		{name: "agent lists", method: get, path: "/api/v1/invites", status: 403, code: "forbidden"},
		{name: "member accepts", method: post, path: "/api/v1/invites/accept", body: map[string]any{"token": late}, status: 409, code: "conflict"},
	})
	run(t, owner, []call{
		{name: "a member", method: post, path: "/api/v1/invites", body: map[string]any{"email": "ann@example.com", "role": "viewer"}, status: 409, code: "conflict"},
		{name: "no role", method: post, path: "/api/v1/invites", body: map[string]any{"role": "king"}, status: 422, code: "invalid_field", field: "role"},
		{name: "no address", method: post, path: "/api/v1/invites", body: map[string]any{"role": "viewer", "email": "nobody"}, status: 422, code: "invalid_field", field: "email"},
	})
	ahead.move(8 * 24 * 60 * 60 * 1e9)
	run(t, c, []call{{name: "after a week", method: post, path: "/api/v1/auth/invites/show", body: map[string]any{"token": late}, status: 401, code: "unauthorized"}})
}

// Somebody who has an account joins a second organisation, and moves between the two.
func TestSecondOrganisation(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	other := stranger(t, s)
	_, token := invite(t, owner, map[string]any{"role": "viewer"})
	var accepted api.Accepted
	other.Post("/api/v1/invites/accept", map[string]any{"token": token}, 200).JSON(&accepted)
	other.Get("/api/v1/projects/"+string(project.ID), 404) // its token is still the first one's
	var moved api.AccessToken
	other.Do(post, "/api/v1/auth/refresh", map[string]any{"organization_id": accepted.OrganizationID}, "Cookie", cookie(other.Refresh)).Want(200).JSON(&moved)
	old := other.Token
	other.Token = moved.AccessToken
	other.Get("/api/v1/projects/"+string(project.ID), 200)
	var me api.Me
	if other.Get("/api/v1/me", 200).JSON(&me); me.Role != models.RoleViewer || len(me.Organizations) != 2 {
		t.Errorf("me = %+v, want a viewer in one of two organisations", me)
	}
	other.Token = old
	other.Get("/api/v1/me", 401)
}

func TestRolesAndRemovals(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner := s.Owner(t)
	admin, agent := member(t, s, owner, models.RoleAdmin), member(t, s, owner, models.RoleAgent)
	id := func(c *apitest.Client) string {
		var me api.Me
		c.Get("/api/v1/me", 200).JSON(&me)
		return string(me.User.ID)
	}
	path := func(c *apitest.Client) string { return "/api/v1/members/" + id(c) }
	ownerPath, adminPath, agentPath := path(owner), path(admin), path(agent)
	role := func(role string) map[string]any { return map[string]any{"role": role} }
	run(t, agent, []call{
		{name: "an agent raises themselves", method: patch, path: agentPath, body: role("owner"), status: 403, code: "forbidden"},
		{name: "an agent removes somebody", method: del, path: adminPath, status: 403, code: "forbidden"},
	})
	run(t, admin, []call{
		{name: "an admin raises themselves", method: patch, path: adminPath, body: role("owner"), status: 403, code: "forbidden"},
		{name: "an admin makes an owner", method: patch, path: agentPath, body: role("owner"), status: 403, code: "forbidden"},
		{name: "an admin lowers the owner", method: patch, path: ownerPath, body: role("viewer"), status: 403, code: "forbidden"},
		{name: "an admin removes the owner", method: del, path: ownerPath, status: 403, code: "forbidden"},
		{name: "an admin invites an owner", method: post, path: "/api/v1/invites", body: role("owner"), status: 403, code: "forbidden"},
		{name: "an admin makes an admin", method: patch, path: agentPath, body: role("admin"), status: 200},
	})
	run(t, owner, []call{
		{name: "the last owner steps down", method: patch, path: ownerPath, body: role("admin"), status: 403, code: "forbidden"},
		{name: "the last owner leaves", method: del, path: ownerPath, status: 403, code: "forbidden"},
		{name: "no role", method: patch, path: agentPath, body: role("king"), status: 422, code: "invalid_field", field: "role"},
		{name: "nobody", method: patch, path: "/api/v1/members/" + string(models.NewID()), body: role("viewer"), status: 404, code: "not_found"},
		{name: "remove nobody", method: del, path: "/api/v1/members/" + string(models.NewID()), status: 404, code: "not_found"},
		{name: "a second owner", method: patch, path: adminPath, body: role("owner"), status: 200},
		{name: "now the first may go", method: patch, path: ownerPath, body: role("viewer"), status: 200},
	})
	// A new role holds at once: the token is the old one.
	run(t, owner, []call{{name: "who is viewer now", method: post, path: "/api/v1/projects", body: map[string]any{"name": "X"}, status: 403, code: "forbidden"}})
	owner.Delete(ownerPath) // leaving takes no role
	owner.Get("/api/v1/me", 401)
	run(t, s.Client(t), []call{{name: "member of nothing", method: post, path: "/api/v1/auth/login", body: login(apitest.OwnerEmail, apitest.Password), status: 403, code: "forbidden"}})
	run(t, stranger(t, s), []call{
		{name: "a stranger changes a role", method: patch, path: agentPath, body: role("viewer"), status: 404, code: "not_found"},
		{name: "a stranger removes a member", method: del, path: agentPath, status: 404, code: "not_found"},
	})
}

// The log has who did what, in order and sealed; a change behind its back shows.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	receipt := s.Submit(t, project, "My address is Ada Street 5")
	owner.Patch("/api/v1/projects/"+string(project.ID), map[string]any{"name": "Renamed", "settings": map[string]any{"accent": "#112233"}}, 200)
	key, program := apiKey(t, s, owner, map[string]any{"name": "eraser", "scopes": []string{"feedback:erase", "audit:read"}})
	program.Delete("/api/v1/feedback/" + string(receipt.ID))
	owner.Delete("/api/v1/api-keys/" + string(key.ID))
	var list api.AuditList
	answer := owner.Get("/api/v1/audit?count=exact", 200)
	answer.JSON(&list)
	want := []models.AuditAction{
		models.AuditKeyRevoked, models.AuditFeedbackErased, models.AuditKeyCreated, models.AuditProjectChanged, models.AuditProjectCreated,
		models.AuditSignedIn, models.AuditMemberJoined,
	}
	if len(list.Items) != len(want) || *list.Total != int64(len(want)) {
		t.Fatalf("log = %s, want %d lines", answer.Body, len(want))
	}
	for i, entry := range list.Items {
		if entry.Action != want[i] || entry.N != int64(len(want)-i) {
			t.Errorf("line %d is %+v, want %s", i, entry, want[i])
		}
	}
	erased := list.Items[1]
	if erased.Actor.Kind != models.ActorKey || *erased.Actor.ID != key.ID || *erased.Actor.Address != "127.0.0.0/24" ||
		*erased.Object.ID != receipt.ID || *erased.ProjectID != project.ID {
		t.Errorf("erasure = %+v", erased)
	}
	if list.Items[3].Detail["fields"] != "name settings" {
		t.Errorf("change = %+v, want the fields' names", list.Items[3])
	}
	for _, personal := range []string{"Ada", "owner@example.com", "Olga", "Renamed", "112233"} {
		if strings.Contains(string(answer.Body), personal) {
			t.Errorf("%q is in the log: %s", personal, answer.Body)
		}
	}
	lines := strings.Split(strings.TrimSpace(string(owner.Get("/api/v1/audit/export", 200).Body)), "\n")
	if len(lines) != len(want) || !strings.Contains(lines[0], string(models.AuditMemberJoined)) {
		t.Errorf("export = %q", lines)
	}
	run(t, member(t, s, owner, models.RoleAgent), []call{
		{name: "an agent reads", method: get, path: "/api/v1/audit", status: 403, code: "forbidden"},
		{name: "an agent exports", method: get, path: "/api/v1/audit/export", status: 403, code: "forbidden"},
	})
	var others api.AuditList
	if stranger(t, s).Get("/api/v1/audit", 200).JSON(&others); len(others.Items) != 2 {
		t.Errorf("another organisation reads %+v", others.Items)
	}
}
