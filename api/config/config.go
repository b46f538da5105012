// Package config is what an operator can set: each setting is a flag, an
// EARSHOT_ variable and, for a secret, a file named by the variable with _FILE.
// All that is wrong with them is reported together.
package config

import (
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"earshot/models"
	"earshot/models/mail"
	"earshot/models/store"
	"earshot/realtime/cluster"
)

// Settings are the raw values, as flags and variables bring them. They are text
// here, so that one that is wrong does not keep the others from being checked.
type Settings struct {
	Addr             string `default:":8080" placeholder:"ADDR" help:"Listen address."`
	BaseURL          string `placeholder:"URL" help:"Public origin, used in links and in the snippet. Default: http://localhost and the port of --addr."`
	Data             string `default:"./data" placeholder:"DIR" help:"Folder for the database and generated secrets."`
	DatabaseURL      string `name:"database-url" placeholder:"URL" help:"PostgreSQL database instead of a file in the data folder, such as postgres://user:password@host:5432/earshot. Needs --secret."`
	NATSURL          string `name:"nats-url" placeholder:"URL" help:"Where servers that share a database tell each other, such as nats://host:4222. Needs --database-url."`
	Secret           string `placeholder:"TEXT" help:"Signs and keys tokens and receipts, at least 32 characters. Default: generated into the data folder."`
	AdminEmail       string `placeholder:"EMAIL" help:"Creates the first owner at start, while there is no user."`
	AdminPassword    string `placeholder:"TEXT" help:"The first owner's password."`
	TrustedProxies   string `placeholder:"CIDRS" help:"Networks whose X-Forwarded-For is believed, separated by commas."`
	Signup           string `default:"closed" placeholder:"open|closed" help:"Whether anybody may create an organisation."`
	Drain            string `default:"10s" placeholder:"DURATION" help:"Time that sockets and requests get at shutdown."`
	Limits           string `default:"on" placeholder:"on|off" help:"off lifts rate, connection and log-in limits, for load tests only."`
	SMTPURL          string `name:"smtp-url" placeholder:"URL" help:"Mail server, such as smtp://user:password@mail.example.com:587 or smtps://…:465. Default: no mail is sent."`
	MailFrom         string `placeholder:"ADDRESS" help:"Whom mail is from. Default: the mail server's user where that is an address, or no-reply at the base URL's host."`
	OIDCIssuer       string `name:"oidc-issuer" placeholder:"URL" help:"Another provider that signs people in (OpenID Connect). Its redirect address is the base URL with /api/v1/auth/oidc/callback."`
	OIDCClientID     string `name:"oidc-client-id" placeholder:"TEXT" help:"Our id at that provider."`
	OIDCClientSecret string `name:"oidc-client-secret" placeholder:"TEXT" help:"Our secret at that provider."`
	OIDCName         string `name:"oidc-name" default:"single sign-on" placeholder:"TEXT" help:"What that provider is called on the page for signing in."`
	MetricsAddr      string `placeholder:"ADDR" help:"A private address for /metrics without a credential, such as 127.0.0.1:9090. Default: none."`
	DebugAddr        string `placeholder:"ADDR" help:"A loopback address for profiles (pprof), such as 127.0.0.1:6060. Default: none."`
	LogLevel         string `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
	Keeping
	Demo bool `help:"Adds an owner, a project with feedback and a shop to try it on. Loopback and an empty database only."`
}

// Config is what settings come to, checked.
type Config struct {
	Addr           string
	BaseURL        string // without a trailing slash
	Data           string
	Database       string // the address of a PostgreSQL database; "" for a file in Data
	NATS           string // "" for a server that is alone
	Secret         string // "" where one is to be generated
	AdminEmail     string
	AdminPassword  string
	TrustedProxies []netip.Prefix
	SignupOpen     bool
	Drain          time.Duration
	Unlimited      bool
	// SMTP is the mail server, nil where there is none; MailFrom is whom mail is from.
	SMTP     *mail.Server
	MailFrom netmail.Address
	// OIDC is another provider that signs people in, nil for none.
	OIDC *OIDC
	// MetricsAddr and DebugAddr are the private addresses, "" for none.
	MetricsAddr, DebugAddr string
	LogLevel               string
	Demo                   bool
}

// OIDC is a provider of OpenID Connect.
type OIDC struct{ Issuer, ClientID, ClientSecret, Name string }

// secretFlags also read a file named by their variable with _FILE.
var secretFlags = map[string]bool{
	"secret": true, "admin-password": true, "database-url": true, "nats-url": true, "smtp-url": true, "oidc-client-secret": true, "backup-passphrase": true,
}

// EnvName is the variable behind a flag: "base-url" is EARSHOT_BASE_URL.
func EnvName(flag string) string {
	return "EARSHOT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Resolver gives kong the values of variables. Files that cannot be read are
// added to problems.
func Resolver(getenv func(string) string, problems *[]error) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		name := EnvName(flag.Name)
		value := getenv(name)
		if file := getenv(name + "_FILE"); file != "" && secretFlags[flag.Name] {
			if value != "" {
				*problems = append(*problems, fmt.Errorf("%s and %s_FILE are both set: set one", name, name))
			}
			content, err := os.ReadFile(file) //nolint:gosec // the operator names it
			if err != nil {
				*problems = append(*problems, fmt.Errorf("%s_FILE: cannot be read: %w", name, errors.Unwrap(err)))
			}
			value = strings.TrimRight(string(content), "\r\n")
		}
		if value == "" {
			return nil, nil
		}
		return value, nil
	})
}

// Check turns settings into a Config, or says everything that is wrong.
func (s Settings) Check() (Config, []error) {
	c := Config{
		Addr: s.Addr, Data: s.Data, Secret: s.Secret, AdminEmail: s.AdminEmail, AdminPassword: s.AdminPassword,
		SignupOpen: s.Signup == "open", Unlimited: s.Limits == "off", LogLevel: s.LogLevel, Demo: s.Demo,
	}
	var problems []error
	bad := func(flag, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %w", EnvName(flag), fmt.Errorf(format, args...)))
	}
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		bad("addr", "must be an address such as :8080 or 127.0.0.1:8080")
	} else if _, err := net.LookupPort("tcp", port); err != nil {
		bad("addr", "has no valid port")
	}
	c.BaseURL = checkBaseURL(s.BaseURL, port, bad)
	if s.Data == "" {
		bad("data", "must name a folder")
	}
	if s.Secret != "" && len(s.Secret) < minSecret {
		bad("secret", "must have at least %d characters", minSecret)
	}
	c.Database, c.NATS = checkDatabase(s, bad), checkNATS(s, bad)
	checkAdmin(s, bad)
	c.SMTP, c.MailFrom = checkMail(s, c.BaseURL, bad)
	c.OIDC = checkOIDC(s, bad)
	c.TrustedProxies = checkProxies(s.TrustedProxies, bad)
	oneOf("signup", s.Signup, bad, "open", "closed")
	oneOf("limits", s.Limits, bad, "on", "off")
	oneOf("log-level", s.LogLevel, bad, "debug", "info", "warn", "error")
	if c.Drain, err = time.ParseDuration(s.Drain); err != nil || c.Drain <= 0 {
		bad("drain", "must be a duration above zero, such as 10s")
	}
	c.MetricsAddr, c.DebugAddr = s.MetricsAddr, s.DebugAddr
	checkPrivate(s, bad)
	if s.Demo {
		c.Addr = checkDemoAddr(host, port, bad)
	}
	return c, problems
}

const minSecret = 32

type complain func(flag, format string, args ...any)

func checkBaseURL(raw, port string, bad complain) string {
	if raw == "" {
		return "http://localhost:" + port
	}
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		bad("base-url", "must be an origin such as https://feedback.example.com")
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// checkNATS wants a database that can be shared. It says nothing of the addresses but
// what is wrong with them: there may be passwords in them.
func checkNATS(s Settings, bad complain) string {
	if s.NATSURL == "" {
		return ""
	}
	if _, err := cluster.Servers(s.NATSURL); err != nil {
		bad("nats-url", "%w", err)
	}
	if s.DatabaseURL == "" {
		bad("nats-url", "needs EARSHOT_DATABASE_URL: servers that keep their data in files of their own have nothing to tell each other")
	}
	return s.NATSURL
}

// checkDatabase wants the secret that all nodes share. It says nothing of the address
// but what is wrong with it: there is a password in it.
func checkDatabase(s Settings, bad complain) string {
	if s.DatabaseURL == "" {
		return ""
	}
	if err := store.CheckPostgres(s.DatabaseURL); err != nil {
		bad("database-url", "%w", err)
	}
	if s.Secret == "" {
		bad("secret", "must be set with EARSHOT_DATABASE_URL, to the same on every node: at least %d characters, such as from openssl rand -hex 32", minSecret)
	}
	return s.DatabaseURL
}

func checkAdmin(s Settings, bad complain) {
	if (s.AdminEmail == "") != (s.AdminPassword == "") {
		bad("admin-email", "and EARSHOT_ADMIN_PASSWORD must be set together")
		return
	}
	if s.AdminEmail == "" {
		return
	}
	if address, err := netmail.ParseAddress(s.AdminEmail); err != nil || address.Address != s.AdminEmail {
		bad("admin-email", "must be an e-mail address")
	}
	if err := models.CheckPassword(s.AdminPassword); err != nil {
		bad("admin-password", "must have %d to %d characters", models.MinPassword, models.MaxPassword)
	}
}

// checkMail says nothing of the address but what is wrong with it: there is a
// password in it.
func checkMail(s Settings, baseURL string, bad complain) (*mail.Server, netmail.Address) {
	var server *mail.Server
	if s.SMTPURL != "" {
		read, err := mail.ParseServer(s.SMTPURL)
		if err != nil {
			bad("smtp-url", "%w", err)
		}
		server = &read
	}
	if s.MailFrom != "" {
		from, err := netmail.ParseAddress(s.MailFrom)
		if err != nil || strings.ContainsAny(s.MailFrom, "\r\n") {
			bad("mail-from", "must be an e-mail address, such as Earshot <no-reply@example.com>")
			return server, netmail.Address{}
		}
		return server, *from
	}
	from := netmail.Address{Name: "Earshot"}
	if base, err := url.Parse(baseURL); err == nil {
		from.Address = "no-reply@" + base.Hostname()
	}
	if server != nil && strings.Contains(server.User, "@") {
		from.Address = server.User
	}
	return server, from
}

// checkOIDC wants an encrypted way to the provider, but on this machine.
func checkOIDC(s Settings, bad complain) *OIDC {
	if s.OIDCIssuer == "" && s.OIDCClientID == "" && s.OIDCClientSecret == "" {
		return nil
	}
	if s.OIDCIssuer == "" || s.OIDCClientID == "" || s.OIDCClientSecret == "" {
		bad("oidc-issuer", "and EARSHOT_OIDC_CLIENT_ID and EARSHOT_OIDC_CLIENT_SECRET must be set together")
	}
	issuer, err := url.Parse(s.OIDCIssuer)
	if s.OIDCIssuer != "" && (err != nil || issuer.Host == "" || issuer.User != nil || issuer.RawQuery != "" || issuer.Fragment != "" ||
		issuer.Scheme != "https" && (issuer.Scheme != "http" || !isLoopback(issuer.Hostname()))) {
		bad("oidc-issuer", "must be an address such as https://accounts.example.com")
	}
	return &OIDC{Issuer: s.OIDCIssuer, ClientID: s.OIDCClientID, ClientSecret: s.OIDCClientSecret, Name: s.OIDCName}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func checkProxies(list string, bad complain) []netip.Prefix {
	var proxies []netip.Prefix
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(entry)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(entry); err == nil {
				prefix = netip.PrefixFrom(addr, addr.BitLen())
			}
		}
		if err != nil {
			bad("trusted-proxies", "must be networks such as 10.0.0.0/8, separated by commas")
			return nil
		}
		proxies = append(proxies, prefix.Masked())
	}
	return proxies
}

// checkDemoAddr keeps the demo, whose password stands on the terminal, off the
// network.
func checkDemoAddr(host, port string, bad complain) string {
	if host == "" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	if !isLoopback(host) {
		bad("addr", "must be a loopback address with --demo, such as 127.0.0.1:8080")
	}
	return net.JoinHostPort(host, port)
}

func oneOf(flag, value string, bad complain, choices ...string) {
	for _, choice := range choices {
		if value == choice {
			return
		}
	}
	bad(flag, "must be one of %s", strings.Join(choices, ", "))
}
