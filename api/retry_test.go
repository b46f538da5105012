package api_test

import (
	"net/http"
	"strings"
	"testing"

	"earshot/api/apitest"
)

func TestRateLimitSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	p := s.Owner(t).Project()
	token := strings.Repeat("A", 43)
	body := `{"page_url":"https://shop.example/","message":"hello","resume_token":"` + token + `"}`
	for range 7 {
		response, err := http.Post(s.URL+"/w/"+p.Key+"/feedback", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, 1024)
		n, _ := response.Body.Read(raw)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusTooManyRequests {
			if !strings.Contains(string(raw[:n]), `"retry_after_ms":`) || response.Header.Get("Retry-After") == "" {
				t.Errorf("answered %s without a time: %s", response.Status, raw[:n])
			}
			return
		}
	}
	t.Error("seven submissions of one session were not limited")
}
