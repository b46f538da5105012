package attacks

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHTTP(t *testing.T) {
	at := newTarget(t)
	const form = "application/x-www-form-urlencoded"
	at.run(t, at.Client(t), []attempt{
		{"compressed body", "POST", "/w/{key}/feedback", submission("kind", `"bug"`), []string{"Content-Encoding", "gzip"}, 415, "unsupported_media"},
		{"body that says to be a form", "POST", "/w/{key}/feedback", "message=x", []string{"Content-Type", form}, 415, "unsupported_media"},
		{"body in another charset", "POST", "/w/{key}/feedback", submission("kind", `"bug"`), []string{"Content-Type", "application/json; charset=utf-16"}, 415, "unsupported_media"},
		{"body of 300 KiB", "POST", "/w/{key}/feedback", submission("context", `{"a":"`+strings.Repeat("x", 300<<10)+`"}`), nil, 413, "too_large"},
		{"body of 2 MiB", "POST", "/w/{key}/feedback", strings.Repeat(" ", 2<<20), nil, 413, "too_large"},
		{"unknown method", "BREW", "/api/v1/projects", nil, nil, 405, "method_not_allowed"},
		{"TRACE", "TRACE", "/api/v1/projects", nil, nil, 405, ""},
		{"method override", "POST", "/api/v1/feedback/{item}", "{}", []string{"X-HTTP-Method-Override", "DELETE"}, 405, ""},
		{"path with dots", "GET", "/assets/../../../etc/passwd", nil, nil, 404, ""},
		{"path with escaped dots", "GET", "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", nil, nil, 404, ""},
		{"path with a semicolon", "GET", "/api/v1/..;/projects", nil, nil, 404, ""},
		{"path with two slashes", "GET", "//evil.example/", nil, nil, 404, ""},
		{"script that is none", "GET", "/assets/nothing.js", nil, nil, 404, ""},
		{"page of another origin asks", "POST", "/w/{key}/feedback", submission("kind", `"bug"`), []string{"Origin", "https://evil.example"}, 403, "forbidden"},
		{"page of no origin asks", "POST", "/w/{key}/feedback", submission("kind", `"bug"`), []string{"Origin", "null"}, 403, "forbidden"},
		{"origin that ends alike", "POST", "/w/{key}/feedback", submission("kind", `"bug"`), []string{"Origin", "https://shop.example.evil.example"}, 403, "forbidden"},
		{"origin that begins alike", "POST", "/w/{key}/feedback", submission("kind", `"bug"`), []string{"Origin", "https://evilshop.example"}, 403, "forbidden"},
		{"origin with a user", "POST", "/w/{key}/feedback", submission("kind", `"bug"`), []string{"Origin", "https://shop.example@evil.example"}, 403, "forbidden"},
		{"preflight of another origin", "OPTIONS", "/w/{key}/feedback", nil, []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 403, ""},
		{"sign-in caused by another site", "POST", "/api/v1/auth/login", map[string]string{"email": "a@example.com", "password": "correct horse battery"}, []string{"Sec-Fetch-Site", "cross-site"}, 403, "forbidden"},
		{"sign-in caused by a sister", "POST", "/api/v1/auth/login", map[string]string{"email": "a@example.com", "password": "correct horse battery"}, []string{"Sec-Fetch-Site", "same-site"}, 403, "forbidden"},
		{"refresh caused by another site", "POST", "/api/v1/auth/refresh", "{}", []string{"Origin", "https://evil.example"}, 403, "forbidden"},
		{"unknown field in the query", "GET", "/api/v1/projects?admin=true", nil, []string{"Authorization", "Bearer " + at.owner.Token}, 400, "bad_request"},
		{"field twice in the query", "GET", "/api/v1/projects?limit=1&limit=2", nil, []string{"Authorization", "Bearer " + at.owner.Token}, 400, "bad_request"},
		{"limit below one", "GET", "/api/v1/projects?limit=0", nil, []string{"Authorization", "Bearer " + at.owner.Token}, 400, "bad_request"},
		{"cursor of one's own making", "GET", "/api/v1/projects?cursor=eyJsIjoiIn0", nil, []string{"Authorization", "Bearer " + at.owner.Token}, 400, ""},
		{"offset for a cursor", "GET", "/api/v1/projects/{project}/feedback?cursor=-1", nil, []string{"Authorization", "Bearer " + at.owner.Token}, 400, ""},
	})
	t.Run("host of one's own in links", func(t *testing.T) {
		r := at.owner.Do("GET", "/api/v1/projects", nil, "Host", "evil.example", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https")
		if strings.Contains(string(r.Body), "evil.example") {
			t.Errorf("the answer has the attacker's host: %s", r.Body)
		}
	})
	t.Run("credentials by CORS", func(t *testing.T) {
		r := at.Client(t).Do("GET", "/w/"+at.project.Key+"/config.json", nil, "Origin", origin)
		if r.Header.Get("Access-Control-Allow-Credentials") != "" || r.Header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("headers = %v", r.Header)
		}
	})
}

// Requests that are not even HTTP, by hand.
func TestRawHTTP(t *testing.T) {
	at := newTarget(t)
	head := "POST /w/" + at.project.Key + "/feedback HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	body := submission("kind", `"bug"`)
	for _, tc := range []struct {
		name, request string
		status        int // 0: closed without an answer, or refused
	}{
		{"two lengths", head + fmt.Sprintf("Content-Length: %d\r\nContent-Length: 5\r\n\r\n%s", len(body), body), 400},
		{"length and chunks", head + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", len(body)), 0},
		{"negative length", head + "Content-Length: -5\r\n\r\n", 400},
		{"length that is no number", head + "Content-Length: 0x10\r\n\r\n", 400},
		{"header of 64 KiB", head + "X-Pad: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", 431},
		{"line without a version", "GET /\r\n\r\n", 0},
		{"header without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
		{"header that goes on", "GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 0},
		{"space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", at.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
			_, _ = conn.Write([]byte(tc.request))
			r, err := http.ReadResponse(bufio.NewReader(conn), nil)
			switch {
			case err != nil && tc.status != 0:
				t.Errorf("no answer: %v, want %d", err, tc.status)
			case err == nil && tc.status != 0 && r.StatusCode != tc.status:
				t.Errorf("answer = %d, want %d", r.StatusCode, tc.status)
			case err == nil && tc.status == 0 && r.StatusCode == http.StatusCreated:
				t.Errorf("answer = %d, want it not taken", r.StatusCode)
			}
			at.Client(t).Get("/healthz", 200)
		})
	}
}
