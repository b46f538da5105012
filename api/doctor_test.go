package api_test

import (
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/api/config"
	"earshot/api/operator"
)

// secret is that of the servers under test.
const secret = "0123456789abcdef0123456789abcdef"

// examine has the doctor look at a server by way of an address. It gives what was
// found by check, the worst of each.
func examine(t *testing.T, s *apitest.Server, folder, base string, roots *x509.CertPool) map[string]operator.Finding {
	t.Helper()
	d := operator.Doctor{
		Data:   operator.Data{Dir: folder, Configured: secret, Out: io.Discard},
		Config: config.Config{Addr: s.Address, BaseURL: base}, Version: "test", Now: time.Now, Roots: roots,
	}
	rank := map[operator.Status]int{operator.Fine: 1, operator.Skipped: 1, operator.Warning: 2, operator.Bad: 3}
	found := map[string]operator.Finding{}
	for _, finding := range d.Examine(t.Context()) {
		if rank[finding.Status] > rank[found[finding.Check].Status] {
			found[finding.Check] = finding
		}
	}
	return found
}

// awaitListener waits until somebody listens there.
func awaitListener(t *testing.T, base string) {
	t.Helper()
	_, address, _ := strings.Cut(base, "://")
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatalf("nobody listens on %s", address)
}

// The doctor sees through its own public address what a proxy does to requests.
func TestDoctorSeesWhatAProxyDoes(t *testing.T) {
	t.Parallel()
	without := func(line string) func(string) string {
		return func(config string) string {
			before, after, ok := strings.Cut(config, line)
			_, after, _ = strings.Cut(after, "\n")
			if !ok {
				t.Fatalf("there is no %q", line)
			}
			return before + after
		}
	}
	for _, tc := range []struct {
		name     string
		edit     func(string) string
		trusting bool
		// check has the problem, and its advice names what to do; "" where all is well.
		check, advice string
	}{
		{"as printed", asPrinted, true, "", ""},
		{"a proxy that is not trusted", asPrinted, false, "addresses", "EARSHOT_TRUSTED_PROXIES=127.0.0.1"},
		{"no upgrades", without("proxy_set_header Upgrade "), true, "sockets", "earshot print nginx"},
		{"no addresses", without("proxy_set_header X-Forwarded-For "), true, "addresses", "earshot print nginx"},
		{"another server", func(c string) string { return strings.Replace(c, "proxy_pass http://earshot;", "return 404;", 1) }, true, "public address", "EARSHOT_BASE_URL"},
		{"a server that is away", func(c string) string {
			return strings.Replace(c, "upstream earshot {", "upstream earshot {\n    server 127.0.0.1:1;\n    server 127.0.0.1:1 backup;\n}\nupstream other {", 1)
		}, true, "public address", "pass everything on"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := ""
			s := apitest.Start(t, func(c *api.Config) {
				folder = c.DataDir
				if tc.trusting {
					c.TrustedProxies = loopback()
				}
			})
			d := example()
			d.Addr = s.Address
			base, roots := startNginx(t, d, tc.edit)
			awaitListener(t, base)
			for check, finding := range examine(t, s, folder, base, roots) {
				switch {
				case check == tc.check && (finding.Status != operator.Bad || !strings.Contains(finding.Advice, tc.advice)):
					t.Errorf("%s: %+v, want a problem and advice with %q", check, finding, tc.advice)
				case check != tc.check && finding.Status == operator.Bad:
					t.Errorf("%s: %+v", check, finding)
				case finding.Status == operator.Bad && finding.Advice == "":
					t.Errorf("%s: %+v has no advice", check, finding)
				}
			}
		})
	}
}

func TestDoctorSeesWhatIsWrongWithThePublicAddress(t *testing.T) {
	t.Parallel()
	folder := ""
	s := apitest.Start(t, func(c *api.Config) { folder = c.DataDir })
	d := example()
	d.Addr = s.Address
	base, _ := startNginx(t, d, asPrinted)
	awaitListener(t, base)
	for _, tc := range []struct{ name, base, advice string }{
		{"a certificate that nobody trusts", base, "certificate"},
		{"a name that nobody has", "https://nobody.invalid", "DNS"},
		{"nobody there", "http://127.0.0.1:1", "firewall"},
	} {
		found := examine(t, s, folder, tc.base, x509.NewCertPool())["public address"]
		if found.Status != operator.Bad || !strings.Contains(found.Advice, tc.advice) {
			t.Errorf("%s: %+v, want a problem and advice with %q", tc.name, found, tc.advice)
		}
	}
	for check, finding := range examine(t, s, folder, s.URL, nil) {
		if finding.Status == operator.Bad {
			t.Errorf("straight to the server: %s: %+v", check, finding)
		}
	}
}

// The doctor alone is told how its request arrived: it shows that it has the secret.
func TestArrivalsAreForTheDoctor(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	token := func(secret string, at time.Time) string {
		made, err := operator.ArrivalToken([]byte(secret), at)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + made
	}
	now := time.Now()
	for _, tc := range []struct {
		name, authorization string
		status              int
	}{
		{"nobody", "", 404},
		{"an owner", "Bearer " + s.Owner(t).Token, 404},
		{"the doctor", token(secret, now), 200},
		{"the doctor, a while ago", token(secret, now.Add(-time.Hour)), 404},
		{"the doctor, in a while", token(secret, now.Add(time.Hour)), 404},
		{"another server's doctor", token("another secret, as long as ours.", now), 404},
		{"another time with the same seal", token(secret, now)[:17] + "9" + token(secret, now)[18:], 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s.Client(t).Do(get, operator.ArrivalPath, nil, "Authorization", tc.authorization).Want(tc.status)
		})
	}
}
