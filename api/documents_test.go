package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"earshot/admin"
	"earshot/api"
	"earshot/api/apitest"
	"earshot/realtime/protocol"
)

// documented is the paths of the committed document, with their methods.
func documented(t *testing.T) map[string]map[string]json.RawMessage {
	t.Helper()
	raw, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Paths
}

func TestDocumentsAreCommitted(t *testing.T) {
	t.Parallel()
	openAPI, asyncAPI, err := api.Documents()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"openapi.json": openAPI, "asyncapi.json": asyncAPI} {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code makes: run go generate ./api", name)
		}
	}
}

// A validator of the documents, or of answers by them, is not to be led astray.
func TestDocumentsAreStrict(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	for _, name := range []string{"/openapi.json", "/asyncapi.json"} {
		var doc any
		if err := json.Unmarshal(s.Client(t).Get(name, 200).Body, &doc); err != nil {
			t.Fatal(err)
		}
		walk(doc, name, func(at string, schema map[string]any) {
			// JSON Schema 2020-12 §6.1.2: what is not among the values is not valid.
			types, _ := schema["type"].([]any)
			if values, ok := schema["enum"].([]any); ok && slices.Contains(types, any("null")) && !slices.Contains(values, nil) {
				t.Errorf("%s may be null by its type and not by its values %v", at, values)
			}
			// AsyncAPI 3.0, Schema Object: the name of a member.
			if _, named := schema["discriminator"].(string); schema["discriminator"] != nil && named != (name == "/asyncapi.json") {
				t.Errorf("%s has the discriminator %v", at, schema["discriminator"])
			}
		})
	}
}

func walk(node any, at string, visit func(at string, object map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		visit(at, node)
		for name, below := range node {
			walk(below, at+"/"+name, visit)
		}
	case []any:
		for i, below := range node {
			walk(below, fmt.Sprint(at, "/", i), visit)
		}
	}
}

func TestDocumentsHaveAllEvents(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	asyncAPI := s.Client(t).Get("/asyncapi.json", 200).Body
	openAPI := s.Client(t).Get("/openapi.json", 200).Body
	var names []string
	for _, event := range protocol.VisitorClient.Events() {
		names = append(names, "VisitorClient"+event.Name)
	}
	for _, event := range protocol.VisitorServer.Events() {
		names = append(names, "VisitorServer"+event.Name)
	}
	for _, event := range protocol.DashboardClient.Events() {
		names = append(names, "DashboardClient"+event.Name)
	}
	for _, event := range protocol.DashboardServer.Events() {
		names = append(names, "DashboardServer"+event.Name)
	}
	for _, name := range names {
		if !bytes.Contains(asyncAPI, []byte(`"#/components/messages/`+name+`"`)) || !bytes.Contains(openAPI, []byte(`"`+name+`": {`)) {
			t.Errorf("%s is not in both documents", name)
		}
	}
	for _, name := range []string{"Feedback", "Project", "Problem", "Me", "VisitorClientEvent", "DashboardServerEvent", "FeedbackList", "AccessToken", "Ticket", "EventPage"} {
		if !bytes.Contains(openAPI, []byte(`"`+name+`": {`)) {
			t.Errorf("openapi.json lacks %s", name)
		}
	}
	if bytes.Contains(openAPI, []byte("ErrorModel")) {
		t.Error("openapi.json has huma's own error")
	}
}

// Whoever reloads a page of the dashboard, or opens a link to it, gets the dashboard.
func TestEveryPageOfTheDashboardIsServed(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	pages := admin.Pages()
	for _, path := range []string{"/", "/projects/:project/inbox", "/projects/:project/inbox/:item", "/projects/:project/visitors"} {
		if !slices.Contains(pages, path) {
			t.Errorf("the dashboard's pages: got %q, want %s among them", pages, path)
		}
	}
	var calls []call
	for _, path := range pages {
		path = strings.NewReplacer(":project", "x", ":item", "y").Replace(path)
		calls = append(calls, call{name: path, method: get, path: path, headers: []string{"Accept", "text/html"}, status: 200})
	}
	run(t, s.Client(t), calls)
}

func TestPagesOfTheServer(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	html := []string{"Accept", "text/html,application/xhtml+xml"}
	run(t, s.Client(t), []call{
		{name: "home", method: get, path: "/", headers: html, status: 200},
		{name: "home for curl", method: get, path: "/", headers: []string{"Accept", "*/*"}, status: 200},
		{name: "home as json", method: get, path: "/", headers: []string{"Accept", "application/json"}, status: 404, code: "not_found"},
		{name: "login", method: get, path: "/login", headers: html, status: 200},
		{name: "inbox", method: get, path: "/projects/x/inbox", headers: html, status: 200},
		{name: "inbox for curl", method: get, path: "/projects/x/inbox", headers: []string{"Accept", "*/*"}, status: 200},
		{name: "setup for a program that does not say", method: get, path: "/setup", headers: []string{"Accept", ""}, status: 200},
		{name: "login for a link checker", method: http.MethodHead, path: "/login", headers: []string{"Accept", "text/*"}, status: 200},
		{name: "inbox as json", method: get, path: "/projects/x/inbox", headers: []string{"Accept", "application/json"}, status: 404, code: "not_found"},
		{name: "inbox as anything but html", method: get, path: "/projects/x/inbox", headers: []string{"Accept", "text/html;q=0"}, status: 404, code: "not_found"},
		{name: "file beside the inbox", method: get, path: "/projects/x/inbox/app.js", headers: []string{"Accept", "*/*"}, status: 404, code: "not_found"},
		{name: "missing file for curl", method: get, path: "/app.js", headers: []string{"Accept", "*/*"}, status: 404, code: "not_found"},
		{name: "missing page for curl", method: get, path: "/nothing", headers: []string{"Accept", "*/*"}, status: 404, code: "not_found"},
		{name: "missing call for curl", method: get, path: "/api/v1/nothing", headers: []string{"Accept", "*/*"}, status: 404, code: "not_found"},
		{name: "mistyped", method: get, path: "/nothing", headers: html, status: 404},
		{name: "missing script", method: get, path: "/assets/app.js", status: 404, code: "not_found"},
		{name: "missing script as page", method: get, path: "/assets/app.js", headers: html, status: 404, code: "not_found"},
		{name: "missing at the root", method: get, path: "/app.js", headers: html, status: 404, code: "not_found"},
		{name: "up and away", method: get, path: "/assets/..%2findex.html", status: 404, code: "not_found"},
		{name: "post home", method: post, path: "/", body: "{}", status: 405, code: "method_not_allowed"},
		{name: "credential", method: get, path: "/login?password=hunter2", headers: html, status: 400, code: "bad_request"},
		{name: "login with a slash", method: get, path: "/login/", headers: html, status: 308},
		{name: "inbox with a slash", method: http.MethodHead, path: "/projects/x/inbox/", headers: html, status: 308},
		{name: "nothing with a slash", method: get, path: "/nothing/", headers: html, status: 404},
		{name: "health", method: get, path: "/healthz", status: 200},
		{name: "health with something added", method: get, path: "/healthz?probe=1", status: 200},
		{name: "ready", method: get, path: "/readyz", status: 200},
		{name: "head health", method: http.MethodHead, path: "/healthz", status: 200},
		{name: "docs", method: get, path: "/docs", status: 200},
		{name: "renderer", method: get, path: "/docs/rapidoc-9.3.8.min.js", status: 200},
		{name: "trace", method: http.MethodTrace, path: "/", status: 405, code: "method_not_allowed"},
		{name: "metrics for nobody", method: get, path: "/metrics", status: 401, code: "unauthorized"},
	})
	page := s.Client(t).Do(get, "/", nil, html...).Want(200)
	wantHeader(t, page, "Cache-Control", "no-cache")
	wantHeader(t, page, "X-Content-Type-Options", "nosniff")
	wantHeader(t, page, "Referrer-Policy", "same-origin")
	for _, directive := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), directive) {
			t.Errorf("the policy lacks %s", directive)
		}
	}
	slash := s.Client(t).Do(get, "/projects/x/inbox/y/?q=%41", nil, html...).Want(308)
	wantHeader(t, slash, "Location", "/projects/x/inbox/y?q=%41")
	_, after, _ := bytes.Cut(page.Body, []byte(`src="/assets/`))
	name, _, _ := bytes.Cut(after, []byte(`"`))
	file := s.Client(t).Do(get, "/assets/"+string(name), nil, "Accept-Encoding", "gzip").Want(200)
	wantHeader(t, file, "Cache-Control", "public, max-age=31536000, immutable")
	wantHeader(t, file, "Content-Encoding", "gzip")
	if docs := s.Client(t).Get("/docs", 200); bytes.Contains(docs.Body, []byte("//")) && bytes.Contains(docs.Body, []byte("http")) {
		t.Errorf("the docs load from elsewhere: %s", docs.Body)
	}
}
