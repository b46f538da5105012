package operator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"earshot/models/mail"
)

func (d Doctor) checkMail(ctx context.Context) []Finding {
	const check = "mail"
	if d.Config.SMTP == nil {
		return []Finding{skip(check, "no mail is sent: EARSHOT_SMTP_URL is not set")}
	}
	server := *d.Config.SMTP
	where := net.JoinHostPort(server.Host, fmt.Sprint(server.Port))
	_, host, _ := strings.Cut(d.Config.MailFrom.Address, "@")
	if err := mail.Probe(ctx, server, host, d.Roots); err != nil {
		return []Finding{bad(check, where+": "+firstLine(err), "see EARSHOT_SMTP_URL (user, password, port, ?tls=) and whether the network lets mail out")}
	}
	how := map[mail.Security]string{
		mail.SecurityTLS: "over TLS", mail.SecurityStartTLS: "with STARTTLS", mail.SecurityOffered: "with STARTTLS where it is offered", mail.SecurityNone: "in the clear",
	}[server.Security]
	if server.User != "" {
		how += ", and takes the password"
	}
	return []Finding{ok(check, "%s answers, %s", where, how)}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// checkServer asks the server that runs here.
func (d Doctor) checkServer(ctx context.Context) []Finding {
	const check = "server"
	if _, _, err := net.SplitHostPort(d.Config.Addr); err != nil {
		return []Finding{skip(check, "EARSHOT_ADDR is not valid")}
	}
	var said bytes.Buffer
	err := Health(ctx, d.Config.Addr, &said)
	var refused *net.OpError
	switch {
	case err == nil:
		return []Finding{ok(check, "runs on %s and takes work", d.Config.Addr)}
	case errors.As(err, &refused) && refused.Op == "dial":
		return []Finding{skip(check, "none runs on "+d.Config.Addr)}
	}
	return []Finding{bad(check, err.Error(), "see its log")}
}

// marker is an address for documentation (RFC 5737) that the doctor claims to come
// from.
const marker = "192.0.2.1"

// checkPublic asks the server by way of its public address how requests arrive.
func (d Doctor) checkPublic(ctx context.Context) []Finding {
	const check = "public address"
	if d.Config.BaseURL == "" {
		return []Finding{skip(check, "EARSHOT_BASE_URL is not valid")}
	}
	secret, err := d.knownSecret()
	if err != nil {
		return []Finding{skip(check, "without the secret the server does not answer us")}
	}
	arrival, answered, err := d.arrive(ctx, secret)
	if err != nil {
		return []Finding{d.unreachable(check, err)}
	}
	findings := []Finding{ok(check, "%s leads to this server", d.Config.BaseURL)}
	if arrival.Version != d.Version {
		findings = append(findings, warn(check, fmt.Sprintf("the server that runs has version %s, this program %s", arrival.Version, d.Version), "restart the server"))
	}
	findings = append(findings, d.checkForwarding(arrival), d.checkUpgrade(arrival))
	if skew := arrival.At.Sub(d.Now()); skew.Abs() > clockTolerance {
		findings = append(findings, warn("clock", fmt.Sprintf("the server's is apart from ours by %v", skew.Round(time.Second)), "have both kept (timedatectl set-ntp true)"))
	}
	if date, err := http.ParseTime(answered); err == nil {
		if skew := date.Sub(d.Now()); skew.Abs() > clockTolerance {
			findings = append(findings, warn("clock", fmt.Sprintf("the proxy's is apart from ours by %v", skew.Round(time.Second)), "have both kept (timedatectl set-ntp true)"))
		}
	}
	return findings
}

var errNotOurs = errors.New("another server answers there, or one with another secret")

// arrive sends a request as a visitor's browser would open a socket.
func (d Doctor) arrive(ctx context.Context, secret []byte) (arrival Arrival, date string, err error) {
	token, err := ArrivalToken(secret, d.Now())
	if err != nil {
		return arrival, "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Config.BaseURL+ArrivalPath, nil)
	if err != nil {
		return arrival, "", err
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + token, "Connection": "Upgrade", "Upgrade": "websocket", "X-Forwarded-For": marker,
	} {
		request.Header.Set(name, value)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: d.Roots, MinVersion: tls.VersionTLS12}}, // HTTP/1.1, as sockets are
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		return arrival, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return arrival, "", fmt.Errorf("leads elsewhere, to %s", answer.Header.Get("Location"))
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusUnauthorized:
		return arrival, "", errNotOurs
	case answer.StatusCode == http.StatusBadGateway || answer.StatusCode == http.StatusGatewayTimeout || answer.StatusCode == http.StatusServiceUnavailable:
		return arrival, "", fmt.Errorf("a proxy answers %s: it does not reach the server", answer.Status)
	case answer.StatusCode != http.StatusOK:
		return arrival, "", fmt.Errorf("answers %s", answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&arrival); err != nil {
		return arrival, "", errNotOurs
	}
	return arrival, answer.Header.Get("Date"), nil
}

// unreachable says what to do about a public address that does not lead here.
func (d Doctor) unreachable(check string, err error) Finding {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	found := d.Config.BaseURL + ": " + firstLine(err)
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var dial *net.OpError
	switch {
	case errors.As(err, &name):
		return bad(check, found, "give the name a DNS record, or set EARSHOT_BASE_URL to the one that has it")
	case errors.As(err, &certificate), errors.As(err, &unknown):
		return bad(check, found, "give the proxy a certificate for this name that browsers trust, with its whole chain")
	case errors.As(err, &dial) && dial.Op == "dial":
		return bad(check, found, "start the server and the proxy, and see that a firewall lets both through")
	case errors.Is(err, errNotOurs):
		return bad(check, found, "set EARSHOT_BASE_URL to where this server is reached; run the doctor with the server's own settings")
	}
	return bad(check, found, "have the proxy pass everything on to "+d.Config.Addr+" (earshot print nginx)")
}

// checkForwarding sees whether visitors are told apart: limits are by address.
func (d Doctor) checkForwarding(a Arrival) Finding {
	const check = "addresses"
	behind := strings.HasPrefix(d.Config.BaseURL, "https:") // we speak no TLS
	last := ""
	if len(a.Forwarded) > 0 {
		last = a.Forwarded[len(a.Forwarded)-1]
	}
	added := last != "" && last != marker
	switch {
	case added && !a.Trusted:
		return bad(check, "X-Forwarded-For arrives from "+a.Peer+", which is not trusted: all visitors share one address's limits", "set EARSHOT_TRUSTED_PROXIES="+a.Peer)
	case behind && !added:
		return bad(check, "the proxy does not add the visitor's address to X-Forwarded-For: all visitors share its limits", "have it do so (earshot print nginx)")
	case !added && a.Trusted && last == marker:
		return warn(check, "who connects from "+a.Peer+" is believed whatever it says, and no proxy is in between",
			"unset EARSHOT_TRUSTED_PROXIES, or let only the proxy connect")
	}
	return ok(check, "we come from %s", a.Address)
}

func (d Doctor) checkUpgrade(a Arrival) Finding {
	const check = "sockets"
	if !a.Upgrade {
		return bad(check, "Upgrade does not arrive: nothing is live, and the widget falls back to polling", "have the proxy pass WebSockets on (earshot print nginx)")
	}
	return ok(check, "requests for them arrive")
}
