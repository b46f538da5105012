package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// sign is what a site's back end does, in any language.
func sign(secret, id string, exp time.Time) map[string]any {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + ":" + strconv.FormatInt(exp.Unix(), 10)))
	return map[string]any{"id": id, "hash": hex.EncodeToString(mac.Sum(nil)), "exp": exp.Unix()}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	other := owner.Project()
	path := "/api/v1/projects/" + string(project.ID) + "/identity-secret"
	secret := func(path string) string {
		var shown api.IdentitySecret
		owner.Get(path, 200).JSON(&shown)
		return shown.Secret
	}
	key, soon := secret(path), time.Now().Add(time.Hour)
	altered := sign(key, "ada", soon)
	altered["id"] = "eve"
	later := sign(key, "ada", soon)
	later["exp"] = soon.Add(time.Hour).Unix()
	for name, tc := range map[string]struct {
		claim map[string]any
		want  string
	}{
		"signed":                  {sign(key, "ada", soon), "ada"},
		"with a colon":            {sign(key, "user:7", soon), "user:7"},
		"for somebody else":       {altered, ""},
		"for longer":              {later, ""},
		"over":                    {sign(key, "ada", time.Now().Add(-time.Minute)), ""},
		"of another project":      {sign(secret("/api/v1/projects/"+string(other.ID)+"/identity-secret"), "ada", soon), ""},
		"with a secret of nobody": {sign("x", "ada", soon), ""},
	} {
		t.Run(name, func(t *testing.T) {
			id := submitAs(t, s, project, map[string]any{"identity": tc.claim})
			var shown api.Feedback
			owner.Get("/api/v1/feedback/"+string(id), 200).JSON(&shown)
			got := ""
			if shown.Visitor.Identity != nil {
				got = *shown.Visitor.Identity
			}
			if got != tc.want {
				t.Errorf("identity = %q, want %q", got, tc.want)
			}
		})
	}
	submit := func(claim any) *apitest.Response {
		return s.Client(t).Do(post, "/w/"+project.Key+"/feedback", map[string]any{"id": models.NewID(), "page_url": "https://shop.example/", "message": "x", "identity": claim})
	}
	for field, claim := range map[string]map[string]any{
		"identity.id":   {"id": "", "hash": sign(key, "", soon)["hash"], "exp": soon.Unix()},
		"identity.hash": {"id": "ada", "hash": "nonsense", "exp": soon.Unix()},
	} {
		if p := submit(claim).Want(422).Problem(); p.Errors[0].Path != field {
			t.Errorf("refusal = %+v, want %s named", p, field)
		}
	}
	owner.Do(post, path+"/rotate", nil).Want(200)
	id := submitAs(t, s, project, map[string]any{"identity": sign(key, "ada", soon)})
	var shown api.Feedback
	owner.Get("/api/v1/feedback/"+string(id), 200).JSON(&shown)
	if shown.Visitor.Identity != nil || secret(path) == key {
		t.Errorf("what the old secret has signed still counts: %+v", shown.Visitor)
	}
	run(t, member(t, s, owner, models.RoleAgent), []call{{name: "an agent", method: get, path: path, status: 403, code: "forbidden"}})
	// Sent again with a fresh signature it is the same.
	body := map[string]any{"id": models.NewID(), "page_url": "https://shop.example/", "message": "x", "identity": sign(secret(path), "ada", soon)}
	s.Client(t).Do(post, "/w/"+project.Key+"/feedback", body).Want(201)
	body["identity"] = sign(secret(path), "ada", soon.Add(time.Minute))
	s.Client(t).Do(post, "/w/"+project.Key+"/feedback", body).Want(200)
}
