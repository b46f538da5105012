package e2e

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"testing"
)

// upload sends files as the widget does, and gives their ids.
func (s *server) upload(p project, files map[string][]byte) (ids []string) {
	s.t.Helper()
	for name, content := range files {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("file", name)
		if err == nil {
			_, err = part.Write(content)
		}
		if err == nil {
			err = form.Close()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.base+"/w/"+p.Key+"/attachments", &body)
		if err != nil {
			s.t.Fatal(err)
		}
		request.Header.Set("Content-Type", form.FormDataContentType())
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			s.t.Fatal(err)
		}
		var kept struct{ ID string }
		if err := json.NewDecoder(answer.Body).Decode(&kept); err != nil || kept.ID == "" {
			s.t.Fatalf("upload %s: %d %v", name, answer.StatusCode, err)
		}
		_ = answer.Body.Close()
		ids = append(ids, kept.ID)
	}
	return ids
}

func stripes(t *testing.T) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 640, 360))
	for y := range 360 {
		for x := range 640 {
			picture.Set(x, y, color.RGBA{uint8(40 + x/4), uint8(90 + y/4), uint8(150 + (x/40+y/40)%2*60), 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What was held back is seen with its reasons and its files, moved to the inbox by a
// click, and its sender blocked by two.
func TestHeldBackIsReleased(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	ids := append(s.upload(p, map[string][]byte{"cart.png": stripes(t)}), s.upload(p, map[string][]byte{"console.log": []byte("TypeError: x is undefined\n")})...)
	id := s.submit(p, "The total is wrong, see the picture", map[string]any{"website": "https://spam.example", "attachment_ids": ids})
	staff := newWindow(t)
	staff.open(s.inbox(p) + "?quarantined=true")
	staff.signIn(s.owner, s.password)
	staff.click("[data-row]")
	staff.see("[data-testid=quarantined]")
	await(staff, "the picture is shown", "document.querySelector('.file-picture img')?.naturalWidth", 640)
	staff.examine(axe, "held-back")
	staff.click("[data-testid=block]")
	staff.see("[data-testid=block-dialog]")
	staff.examine(axe, "block-dialog")
	staff.click("[data-testid=block-confirm]")
	staff.miss("[data-testid=block-dialog]")
	staff.click("[data-testid=release]")
	staff.see("[data-testid=list-quarantine-none]")
	staff.open(s.inbox(p) + "/" + id)
	staff.see("[data-testid=detail]")
	staff.miss("[data-testid=quarantined]")
	var blocks struct {
		Items []struct{ Kind string } `json:"items"`
	}
	s.call("GET", "/api/v1/projects/"+p.ID+"/blocks", nil, &blocks)
	if len(blocks.Items) != 1 || blocks.Items[0].Kind != "session" {
		t.Errorf("blocks = %+v, want the sender's session", blocks.Items)
	}
}
