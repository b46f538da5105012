package e2e

// What there is of the dashboard.
const (
	row        = "[data-testid=row]"
	rowMessage = row + " .row-message"
	detail     = "[data-testid=detail]"
	connection = "[data-testid=connection]"
)

// dashboard opens the server's dashboard in a new browser and signs the owner in.
func (s *server) dashboard(path string) *window {
	s.t.Helper()
	w := newWindow(s.t)
	w.open(s.base + "/login")
	w.signIn(s.owner, s.password)
	w.miss("[data-testid=login]")
	w.open(path)
	w.see("main")
	return w
}

// inboxWindow opens a project's inbox and waits until it is live.
func (s *server) inboxWindow(p project) *window {
	s.t.Helper()
	w := s.dashboard(s.inbox(p))
	w.connected("connected")
	return w
}

func (w *window) signIn(email, password string) {
	w.t.Helper()
	w.fill("input[name=email]", email)
	w.fill("input[name=password]", password)
	w.click("[data-testid=login] button[type=submit]")
}

func (w *window) connected(state string) {
	w.t.Helper()
	await(w, "the connection is "+state, "document.querySelector('[data-testid=connection]')?.dataset.state", state)
}

// rows waits until the list reads so, the newest first.
func (w *window) rows(want string) {
	w.t.Helper()
	w.text(rowMessage, want)
}
