package api_test

import (
	"errors"
	"net"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/mail"
	"earshot/models/mail/mailtest"
)

// mails has a server send its mails to an office, by a clock that runs ahead of
// the system's by what ahead says.
func mails(t *testing.T, office *mailtest.Office, ahead *clock) apitest.Option {
	t.Helper()
	host, port, err := net.SplitHostPort(office.Address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *api.Config) {
		c.Now = ahead.now
		c.Mail = &api.MailConfig{
			Server: mail.Server{Host: host, Port: n, Security: mail.SecurityOffered},
			From:   netmail.Address{Name: "Earshot", Address: "no-reply@example.com"}, Look: 5 * time.Millisecond,
		}
	}
}

type writer struct {
	*apitest.Client
	project api.Project
	item    models.ID
	receipt string
	token   string
}

// leave submits feedback with an address.
func leave(t *testing.T, s *apitest.Server, project api.Project, email string) writer {
	t.Helper()
	v := writer{Client: s.Client(t), project: project, token: models.NewResumeToken()}
	var receipt api.Receipt
	v.Post("/w/"+project.Key+"/feedback", map[string]any{
		"id": models.NewID(), "page_url": "https://shop.example/cart", "message": "The total is wrong", "email": email, "resume_token": v.token,
	}, 201).JSON(&receipt)
	v.item, v.receipt = receipt.ID, strings.TrimPrefix(receipt.ReceiptURL, s.URL)
	return v
}

func answer(owner *apitest.Client, v writer) {
	owner.Post("/api/v1/feedback/"+string(v.item)+"/messages", map[string]any{"body": "It is mended.", "visibility": "public"}, 201)
}

func TestReplyIsMailedToWhoIsNotThere(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		look func(*testing.T, *apitest.Server, writer)
		want int
	}{
		"not there":            {func(*testing.T, *apitest.Server, writer) {}, 1},
		"looks at the receipt": {func(_ *testing.T, _ *apitest.Server, v writer) { v.Get(v.receipt, 200) }, 0},
		"opens the conversations": {func(_ *testing.T, _ *apitest.Server, v writer) {
			v.Do("GET", "/w/"+v.project.Key+"/conversations", nil, "Authorization", "Bearer "+v.token).Want(200)
		}, 0},
		"somebody else looks at his": {func(t *testing.T, s *apitest.Server, v writer) {
			other := leave(t, s, v.project, "")
			other.Get(other.receipt, 200)
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			office, ahead := mailtest.Open(t), &clock{}
			s := apitest.Start(t, mails(t, office, ahead))
			owner, project := s.Project(t)
			v := leave(t, s, project, "ada@example.com")
			answer(owner, v)
			ahead.move(10 * time.Second)
			tc.look(t, s, v)
			ahead.move(time.Minute)
			if tc.want == 0 {
				office.Never(0)
				return
			}
			got := office.Await(1)[0]
			if !strings.Contains(got.Text, s.URL+v.receipt) {
				t.Errorf("the mail has not the receipt %s:\n%s", v.receipt, got.Text)
			}
			for _, link := range regexp.MustCompile(`https?://[^\s"<]+`).FindAllString(got.Text+got.HTML, -1) {
				if !strings.HasPrefix(link, s.URL) {
					t.Errorf("the mail has a link to %s", link)
				}
			}
		})
	}
}

// Whose socket follows the item sees the reply live. Where the socket was lost
// with it nobody knows, and so it is mailed; as is the next one, with nobody there.
func TestReplyToASocket(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end  func(*websocket.Conn) error // before a minute is over
		want int
	}{
		"that stays": {func(*websocket.Conn) error { return nil }, 0},
		"that says goodbye": {func(socket *websocket.Conn) error {
			goodbye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
			err := socket.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(time.Second))
			_, _, _ = socket.ReadMessage() // the other side's
			return errors.Join(err, socket.Close())
		}, 0},
		"that is lost": {(*websocket.Conn).Close, 1},
	} {
		t.Run(name, func(t *testing.T) {
			office, ahead := mailtest.Open(t), &clock{}
			s := apitest.Start(t, mails(t, office, ahead))
			owner, project := s.Project(t)
			v := leave(t, s, project, "ada@example.com")
			socket := follow(t, s, v)
			answer(owner, v)
			await(t, socket, "ReplyPosted")
			if err := tc.end(socket); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond) // the end is seen
			ahead.move(61 * time.Second)
			if tc.want == 0 {
				office.Never(0)
			} else {
				office.Await(tc.want)
			}
			_ = socket.Close()
			time.Sleep(50 * time.Millisecond)
			answer(owner, v)
			ahead.move(61 * time.Second)
			office.Await(tc.want + 1)
		})
	}
}

// follow opens a socket in the visitor's session.
func follow(t *testing.T, s *apitest.Server, v writer) *websocket.Conn {
	t.Helper()
	socket, answered, err := websocket.DefaultDialer.Dial("ws://"+s.Address+"/w/"+v.project.Key+"/socket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = socket.Close(), answered.Body.Close() })
	for _, event := range []map[string]any{{"type": "Hello", "data": map[string]any{"resume_token": v.token}}, {"type": "Ping", "data": map[string]any{}}} {
		if err := socket.WriteJSON(event); err != nil {
			t.Fatal(err)
		}
	}
	await(t, socket, "Pong") // it is in its session by now
	return socket
}

func await(t *testing.T, socket *websocket.Conn, event string) {
	t.Helper()
	for {
		var got struct{ Type string }
		if err := errors.Join(socket.SetReadDeadline(time.Now().Add(10*time.Second)), socket.ReadJSON(&got)); err != nil {
			t.Fatalf("wait for %s: %v", event, err)
		}
		if got.Type == event {
			return
		}
	}
}

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	office, ahead := mailtest.Open(t), &clock{}
	s := apitest.Start(t, mails(t, office, ahead))
	owner, project := s.Project(t)
	v := leave(t, s, project, "ada@example.com")
	answer(owner, v)
	ahead.move(61 * time.Second)
	first := office.Await(1)[0]
	link := strings.Trim(first.Header.Get("List-Unsubscribe"), "<>")
	if !strings.HasPrefix(link, s.URL+"/u/") || first.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.Contains(first.Text, link) {
		t.Fatalf("List-Unsubscribe is %q, and %q", link, first.Header.Get("List-Unsubscribe-Post"))
	}
	link = strings.TrimPrefix(link, s.URL)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	next := func(want int) {
		t.Helper()
		answer(owner, v)
		ahead.move(61 * time.Second)
		if want > len(office.Got()) {
			office.Await(want)
		} else {
			office.Never(want)
		}
	}

	// To look at it does nothing, whoever does it.
	page := v.Get(link, 200)
	for name, want := range map[string]string{
		"X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "form-action 'self'") {
		t.Errorf("the policy is %q", csp)
	}
	if !strings.Contains(string(page.Body), "No more e-mail from <bdi>Web</bdi>?") {
		t.Errorf("the page is\n%s", page.Body)
	}
	next(2)
	// A mail program's click acts, and so does the page's button, more than once too.
	for range 2 {
		if done := v.Do("POST", link, "List-Unsubscribe=One-Click", form...).Want(200); !strings.Contains(string(done.Body), "gets no more e-mail from") {
			t.Errorf("the page is\n%s", done.Body)
		}
	}
	next(2)
	// It is this project's alone.
	other := owner.Project()
	elsewhere := leave(t, s, other, "ada@example.com")
	answer(owner, elsewhere)
	ahead.move(61 * time.Second)
	office.Await(3)
	v.Do("POST", link, "again=yes", form...).Want(200)
	next(4)
	v.Do("POST", link, url.Values{"x": {"y"}}.Encode(), form...).Want(200)
	next(4)
	v.Get(link[:len(link)-2]+"xx", 404)
	v.Do("POST", link[:len(link)-2]+"xx", "", form...).Want(404)
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	office, ahead := mailtest.Open(t), &clock{}
	s := apitest.Start(t, mails(t, office, ahead))
	owner, project := s.Project(t)
	const path = "/api/v1/me/notifications"
	var now api.Notifications
	owner.Get(path, 200).JSON(&now)
	if !now.Enabled || now.TimeZone != "UTC" || !now.Answers || len(now.Projects) != 0 || now.Address != apitest.OwnerEmail {
		t.Errorf("at first it is %+v", now)
	}
	stranger := stranger(t, s)
	choice := func(zone string, projects ...any) map[string]any {
		return map[string]any{"time_zone": zone, "answers": false, "projects": append([]any{}, projects...)}
	}
	one := func(id models.ID, mode string) map[string]any {
		return map[string]any{"project_id": id, "new_feedback": mode}
	}
	for name, tc := range map[string]struct {
		by   *apitest.Client
		body any
		want int
	}{
		"a zone that is none":     {owner, choice("Europe/Atlantis"), 422},
		"the server's own zone":   {owner, choice("Local"), 422},
		"no zone":                 {owner, choice(""), 422},
		"an unknown mode":         {owner, choice("UTC", one(project.ID, "weekly")), 422},
		"an unknown project":      {owner, choice("UTC", one(models.NewID(), "daily")), 422},
		"somebody else's project": {stranger, choice("UTC", one(project.ID, "daily")), 422},
		"a project twice":         {owner, choice("UTC", one(project.ID, "daily"), one(project.ID, "daily")), 422},
		"an unknown field":        {owner, map[string]any{"time_zone": "UTC", "answers": true, "projects": []any{}, "more": 1}, 422},
		"a field that is missing": {owner, map[string]any{"time_zone": "UTC", "projects": []any{}}, 422},
		"nobody":                  {s.Client(t), choice("UTC"), 401},
	} {
		if got := tc.by.Do("PUT", path, tc.body); got.Status != tc.want {
			t.Errorf("%s: status %d, want %d\n%s", name, got.Status, tc.want, got.Body)
		}
	}
	owner.Do("PUT", path, choice("Europe/Berlin", one(project.ID, "at_once"))).Want(200).JSON(&now)
	if now.TimeZone != "Europe/Berlin" || now.Answers || len(now.Projects) != 1 || now.Projects[0].NewFeedback != models.NotifyAtOnce {
		t.Errorf("then it is %+v", now)
	}
	leave(t, s, project, "")
	mail := office.Await(1)[0]
	link := strings.TrimPrefix(strings.Trim(mail.Header.Get("List-Unsubscribe"), "<>"), s.URL)
	s.Client(t).Get(link, 200)
	s.Client(t).Do("POST", link, "List-Unsubscribe=One-Click", "Content-Type", "application/x-www-form-urlencoded").Want(200)
	owner.Get(path, 200).JSON(&now)
	if len(now.Projects) != 0 {
		t.Errorf("after unsubscribing it is %+v", now)
	}
	leave(t, s, project, "")
	office.Never(1)
}

// Without a mail server nothing waits for one.
func TestNoMailServer(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	var now api.Notifications
	owner.Get("/api/v1/me/notifications", 200).JSON(&now)
	if now.Enabled {
		t.Error("mail is on without a server")
	}
	answer(owner, leave(t, s, project, "ada@example.com"))
	if waiting, failed, err := s.Store().MailCounts(t.Context()); err != nil || waiting+failed != 0 {
		t.Errorf("%d mails wait and %d failed (%v)", waiting, failed, err)
	}
}
