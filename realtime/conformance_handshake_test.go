package realtime

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
)

// handshakeCase is a request with some lines of the right one replaced. status
// has the answers that are right; 101 means a socket that works.
type handshakeCase struct {
	name    string
	request string            // the first line, if not the visitor's
	headers map[string]string // in the place of the right ones; "-" is without
	more    string            // further lines
	status  []int
	protocol,
	accept string
}

const (
	sampleKey = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455 §1.3
	// sampleAccept is what answers it.
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func (tc handshakeCase) text() string {
	var b strings.Builder
	if b.WriteString(tc.request); tc.request == "" {
		b.WriteString("GET /visitor HTTP/1.1")
	}
	b.WriteString("\r\n")
	for _, h := range [][2]string{
		{"Host", "shop.example"}, {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", sampleKey},
	} {
		value, replaced := tc.headers[h[0]]
		if !replaced {
			value = h[1]
		}
		if value != "-" {
			fmt.Fprintf(&b, "%s: %s\r\n", h[0], value)
		}
	}
	return b.String() + tc.more + "\r\n"
}

// The header lines that cases replace most.
const (
	hostLine    = "Host"
	keyLine     = "Sec-WebSocket-Key"
	versionLine = "Sec-WebSocket-Version"
)

func handshakeCases() []handshakeCase {
	return slices.Concat(keyCases(), versionCases(), upgradeCases(), requestCases(), protocolCases())
}

// line is a header line in the place of the right one.
func line(name, value string) map[string]string { return map[string]string{name: value} }

func keyCases() []handshakeCase {
	switching, bad := []int{101}, []int{400}
	return []handshakeCase{
		{name: "the right one", status: switching, accept: sampleAccept},
		{name: "a dashboard's", request: "GET /dashboard HTTP/1.1", status: switching, accept: sampleAccept},
		{name: "another key", headers: line(keyLine, "x3JJHMbDL1EzLkh9GBhXDw=="), status: switching, accept: "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
		{name: "names in lower case", headers: line(keyLine, "-"), more: "sec-websocket-key: " + sampleKey + "\r\n", status: switching},
		{name: "space around the values", headers: map[string]string{keyLine: "  " + sampleKey + "  ", versionLine: " 13\t"}, status: switching},

		{name: "no key", headers: line(keyLine, "-"), status: bad},
		{name: "an empty key", headers: line(keyLine, ""), status: bad},
		{name: "a key of 15 bytes", headers: line(keyLine, "AAAAAAAAAAAAAAAAAAAA"), status: bad},
		{name: "a key of 17 bytes", headers: line(keyLine, "AAAAAAAAAAAAAAAAAAAAAAA="), status: bad},
		{name: "a key that is not base64", headers: line(keyLine, "dGhlIHNhbXBsZSBub25jZQ!="), status: bad},
		{name: "a key without its padding", headers: line(keyLine, "dGhlIHNhbXBsZSBub25jZQ"), status: bad},
		{name: "a key in the other alphabet", headers: line(keyLine, "__________________-_-w=="), status: bad},
		{name: "two keys", more: keyLine + ": x3JJHMbDL1EzLkh9GBhXDw==\r\n", status: bad},
	}
}

func versionCases() []handshakeCase {
	needed := []int{426}
	return []handshakeCase{
		{name: "no version", headers: line(versionLine, "-"), status: needed},
		{name: "an empty version", headers: line(versionLine, ""), status: needed},
		{name: "version 8", headers: line(versionLine, "8"), status: needed},
		{name: "version 14", headers: line(versionLine, "14"), status: needed},
		{name: "version 113", headers: line(versionLine, "113"), status: needed},
		{name: "version 13.0", headers: line(versionLine, "13.0"), status: needed},
		{name: "version 013", headers: line(versionLine, "013"), status: needed},
		{name: "two versions in one line", headers: line(versionLine, "8, 13"), status: []int{400, 426}},
		{name: "two version lines", more: versionLine + ": 8\r\n", status: []int{400, 426}},
	}
}

// A request that does not ask for an upgrade at all may be told which one it
// needs, or that it is wrong.
func upgradeCases() []handshakeCase {
	switching, upgrade := []int{101}, []int{400, 426}
	return []handshakeCase{
		{name: "no Upgrade", headers: line("Upgrade", "-"), status: upgrade},
		{name: "another Upgrade", headers: line("Upgrade", "h2c"), status: upgrade},
		{name: "an Upgrade that begins alike", headers: line("Upgrade", "websocketx"), status: upgrade},
		{name: "Upgrade in another case", headers: line("Upgrade", "WebSocket"), status: switching},
		{name: "an Upgrade of two", headers: line("Upgrade", "h2c, websocket"), status: switching},
		{name: "no Connection", headers: line("Connection", "-"), status: upgrade},
		{name: "Connection without Upgrade", headers: line("Connection", "keep-alive"), status: upgrade},
		{name: "a Connection that begins alike", headers: line("Connection", "Upgrades"), status: upgrade},
		{name: "Connection in another case", headers: line("Connection", "uPgRaDe"), status: switching},
		{name: "Connection of two", headers: line("Connection", "keep-alive, Upgrade"), status: switching},
		{name: "Connection of two without space", headers: line("Connection", "keep-alive,Upgrade"), status: switching},
		{name: "Connection in two lines", headers: line("Connection", "keep-alive"), more: "Connection: Upgrade\r\n", status: switching},
		{name: "a connection that is to be closed", headers: line("Connection", "close, Upgrade"), status: []int{400}},
		{name: "nothing of a handshake", headers: map[string]string{"Upgrade": "-", "Connection": "-", versionLine: "-", keyLine: "-"}, status: upgrade},
	}
}

func requestCases() []handshakeCase {
	switching, bad := []int{101}, []int{400}
	return []handshakeCase{
		{name: "POST", request: "POST /visitor HTTP/1.1", more: "Content-Length: 0\r\n", status: []int{400, 404, 405}},
		{name: "HEAD", request: "HEAD /visitor HTTP/1.1", status: []int{400, 404, 405, 426}},
		{name: "HTTP/1.0", request: "GET /visitor HTTP/1.0", status: []int{400, 426, 505}},
		{name: "no Host", headers: line(hostLine, "-"), status: bad},
		{name: "another path", request: "GET /nowhere HTTP/1.1", status: []int{404}},

		{name: "compression is offered", more: "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", status: switching},
		{name: "an unknown extension", more: "Sec-WebSocket-Extensions: x-unknown; a=\"b\"\r\n", status: switching},
		{name: "headers of 3 KiB", more: "X-More: " + strings.Repeat("a", 3<<10) + "\r\n", status: switching},
		{name: "headers of 64 KiB", more: "X-More: " + strings.Repeat("a", 64<<10) + "\r\n", status: []int{431}},
		{name: "a thousand headers", more: strings.Repeat("X-More: a\r\n", 1000), status: []int{431}},
		{name: "a header without a colon", more: "nonsense\r\n", status: bad},
		{name: "a space before the colon", more: "X-More : a\r\n", status: bad},
	}
}

func protocolCases() []handshakeCase {
	const protocols, ours = "Sec-WebSocket-Protocol: ", "earshot.v1+json"
	switching, bad := []int{101}, []int{400}
	return []handshakeCase{
		{name: "our sub-protocol", more: protocols + ours + "\r\n", status: switching, protocol: ours},
		{name: "our sub-protocol after another", more: protocols + "chat, " + ours + "\r\n", status: switching, protocol: ours},
		{name: "our sub-protocol before another", more: protocols + ours + ",chat\r\n", status: switching, protocol: ours},
		{name: "our sub-protocol in the second line", more: protocols + "chat\r\n" + protocols + ours + "\r\n", status: switching, protocol: ours},
		{name: "another sub-protocol", more: protocols + "chat\r\n", status: bad},
		{name: "our sub-protocol in another case", more: protocols + "Earshot.V1+JSON\r\n", status: bad},
		{name: "the beginning of our sub-protocol", more: protocols + "earshot.v1\r\n", status: bad},
	}
}

// listenHandshakes serves the harness's visitors and dashboards where refusals
// are answered by the statuses of their codes. It gives the address.
func (h *harness) listenHandshakes() string {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, Immutable: true, ReadTimeout: wait,
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			if refused := (*models.Error)(nil); errors.As(err, &refused) {
				return c.SendStatus(refused.Code.HTTPStatus())
			}
			return fiber.DefaultErrorHandler(c, err)
		},
	})
	Prepare(app)
	app.Get("/visitor", func(c *fiber.Ctx) error {
		return h.server.UpgradeVisitor(c, h.project, netip.MustParseAddr("192.0.2.3"))
	})
	app.Get("/dashboard", func(c *fiber.Ctx) error {
		return h.server.UpgradeDashboard(c, h.claims, "Ann", netip.MustParseAddr("192.0.2.4"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	h.t.Cleanup(func() {
		if err := errors.Join(app.ShutdownWithTimeout(wait), <-served); err != nil {
			h.t.Errorf("shutdown: %v", err)
		}
	})
	return listener.Addr().String()
}

func TestHandshakeConformance(t *testing.T) {
	t.Parallel()
	h := start(t, true)
	addr := h.listenHandshakes()
	t.Cleanup(func() { wantNobodyLeft(t, h) })
	for _, tc := range handshakeCases() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, piece := range []int{1 << 20, 40} {
				w := dialTCP(t, addr)
				w.send(writesOf(piece, []byte(tc.text()))...)
				tc.check(w)
			}
		})
	}
	t.Run("byte by byte", func(t *testing.T) {
		t.Parallel()
		w := dialTCP(t, addr)
		tc := handshakeCase{status: []int{101}, accept: sampleAccept}
		w.send(writesOf(1, []byte(tc.text()))...)
		tc.check(w)
	})
}

func (tc handshakeCase) check(w *wire) {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(wait))
	got, err := readResponse(w.in)
	if err != nil {
		w.t.Fatalf("read the answer: %v", err)
	}
	if !slices.Contains(tc.status, got.StatusCode) {
		w.t.Fatalf("answered %s, want %v", got.Status, tc.status)
	}
	version := got.Header.Get("Sec-WebSocket-Version")
	switch got.StatusCode {
	case http.StatusSwitchingProtocols:
		tc.checkSwitch(w, got.Header)
	case http.StatusUpgradeRequired:
		if slices.Equal(tc.status, []int{426}) && version != "13" {
			w.t.Errorf("the version that is spoken: %q, want 13", version)
		}
		if up := got.Header.Get("Upgrade"); len(tc.status) > 1 && !strings.EqualFold(up, "websocket") && version != "13" {
			w.t.Errorf("426 says neither which protocol (%q) nor which version (%q)", up, version)
		}
	}
}

// readResponse reads the head of an answer.
func readResponse(in *bufio.Reader) (*http.Response, error) {
	response, err := http.ReadResponse(in, &http.Request{Method: http.MethodHead})
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	return response, response.Body.Close()
}

func (tc handshakeCase) checkSwitch(w *wire, header http.Header) {
	w.t.Helper()
	if !strings.EqualFold(header.Get("Upgrade"), "websocket") || !strings.EqualFold(header.Get("Connection"), "Upgrade") {
		w.t.Errorf("Upgrade: %q, Connection: %q", header.Get("Upgrade"), header.Get("Connection"))
	}
	if got := header.Get("Sec-WebSocket-Accept"); tc.accept != "" && got != tc.accept {
		w.t.Errorf("Sec-WebSocket-Accept: %q, want %q", got, tc.accept)
	}
	if got := header.Values("Sec-WebSocket-Protocol"); strings.Join(got, ",") != tc.protocol {
		w.t.Errorf("Sec-WebSocket-Protocol: %q, want %q", got, tc.protocol)
	}
	if got := header.Values("Sec-WebSocket-Extensions"); len(got) > 0 {
		w.t.Errorf("Sec-WebSocket-Extensions: %q, want none", got)
	}
	w.want("Connected")
	w.send(clientText(pingEvent("p1")), clientFrame(wireFin|wireRSV1|wireText, "compressed?"))
	w.want("Pong p1", "close 1002")
	w.halfClose()
	w.want("end")
}

// Who does not wait for the answer to the handshake breaks the protocol (RFC 6455
// §4.1). The frames are read, or the connection ends; they are not lost.
func TestFramesThatDoNotWaitForTheHandshake(t *testing.T) {
	t.Parallel()
	h := start(t, true)
	w := dialTCP(t, h.addr)
	request := handshakeCase{}.text()
	w.send(append([]byte(request), clientText(pingEvent("p1"))...))
	_ = w.conn.SetReadDeadline(time.Now().Add(wait))
	response, err := readResponse(w.in)
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
		return
	}
	for err == nil {
		switch got := w.next(); {
		case got == "Connected":
		case got == "Pong p1", got == "end", got == "reset", strings.HasPrefix(got, "close"):
			return
		default:
			t.Fatalf("got %s, want the event answered or the connection ended", got)
		}
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("read the answer: %v", err)
	}
}
