package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/backup"
)

// program is the real one, as a process of its own.
type program struct {
	binary, addr string
	env          []string
}

func buildProgram(t *testing.T) program {
	t.Helper()
	p := program{binary: filepath.Join(t.TempDir(), "earshot")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", p.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	p.env = append(os.Environ(), "EARSHOT_ADDR="+p.addr, "EARSHOT_BASE_URL=http://"+p.addr, "EARSHOT_LIMITS=off",
		"EARSHOT_ADMIN_EMAIL="+apitest.OwnerEmail, "EARSHOT_ADMIN_PASSWORD="+apitest.Password, "EARSHOT_BACKUP_PASSPHRASE=a passphrase for tests")
	return p
}

func (p program) command(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), p.binary, args...)
	c.Env = p.env
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// serve runs a server on a folder until kill ends it as a power cut would.
func (p program) serve(t *testing.T, dir string) (kill func()) {
	t.Helper()
	c := exec.CommandContext(t.Context(), p.binary, "--data", dir)
	c.Env = p.env
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = c.Process.Signal(syscall.SIGKILL)
		_ = c.Wait()
	})
	t.Cleanup(kill)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get("http://" + p.addr + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return kill
			}
		}
		if time.Now().After(end) {
			kill()
			t.Fatalf("the server is not ready after 30 s: %v\n%s", err, out.String())
		}
	}
}

// visitors send items without a pause and remember what was acknowledged.
type visitors struct {
	url    string
	mu     sync.Mutex
	sent   map[models.ID]sent
	halt   chan struct{}
	ending sync.WaitGroup
}

type sent struct{ body, receipt, file string }

// begin starts n of them; each tenth item of theirs has a file.
func (v *visitors) begin(t *testing.T, n int, key string) {
	v.sent, v.halt = map[models.ID]sent{}, make(chan struct{})
	for range n {
		v.ending.Go(func() {
			client := http.Client{Timeout: 5 * time.Second}
			defer client.CloseIdleConnections()
			for i := 0; ; i++ {
				select {
				case <-v.halt:
					return
				default:
				}
				id, file := models.NewID(), ""
				if i%10 == 0 {
					file = uploadText(&client, v.url+"/w/"+key+"/attachments", "file of "+string(id))
				}
				body := fmt.Sprintf(`{"id":%q,"page_url":"https://shop.example/","message":"item %d","resume_token":%q`, id, i, models.NewResumeToken())
				if file != "" {
					body += `,"attachment_ids":["` + file + `"]`
				}
				body += "}"
				var receipt api.Receipt
				if status, err := postJSON(&client, v.url+"/w/"+key+"/feedback", body, &receipt); err == nil && status == http.StatusCreated {
					v.mu.Lock()
					v.sent[id] = sent{body, receipt.ReceiptURL, file}
					v.mu.Unlock()
				}
			}
		})
	}
	t.Cleanup(v.end)
}

func (v *visitors) end() {
	select {
	case <-v.halt:
	default:
		close(v.halt)
	}
	v.ending.Wait()
}

func (v *visitors) acknowledged() map[models.ID]sent {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.sent)
}

// TestRestoreAfterALoss: a server under load is backed up and then lost. What it had
// acknowledged before the backup is there again, and works; what came later is sent again
// by the visitors' outboxes, and nothing is there twice; who was connected is told.
func TestRestoreAfterALoss(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program again")
	}
	p := buildProgram(t)
	lost, found := t.TempDir(), filepath.Join(t.TempDir(), "data")
	kill := p.serve(t, lost)
	s := &apitest.Server{URL: "http://" + p.addr}
	owner := s.Login(t, apitest.OwnerEmail, apitest.Password)
	project := owner.Project()
	events := "/api/v1/projects/" + string(project.ID) + "/events"
	var before, after struct {
		Epoch  models.Epoch
		Head   int64
		Events []struct{ Type string }
	}
	v := &visitors{url: s.URL}
	v.begin(t, 4, project.Key)
	waitAcknowledged(t, v, 200)
	owner.Get(events, 200).JSON(&before)
	due := v.acknowledged()
	file := filepath.Join(t.TempDir(), "backup.zip")
	if said := p.command(t, "backup", file, "--data", lost); !strings.Contains(said, "checked") || strings.Contains(said, "NOT") {
		t.Errorf("the backup says %q", said)
	}
	waitAcknowledged(t, v, len(v.acknowledged())+50)
	kill()
	v.end()

	p.command(t, "restore", file, "--data", found)
	archive, err := backup.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	p.serve(t, found)
	owner.Get(events, 200).JSON(&after) // with the token from before
	if head := archive.Manifest.Heads[project.ID]; after.Head != head || head < int64(len(due)) || after.Epoch == before.Epoch || archive.Manifest.Epoch != before.Epoch {
		t.Errorf("the log ends at %d in epoch %s; the manifest says %d after %s, and %d were acknowledged before", after.Head, after.Epoch, head, archive.Manifest.Epoch, len(due))
	}
	checkOldPlaces(t, s, owner, events+"?epoch="+string(before.Epoch)+"&since=5", project.Key, before.Epoch, due)
	checkItems(t, s, owner, due)
	resend(t, s, owner, project, v.acknowledged(), due)
	refreshed := s.Client(t).Do(http.MethodPost, "/api/v1/auth/refresh", "{}", "Cookie", "earshot_refresh="+owner.Refresh, "Origin", s.URL)
	if refreshed.Status != http.StatusOK {
		t.Errorf("the session from before gives %d\n%s", refreshed.Status, refreshed.Body)
	}
	p.command(t, "audit", "verify", "--data", found) // which needs the same secret
}

// checkOldPlaces holds that a place in the old log is answered by a word that it is no
// longer one.
func checkOldPlaces(t *testing.T, s *apitest.Server, owner *apitest.Client, place, key string, epoch models.Epoch, due map[models.ID]sent) {
	t.Helper()
	if got := string(owner.Get(place, 200).Body); !strings.Contains(got, `"ResyncRequired"`) || !strings.Contains(got, `"epoch_changed"`) {
		t.Errorf("a dashboard with the old epoch gets %s", got)
	}
	for _, item := range due {
		_, token, _ := strings.Cut(item.body, `"resume_token":"`)
		answer := s.Client(t).Do(http.MethodPost, "/w/"+key+"/poll", fmt.Sprintf(`{"epoch":%q,"since":3,"wait":0}`, epoch), "Authorization", "Bearer "+token[:models.TokenLength])
		if got := string(answer.Want(200).Body); !strings.Contains(got, `"ResumeFailed"`) || !strings.Contains(got, `"epoch_changed"`) {
			t.Errorf("a visitor with the old epoch gets %s", got)
		}
		return
	}
}

func checkItems(t *testing.T, s *apitest.Server, owner *apitest.Client, due map[models.ID]sent) {
	t.Helper()
	checked := 0
	for id, item := range due {
		if r := owner.Do(http.MethodGet, "/api/v1/feedback/"+string(id), nil); r.Status != http.StatusOK {
			t.Fatalf("an item that was acknowledged before the backup is not there: %d %s", r.Status, r.Body)
		}
		if r := s.Client(t).Do(http.MethodGet, strings.TrimPrefix(item.receipt, s.URL), nil); r.Status != http.StatusOK {
			t.Fatalf("its receipt gives %d\n%s", r.Status, r.Body)
		}
		if item.file == "" {
			continue
		}
		checked++
		if r := owner.Get("/api/v1/attachments/"+item.file, 200); string(r.Body) != "file of "+string(id) {
			t.Errorf("its file is %q", r.Body)
		}
	}
	if checked == 0 {
		t.Error("no item had a file")
	}
}

// resend does what the outboxes do that were not answered, or whose answer was lost.
func resend(t *testing.T, s *apitest.Server, owner *apitest.Client, project api.Project, all, due map[models.ID]sent) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	late := 0
	for round := range 2 {
		for id, item := range all {
			if item.file != "" && due[id].body == "" {
				continue // the widget would upload its file again first
			}
			var receipt api.Receipt
			status, err := postJSON(&client, s.URL+"/w/"+project.Key+"/feedback", item.body, &receipt)
			if err != nil || receipt.ID != id || status != http.StatusOK && (status != http.StatusCreated || round > 0 || due[id].body != "") {
				t.Fatalf("round %d: an item that is sent again gives %d %+v (%v)", round, status, receipt, err)
			}
			if status == http.StatusCreated {
				late++
			}
		}
	}
	if late == 0 {
		t.Error("nothing came after the backup")
	}
	ids := map[models.ID]int{}
	var list struct {
		Items      []struct{ ID models.ID }
		NextCursor *string `json:"next_cursor"`
		Total      int
	}
	for path := "/api/v1/projects/" + string(project.ID) + "/feedback?count=exact&limit=200"; path != ""; {
		list.Items, list.NextCursor = nil, nil
		owner.Get(path, 200).JSON(&list)
		for _, item := range list.Items {
			ids[item.ID]++
		}
		if path = ""; list.NextCursor != nil {
			path = "/api/v1/projects/" + string(project.ID) + "/feedback?count=exact&limit=200&cursor=" + *list.NextCursor
		}
	}
	if slices.Max(slices.Collect(maps.Values(ids))) != 1 || len(ids) != list.Total {
		t.Errorf("%d items are listed of %d, some of them more than once", len(ids), list.Total)
	}
	for id := range due {
		if ids[id] != 1 {
			t.Errorf("%s is listed %d times", id, ids[id])
		}
	}
}

func waitAcknowledged(t *testing.T, v *visitors, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); len(v.acknowledged()) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d items were acknowledged within a minute, want %d", len(v.acknowledged()), n)
		}
	}
}

func uploadText(client *http.Client, url, content string) (id string) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "a.txt")
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err != nil || form.Close() != nil {
		return ""
	}
	var file api.Uploaded
	if _, err := send(client, url, form.FormDataContentType(), &body, &file); err != nil {
		return ""
	}
	return string(file.ID)
}

func postJSON(client *http.Client, url, body string, into any) (status int, err error) {
	return send(client, url, "application/json", strings.NewReader(body), into)
}

func send(client *http.Client, url, kind string, body io.Reader, into any) (status int, err error) {
	response, err := client.Post(url, kind, body)
	if err != nil {
		return 0, err
	}
	err = json.NewDecoder(response.Body).Decode(into)
	return response.StatusCode, errors.Join(err, response.Body.Close())
}
