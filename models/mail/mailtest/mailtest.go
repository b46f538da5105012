// Package mailtest is a real mail server for tests.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Patience is how long a mail is waited for that should not come: some looks of a
// runner that looks every five milliseconds.
const Patience = 50 * time.Millisecond

// Letter is a mail as the server got it.
type Letter struct {
	From, To string
	Raw      string
	*mail.Message
	Text, HTML string
}

// Office is a real mail server. What it does is set before it is opened, or by Set.
type Office struct {
	Address string
	// Password is asked for where there is one; the user is "us".
	Password string
	// Certificate makes it speak TLS, from the first byte where Implicit.
	Certificate *tls.Certificate
	Implicit    bool
	// Refuse says what is answered to a recipient, RefuseData to a mail.
	Refuse     func(to string) error
	RefuseData func() error
	// Stall keeps every mail waiting until it is closed.
	Stall chan struct{}
	// CutAfter closes the connection instead of the answer to a mail that was taken.
	CutAfter bool
	// Conns counts the connections.
	Conns int

	t       testing.TB
	server  *smtp.Server
	mu      sync.Mutex
	letters []Letter
}

// Open opens a mail server that ends with the test.
func Open(t testing.TB, setups ...func(*Office)) *Office {
	t.Helper()
	p := &Office{t: t}
	for _, setup := range setups {
		setup(p)
	}
	p.Listen("127.0.0.1:0")
	t.Cleanup(p.Close)
	return p
}

// Listen opens it at an address, also anew.
func (p *Office) Listen(address string) {
	p.t.Helper()
	var listener net.Listener
	var err error
	for range 50 { // the port may still be on its way to be free
		if listener, err = net.Listen("tcp", address); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.Address = listener.Addr().String()
	p.server = smtp.NewServer(p)
	p.server.Domain, p.server.AllowInsecureAuth = "localhost", true
	p.server.ErrorLog = quiet{}
	p.server.MaxMessageBytes = 1 << 20
	server := p.server
	if p.Certificate != nil {
		config := &tls.Config{Certificates: []tls.Certificate{*p.Certificate}, MinVersion: tls.VersionTLS12}
		server.AllowInsecureAuth = false
		if p.Implicit {
			listener = tls.NewListener(listener, config)
		} else {
			server.TLSConfig = config
		}
	}
	go func() { _ = server.Serve(listener) }()
}

type quiet struct{}

// Printf implements smtp.Logger.
func (quiet) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (quiet) Println(...any) {}

// Close closes it, connections too.
func (p *Office) Close() { _ = p.server.Close() }

// NewSession implements smtp.Backend.
func (p *Office) NewSession(c *smtp.Conn) (smtp.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Conns++
	return &counter{office: p, conn: c, trusted: p.Password == ""}, nil
}

// counter is one connection.
type counter struct {
	office   *Office
	conn     *smtp.Conn
	trusted  bool
	from, to string
}

// AuthMechanisms implements smtp.AuthSession.
func (c *counter) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (c *counter) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "us" || password != c.office.Password {
			return errors.New("wrong password")
		}
		c.trusted = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (c *counter) Mail(from string, _ *smtp.MailOptions) error {
	if !c.trusted {
		return smtp.ErrAuthRequired
	}
	c.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	if c.office.Refuse != nil {
		if err := c.office.Refuse(to); err != nil {
			return err
		}
	}
	c.to = to
	return nil
}

// Data implements smtp.Session.
func (c *counter) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.office.mu.Lock()
	stall, cut, refuse := c.office.Stall, c.office.CutAfter, c.office.RefuseData
	c.office.mu.Unlock()
	if stall != nil {
		<-stall
	}
	if refuse != nil {
		if err := refuse(); err != nil {
			return err
		}
	}
	c.office.take(Letter{From: c.from, To: c.to, Raw: string(raw)})
	if cut {
		return c.conn.Conn().Close()
	}
	return nil
}

// Reset implements smtp.Session.
func (c *counter) Reset() {}

// Logout implements smtp.Session.
func (c *counter) Logout() error { return nil }

func (p *Office) take(l Letter) {
	var err error
	if l.Message, err = mail.ReadMessage(strings.NewReader(l.Raw)); err != nil {
		p.t.Errorf("the mail cannot be read: %v\n%s", err, l.Raw)
		return
	}
	l.Text, l.HTML = parts(p.t, l.Message)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letters = append(p.letters, l)
}

// Set changes what it does, while it is open.
func (p *Office) Set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// Got are the mails that came.
func (p *Office) Got() []Letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Letter{}, p.letters...)
}

// Await waits for so many mails, and a little for one too many.
func (p *Office) Await(n int) []Letter {
	p.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(p.Got()) < n; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%d mails came within 10 s, want %d", len(p.Got()), n)
		}
	}
	return p.Never(n)
}

// Never waits a little for a mail too many.
func (p *Office) Never(n int) []Letter {
	p.t.Helper()
	time.Sleep(Patience)
	letters := p.Got()
	if len(letters) != n {
		p.t.Fatalf("%d mails came, want %d:\n%s", len(letters), n, letters[len(letters)-1].Raw)
	}
	return letters
}

// parts reads both forms of a mail.
func parts(t testing.TB, message *mail.Message) (text, html string) {
	t.Helper()
	media, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || media != "multipart/alternative" {
		t.Errorf("the mail is %q (%v), want both forms", media, err)
		return "", ""
	}
	for reader := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return text, html
		}
		if err != nil {
			t.Errorf("read part: %v", err)
			return text, html
		}
		content, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Errorf("read part: %v", err)
		}
		switch kind := part.Header.Get("Content-Type"); {
		case strings.HasPrefix(kind, "text/plain"):
			text = strings.ReplaceAll(string(content), "\r\n", "\n")
		case strings.HasPrefix(kind, "text/html"):
			html = string(content)
		}
	}
}

// Subject is the subject as people read it.
func (l Letter) Subject() string {
	words := new(mime.WordDecoder)
	decoded, err := words.DecodeHeader(l.Header.Get("Subject"))
	if err != nil {
		return err.Error()
	}
	return decoded
}

// SelfSigned makes a certificate for this machine, and who vouches for it.
func SelfSigned(t testing.TB) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
