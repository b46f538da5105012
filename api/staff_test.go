package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/widget"
)

func TestProjects(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner := s.Owner(t)
	var p api.Project
	owner.Post("/api/v1/projects", map[string]any{
		"name": "Web", "allowed_origins": []string{"HTTPS://Shop.example:443", "https://shop.example"}, "settings": map[string]any{"rating": false},
	}, 201).JSON(&p)
	if !models.ValidProjectKey(p.Key) || len(p.AllowedOrigins) != 1 || p.AllowedOrigins[0] != "https://shop.example" || p.Settings.Rating || !p.Settings.AskEmail ||
		p.Snippet != `<script async src="`+s.URL+`/w/`+p.Key+`.js"></script>` ||
		p.PinnedSnippet != `<script async src="`+s.URL+`/w/v/`+widget.Version()+`/core.js" data-key="`+p.Key+`" integrity="`+widget.Integrity()+`" crossorigin></script>` {
		t.Errorf("project = %+v", p)
	}
	path := "/api/v1/projects/" + string(p.ID)
	run(t, owner, []call{
		{name: "get", method: get, path: path, status: 200},
		{name: "head", method: "HEAD", path: path, status: 200},
		{name: "no name", method: post, path: "/api/v1/projects", body: "{}", status: 422, code: "invalid_field", field: "name"},
		{name: "empty name", method: post, path: "/api/v1/projects", body: `{"name":""}`, status: 422, code: "invalid_field", field: "name"},
		{name: "long name", method: post, path: "/api/v1/projects", body: map[string]string{"name": strings.Repeat("a", 201)}, status: 422, code: "invalid_field", field: "name"},
		{name: "null name", method: post, path: "/api/v1/projects", body: `{"name":null}`, status: 422, code: "invalid_field", field: "name"},
		{name: "bad origin", method: post, path: "/api/v1/projects", body: `{"name":"a","allowed_origins":["https://a.example","hunter2"]}`, status: 422, code: "invalid_field", field: "allowed_origins.1"},
		{name: "origin with path", method: post, path: "/api/v1/projects", body: `{"name":"a","allowed_origins":["https://a.example/x"]}`, status: 422, code: "invalid_field"},
		{name: "unknown field", method: post, path: "/api/v1/projects", body: `{"name":"a","colour":"hunter2"}`, status: 422, code: "invalid_field"},
		{name: "unknown setting", method: patch, path: path, body: `{"settings":{"colour":"hunter2"}}`, status: 422, code: "invalid_field"},
		{name: "bad accent", method: patch, path: path, body: `{"settings":{"accent":"hunter2"}}`, status: 422, code: "invalid_field", field: "settings.accent"},
		{name: "bad theme", method: patch, path: path, body: `{"settings":{"theme":"hunter2"}}`, status: 422, code: "invalid_field", field: "settings.theme"},
		{name: "bad kinds", method: patch, path: path, body: `{"settings":{"kinds":["bug","hunter2"]}}`, status: 422, code: "invalid_field"},
		{name: "kinds twice", method: patch, path: path, body: `{"settings":{"kinds":["bug","bug"]}}`, status: 422, code: "invalid_field"},
		{name: "case variant deep", method: patch, path: path, body: `{"settings":{"Accent":"#000000"}}`, status: 400, code: "bad_json"},
		{name: "string for bool", method: patch, path: path, body: `{"key_disabled":"yes"}`, status: 422, code: "invalid_field", field: "key_disabled"},
		{name: "null leaves a setting", method: patch, path: path, body: `{"settings":{"rating":null}}`, status: 200},
		{name: "id is not to be set", method: patch, path: path, body: `{"id":"x"}`, status: 422, code: "invalid_field"},
		{name: "patch nothing", method: patch, path: path, body: `{}`, status: 200},
		{name: "patch array", method: patch, path: path, body: `[]`, status: 422, code: "invalid_field"},
		{name: "patch as merge-patch", method: patch, path: path, body: `{}`, headers: []string{"Content-Type", "application/merge-patch+json"}, status: 415, code: "unsupported_media"},
		{name: "not there", method: get, path: "/api/v1/projects/" + string(models.NewID()), status: 404, code: "not_found"},
		{name: "no id", method: get, path: "/api/v1/projects/x", status: 404, code: "not_found"},
		{name: "trailing slash", method: get, path: "/api/v1/projects/", status: 404, code: "not_found"},
		{name: "nothing there", method: get, path: "/api/v1/nothing", status: 404, code: "not_found"},
		{name: "PUT", method: "PUT", path: path, body: "{}", status: 405, code: "method_not_allowed"},
		{name: "unknown query", method: get, path: path + "?a=1", status: 400, code: "bad_request"},
	})
	var before, after api.Project
	owner.Get(path, 200).JSON(&before)
	owner.Patch(path, `{"name":"Shop","settings":{"accent":"#000000","texts":{"title":"Hi"}}}`, 200).JSON(&after)
	if after.Name != "Shop" || after.Settings.Accent != "#000000" || after.Settings.Texts.Title != "Hi" || after.Settings.Theme != before.Settings.Theme || after.Key != before.Key {
		t.Errorf("after = %+v", after)
	}
	script := "/w/" + p.Key + ".js"
	s.Client(t).Get(script, 200)
	owner.Patch(path, `{"rotate_key":true}`, 200).JSON(&after)
	if !models.ValidProjectKey(after.Key) || after.Key == p.Key || !strings.Contains(after.Snippet, after.Key) {
		t.Errorf("after a rotation of %s the project is %+v", p.Key, after)
	}
	s.Client(t).Get(script, 404)
	s.Client(t).Get("/w/"+after.Key+".js", 200)
	owner.Delete(path)
	owner.Get(path, 404)
	s.Client(t).Get("/w/"+after.Key+".js", 404)
}

func TestProjectsAreListedInOrder(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, first := s.Project(t)
	second := owner.Project()
	for query, want := range map[string][]models.ID{
		"": {second.ID, first.ID}, "?sort=-created_at": {second.ID, first.ID}, "?sort=created_at": {first.ID, second.ID},
	} {
		var list api.ProjectList
		owner.Get("/api/v1/projects"+query, 200).JSON(&list)
		var got []models.ID
		for _, p := range list.Items {
			got = append(got, p.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
		}
	}
	owner.Get("/api/v1/projects?sort=name", 422)
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	const n = 7
	for range n {
		s.Submit(t, project, "hello")
	}
	list := "/api/v1/projects/" + string(project.ID) + "/feedback"
	seen := map[models.ID]bool{}
	cursor := ""
	for pages := 0; ; pages++ {
		var page api.FeedbackList
		owner.Get(list+"?limit=3&count=true&cursor="+url.QueryEscape(cursor), 200).JSON(&page)
		if page.Total == nil || *page.Total != n {
			t.Fatalf("total = %v, want %d", page.Total, n)
		}
		for _, item := range page.Items {
			if seen[item.ID] {
				t.Errorf("%s comes twice", item.ID)
			}
			seen[item.ID] = true
		}
		if page.NextCursor == nil {
			if pages != 2 {
				t.Errorf("pages = %d, want 3", pages+1)
			}
			break
		}
		cursor = *page.NextCursor
	}
	if len(seen) != n {
		t.Errorf("seen = %d, want %d", len(seen), n)
	}
	id := string(models.NewID())
	ok := func(query string) call { return call{name: query, method: get, path: list + "?" + query, status: 200} }
	bad := func(query string, status int, code models.Code) call {
		return call{name: query, method: get, path: list + "?" + query, status: status, code: code}
	}
	run(t, owner, []call{
		ok("limit=1"), ok("limit=200"), ok("limit=100000"), ok("status=new"), ok("status=new,open"), ok("kind=bug,idea"), ok("tag=a"),
		ok("assignee=me"), ok("assignee=none"), ok("assignee=" + id), ok("rating=1,5"), ok("q=hello"), ok("q=%22%28*"),
		ok("from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"), ok("page_url=https%3A%2F%2Fshop.example%2Fcart"),
		ok("has_attachment=true"), ok("has_attachment=false"), ok("quarantined=true"), ok("quarantined=false"),
		ok("sort=created_at"), ok("sort=-updated_at"), ok("sort=priority"), ok("sort=-rating"), ok("count=exact"), ok("count=true"),
		bad("limit=0", 400, "bad_request"), bad("limit=-1", 400, "bad_request"), bad("limit=x", 400, "bad_request"), bad("limit=", 400, "bad_request"),
		bad("limit=1.5", 400, "bad_request"), bad("limit=1&limit=2", 400, "bad_request"),
		bad("cursor=x", 400, "bad_request"), bad("cursor="+strings.Repeat("A", 100), 400, "bad_request"),
		bad("status=done", 422, "invalid_field"), bad("status=new,done", 422, "invalid_field"), bad("kind=rant", 422, "invalid_field"),
		bad("rating=0", 422, "invalid_field"), bad("rating=6", 422, "invalid_field"), bad("rating=x", 422, "invalid_field"),
		bad("assignee=x", 422, "invalid_field"), bad("from=yesterday", 422, "invalid_field"), bad("to=2020-13-01T00:00:00Z", 422, "invalid_field"),
		bad("sort=name", 422, "invalid_field"), bad("sort=--created_at", 422, "invalid_field"), bad("count=maybe", 422, "invalid_field"),
		bad("quarantined=x", 422, "invalid_field"), bad("has_attachment=x", 422, "invalid_field"), bad("q=%ff", 422, "invalid_text"), bad("q=%00", 422, "invalid_text"),
		bad("a=1", 400, "bad_request"), bad("Status=new", 400, "bad_request"), bad("token=x", 400, "bad_request"), bad("access_token="+owner.Token, 400, "bad_request"),
		bad("api_key=x", 400, "bad_request"), bad("key=x", 400, "bad_request"), bad("password=hunter2", 400, "bad_request"), bad("ticket=x", 400, "bad_request"),
	})
	count := func(query string) int {
		var page api.FeedbackList
		owner.Get(list+"?"+query, 200).JSON(&page)
		return len(page.Items)
	}
	for query, want := range map[string]int{
		"status=new": n, "status=open": 0, "has_attachment=true": 0, "quarantined=true": 0, "to=2020-01-01T00:00:00Z": 0,
		"page_url=https%3A%2F%2Fshop.example%2Fcart": n, "page_url=https%3A%2F%2Fother.example%2F": 0, "limit=2": 2,
	} {
		if got := count(query); got != want {
			t.Errorf("%s gives %d items, want %d", query, got, want)
		}
	}
	run(t, owner, []call{
		{name: "projects limit", method: get, path: "/api/v1/projects?limit=0", status: 400, code: "bad_request"},
		{name: "projects cursor", method: get, path: "/api/v1/projects?cursor=x", status: 400, code: "bad_request"},
		{name: "projects capped", method: get, path: "/api/v1/projects?limit=1000&count=true", status: 200},
		{name: "foreign cursor", method: get, path: "/api/v1/projects?cursor=" + cursor, status: 400, code: "bad_request"},
	})
}

func TestTriage(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	agent := member(t, s, owner, models.RoleAgent)
	viewer := member(t, s, owner, models.RoleViewer)
	admin := member(t, s, owner, models.RoleAdmin)
	receipt := s.Submit(t, project, "hello")
	path := "/api/v1/feedback/" + string(receipt.ID)
	var me api.Me
	agent.Get("/api/v1/me", 200).JSON(&me)
	run(t, agent, []call{
		{name: "get", method: get, path: path, status: 200},
		{name: "no rev", method: patch, path: path, body: `{"status":"open"}`, status: 422, code: "invalid_field", field: "rev"},
		{name: "rev 0", method: patch, path: path, body: `{"status":"open","rev":0}`, status: 422, code: "invalid_field", field: "rev"},
		{name: "rev as text", method: patch, path: path, body: `{"status":"open","rev":"1"}`, status: 422, code: "invalid_field", field: "rev"},
		{name: "rev past float64", method: patch, path: path, body: `{"status":"open","rev":1e400}`, status: 422, code: "invalid_field", field: "rev"},
		{name: "rev past int64", method: patch, path: path, body: `{"status":"open","rev":9223372036854775808}`, status: 422, code: "invalid_field", field: "rev"},
		{name: "rev far ahead", method: patch, path: path, body: `{"status":"open","rev":1e18}`, status: 409, code: "conflict"},
		{name: "rev as a fraction", method: patch, path: path, body: `{"status":"open","rev":1.5}`, status: 422, code: "invalid_field", field: "rev"},
		{name: "nothing", method: patch, path: path, body: `{"rev":1}`, status: 422, code: "invalid_field"},
		{name: "bad status", method: patch, path: path, body: `{"status":"hunter2","rev":1}`, status: 422, code: "invalid_field", field: "status"},
		{name: "null status", method: patch, path: path, body: `{"status":null,"rev":1}`, status: 422, code: "invalid_field"},
		{name: "bad priority", method: patch, path: path, body: `{"priority":"asap","rev":1}`, status: 422, code: "invalid_field", field: "priority"},
		{name: "empty tag", method: patch, path: path, body: `{"tags":[""],"rev":1}`, status: 422, code: "invalid_field"},
		{name: "tag as number", method: patch, path: path, body: `{"tags":[1],"rev":1}`, status: 422, code: "invalid_field", field: "tags.0"},
		{name: "assignee is nobody", method: patch, path: path, body: `{"assignee_id":"` + string(models.NewID()) + `","rev":1}`, status: 422, code: "invalid_field", field: "assignee_id"},
		{name: "assignee no id", method: patch, path: path, body: `{"assignee_id":"hunter2","rev":1}`, status: 422, code: "invalid_field", field: "assignee_id"},
		{name: "unknown", method: patch, path: path, body: `{"message":"x","rev":1}`, status: 422, code: "invalid_field"},
		{name: "duplicate", method: patch, path: path, body: `{"rev":1,"rev":2}`, status: 400, code: "bad_json"},
		{name: "not there", method: patch, path: "/api/v1/feedback/" + string(models.NewID()), body: `{"status":"open","rev":1}`, status: 404, code: "not_found"},
		{name: "agents do not erase", method: del, path: path, status: 403, code: "forbidden"},
		{name: "agents do not manage", method: post, path: "/api/v1/projects", body: `{"name":"x"}`, status: 403, code: "forbidden"},
		{name: "nor change", method: patch, path: "/api/v1/projects/" + string(project.ID), body: `{"name":"x"}`, status: 403, code: "forbidden"},
		{name: "nor delete", method: del, path: "/api/v1/projects/" + string(project.ID), status: 403, code: "forbidden"},
	})
	run(t, viewer, []call{
		{name: "reads", method: get, path: path, status: 200},
		{name: "reads projects", method: get, path: "/api/v1/projects", status: 200},
		{name: "does not write", method: patch, path: path, body: `{"status":"open","rev":1}`, status: 403, code: "forbidden"},
		{name: "does not erase", method: del, path: path, status: 403, code: "forbidden"},
		{name: "does not manage", method: post, path: "/api/v1/projects", body: `{"name":"x"}`, status: 403, code: "forbidden"},
	})
	var item api.Feedback
	agent.Patch(path, map[string]any{"status": "open", "assignee_id": me.User.ID, "tags": []string{"b", "a", "a"}, "priority": "high", "rev": 1}, 200).JSON(&item)
	if item.Status != "open" || item.AssigneeID == nil || *item.AssigneeID != me.User.ID || strings.Join(item.Tags, ",") != "a,b" || item.Priority != "high" || item.Rev != 2 {
		t.Errorf("item = %+v", item)
	}
	conflict := agent.Patch(path, `{"status":"closed","rev":1}`, 409).Problem()
	if conflict.Code != models.CodeConflict || conflict.Current == nil || conflict.Current.Rev != 2 || conflict.Current.ID != item.ID {
		t.Errorf("problem = %+v, want the present item", conflict)
	}
	var none api.Feedback
	agent.Patch(path, `{"assignee_id":null,"rev":2.0}`, 200).JSON(&none) // 2.0 is 2
	if none.AssigneeID != nil || none.Rev != 3 {
		t.Errorf("item = %+v, want nobody assigned", none)
	}
	var log eventPage
	agent.Get("/api/v1/projects/"+string(project.ID)+"/events?since=0", 200).JSON(&log)
	if told := string(log.Events[2].Data); !strings.Contains(told, `"changes":{"assignee_id":null}`) {
		t.Errorf("the log tells %s, want nobody assigned", told)
	}
	admin.Delete(path)
	admin.Get(path, 404)
	admin.Do(del, path, nil).Want(404)
}

// Everything that takes an id answers a stranger as if there were nothing.
func TestTenancy(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	receipt := s.Submit(t, project, "hello")
	other := stranger(t, s)
	var view api.View
	owner.Post("/api/v1/projects/"+string(project.ID)+"/views", `{"name":"All","query":{}}`, 201).JSON(&view)
	var canned api.CannedReply
	owner.Post("/api/v1/projects/"+string(project.ID)+"/canned-replies", `{"name":"Hi","body":"Hello"}`, 201).JSON(&canned)
	key, _ := apiKey(t, s, owner, map[string]any{"name": "key", "scopes": []string{"feedback:read"}})
	invited, _ := invite(t, owner, map[string]any{"role": "viewer"})
	var me api.Me
	owner.Get("/api/v1/me", 200).JSON(&me)
	var sessions api.OpenSessions
	owner.Get("/api/v1/me/sessions", 200).JSON(&sessions)
	var job api.Job
	owner.Post("/api/v1/projects/"+string(project.ID)+"/exports", `{"format":"csv"}`, 202).JSON(&job)
	var block api.Block
	owner.Post("/api/v1/projects/"+string(project.ID)+"/blocks", `{"kind":"word","word":"watches"}`, 201).JSON(&block)
	item := string(receipt.ID)
	ids := map[string]string{
		"projects": string(project.ID), "feedback": item, "views": string(view.ID), "canned-replies": string(canned.ID), "jobs": string(job.ID),
		"members": string(me.User.ID), "invites": string(invited.ID), "api-keys": string(key.ID), "me/sessions": string(sessions.Items[0].ID), "blocks": string(block.ID), "attachments": string(models.NewID()),
	}
	bodies := map[string]string{
		"PATCH /api/v1/projects/{id}":                    `{"name":"mine"}`,
		"PATCH /api/v1/feedback/{id}":                    `{"status":"closed","rev":1}`,
		"POST /api/v1/projects/{id}/exports":             `{"format":"csv"}`,
		"POST /api/v1/feedback/{id}/messages":            `{"body":"hi","visibility":"public"}`,
		"PATCH /api/v1/feedback/{id}/messages/{message}": `{"body":"hi","rev":1}`,
		"POST /api/v1/projects/{id}/views":               `{"name":"mine","query":{}}`,
		"POST /api/v1/projects/{id}/canned-replies":      `{"name":"Hi","body":"Hello"}`,
		"PATCH /api/v1/canned-replies/{id}":              `{"name":"Hi","rev":1}`,
		"PATCH /api/v1/views/{id}":                       `{"name":"mine"}`,
		"PATCH /api/v1/members/{id}":                     `{"role":"viewer"}`,
		"POST /api/v1/projects/{id}/erasures":            `{"email":"a@example.com"}`,
		"POST /api/v1/projects/{id}/blocks":              `{"kind":"word","word":"rings"}`,
		"POST /api/v1/projects/{id}/feedback/bulk":       `{"items":[{"id":"` + item + `","changes":{"status":"closed"}}]}`,
		"POST /api/v1/projects/{id}/feedback/read":       `{"ids":["` + item + `"],"read":true}`,
	}
	walked := 0
	for path, methods := range documented(t) {
		if !strings.HasPrefix(path, "/api/v1/") || !strings.Contains(path, "{id}") {
			continue
		}
		use := ""
		for prefix, of := range ids {
			if strings.HasPrefix(path, "/api/v1/"+prefix+"/") {
				use = of
			}
		}
		if use == "" {
			t.Errorf("%s: the walk has no id for it", path)
		}
		for method := range methods {
			walked++
			t.Run(method+" "+path, func(t *testing.T) {
				var body any
				query := ""
				switch {
				case method == "delete" && strings.HasSuffix(path, "{message}"):
					query = "?rev=1"
				case strings.HasSuffix(path, "/retention"):
					query = "?days=30"
				case strings.HasSuffix(path, "/insights"):
					query = "?from=2026-01-01&to=2026-01-08"
				}
				if text := bodies[strings.ToUpper(method)+" "+path]; text != "" {
					body = text
				}
				if code := other.Do(strings.ToUpper(method), strings.NewReplacer("{id}", use, "{message}", string(models.NewID())).Replace(path)+query, body).Want(404).Problem().Code; code != models.CodeNotFound {
					t.Errorf("code = %q, want not_found", code)
				}
			})
		}
	}
	if walked < 30 {
		t.Errorf("walked %d calls, want at least 30", walked)
	}
	var list api.ProjectList
	other.Get("/api/v1/projects", 200).JSON(&list)
	if len(list.Items) != 0 {
		t.Errorf("the stranger sees %d projects", len(list.Items))
	}
}

// Every staff call that is not open wants an access token.
func TestEveryCallIsGuarded(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	open := map[string]bool{
		"get /api/v1/auth/methods": true, "post /api/v1/auth/password/forgot": true, "post /api/v1/auth/password/reset": true,
		"post /api/v1/auth/email/verify": true, "post /api/v1/auth/invites/show": true, "post /api/v1/auth/invites/join": true,
		"get /api/v1/auth/oidc": true, "get /api/v1/auth/oidc/callback": true,
		"get /api/v1/setup": true, "post /api/v1/setup": true, "post /api/v1/auth/login": true, "post /api/v1/auth/signup": true,
	}
	for path, methods := range documented(t) {
		for method := range methods {
			if !strings.HasPrefix(path, "/api/v1/") || open[method+" "+path] {
				continue
			}
			t.Run(method+" "+path, func(t *testing.T) {
				s.Client(t).Do(strings.ToUpper(method), strings.Replace(path, "{id}", string(models.NewID()), 1), nil).Want(401)
			})
		}
	}
}
