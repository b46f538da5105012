package attacks

import (
	"strings"
	"testing"

	"earshot/models"
)

func TestContent(t *testing.T) {
	at := newTarget(t)
	const path = "/w/{key}/feedback"
	line := func(name, member, raw string, status int, code models.Code) attempt {
		return attempt{name, "POST", path, submission(member, raw), nil, status, code}
	}
	at.run(t, at.Client(t), []attempt{
		line("page that is a script", "page_url", `"javascript:alert(1)"`, 422, "invalid_field"),
		line("page that is a script in odd case", "page_url", `"JaVaScRiPt:alert(1)"`, 422, "invalid_field"),
		line("page that is a script behind a tab", "page_url", `"java\tscript:alert(1)"`, 422, "invalid_field"),
		line("page that is a script behind a line end", "page_url", `"\njavascript:alert(1)"`, 422, "invalid_field"),
		line("page that is data", "page_url", `"data:text/html,<script>alert(1)</script>"`, 422, "invalid_field"),
		line("page that is a file", "page_url", `"file:///etc/passwd"`, 422, "invalid_field"),
		line("page without a scheme", "page_url", `"//evil.example"`, 422, "invalid_field"),
		line("page too long", "page_url", `"https://shop.example/`+strings.Repeat("a", 2048)+`"`, 422, "invalid_field"),
		line("NUL in the text", "message", `"a\u0000b"`, 422, "invalid_text"),
		line("lone surrogate in the text", "message", `"a\ud800b"`, 422, "invalid_text"),
		line("text that is not UTF-8", "message", "\"a\xffb\"", 422, "invalid_text"),
		line("text of white space", "message", `" \n\t "`, 422, "invalid_field"),
		line("text too long", "message", `"`+strings.Repeat("x", 5001)+`"`, 422, "invalid_field"),
		line("address with a line end", "email", `"a@b.example\r\nBcc: c@d.example"`, 422, "invalid_field"),
		line("rating of six", "rating", `6`, 422, "invalid_field"),
		line("rating as text", "rating", `"5"`, 422, "invalid_field"),
		line("rating out of all bounds", "rating", `1e400`, 422, ""),
		line("context too deep", "context", strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40), 400, "bad_json"),
		line("context that is a list", "context", `[1]`, 422, "invalid_field"),
		line("id in upper case", "id", `"01890A5D-AC96-774B-BCCE-B302099A8057"`, 422, "invalid_field"),
		line("id of another version", "id", `"c0ffee00-0000-4000-8000-000000000000"`, 422, "invalid_field"),
		line("id that is SQL", "id", `"' OR 1=1 --"`, 422, "invalid_field"),
		line("token too short", "resume_token", `"abc"`, 422, "invalid_field"),
		{"member twice", "POST", path, `{"page_url":"https://shop.example/","message":"a","message":"b"}`, nil, 400, "bad_json"},
		{"member in another case", "POST", path, `{"page_url":"https://shop.example/","Message":"a","message":"b"}`, nil, 400, "bad_json"},
		{"mark before the text", "POST", path, "\xef\xbb\xbf{}", nil, 400, "bad_json"},
		{"two values", "POST", path, "{}{}", nil, 400, "bad_json"},
		{"cut off", "POST", path, `{"message":`, nil, 400, "bad_json"},
		{"a list", "POST", path, `[]`, nil, 400, ""},
		{"nothing", "POST", path, ``, nil, 400, ""},
		{"a million brackets", "POST", path, strings.Repeat("[", 200_000), nil, 400, "bad_json"},
	})
	at.run(t, at.owner, []attempt{
		{"words that are SQL", "GET", "/api/v1/projects/{project}/feedback?q=%27%29%3B+DROP+TABLE+feedback%3B--", nil, nil, 200, ""},
		{"words that are a search's syntax", "GET", "/api/v1/projects/{project}/feedback?q=%22+OR+%2A+NEAR%2F2+%28", nil, nil, 200, ""},
		{"unknown field in a change", "PATCH", "/api/v1/feedback/{item}", `{"rev":1,"organization_id":"x"}`, nil, 422, "invalid_field"},
		{"order that is SQL", "GET", "/api/v1/projects/{project}/feedback?sort=created_at;DROP", nil, nil, 422, ""},
		{"filter of a view that there is not", "POST", "/api/v1/projects/{project}/views", `{"name":"x","query":{"sql":"1"}}`, nil, 422, ""},
	})
	at.unharmed(t)
}
