// Package api is Earshot over HTTP: the visitors' calls, the staff's, the
// documents that describe both, and the pages. Its route table is in routes.go.
//
// Handlers read in one order: decode, authorise, act, respond. They return
// errors; one function (fail, in problem.go) answers them.
package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"earshot/api/operator"
	"earshot/api/password"
	"earshot/models"
	"earshot/models/attachments"
	"earshot/models/backup"
	"earshot/models/blob"
	"earshot/models/intake"
	"earshot/models/jobs"
	"earshot/models/mail"
	"earshot/models/metrics"
	"earshot/models/ratelimit"
	"earshot/models/seal"
	"earshot/models/store"
	"earshot/models/trace"
	"earshot/realtime"
	"earshot/realtime/cluster"
	"earshot/realtime/protocol"
)

// Config is what a Server is made from. main reads it from the environment,
// tests write it down.
type Config struct {
	// DataDir holds the database, where Database names no other, and files; it must
	// exist.
	DataDir string
	// Database is the address of a PostgreSQL database; "" for a file in DataDir.
	Database string
	// Files is where attachments are kept; zero for the data folder.
	Files            blob.Location
	FilesCredentials blob.Credentials
	// Backups is how the server backs itself up; nil where it does not.
	Backups *backup.Plan
	// BaseURL is the public origin. Links are made from it, never from the
	// request's Host.
	BaseURL string
	// Secret is what everything that is signed is signed with, through keys
	// derived from it; at least 16 bytes.
	Secret         []byte
	TrustedProxies []netip.Prefix
	SignupOpen     bool
	// Unlimited lifts the limits of rate and connections, for load tests.
	Unlimited bool
	// Credulous has no submission suspected, for tests of what that is good for.
	Credulous bool
	// DemoKey is the key of the demo's project; its shop is at /demo. "" for none.
	DemoKey string
	Version string
	// Commit is what the version was built from.
	Commit string
	Log    *slog.Logger
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Mail is how mail is sent; nil sends none.
	Mail *MailConfig
	// OIDC is another provider that signs people in; nil for none.
	OIDC *OIDCConfig
	// Tracing is where traces go; nil for nowhere.
	Tracing *trace.Options
	// NATS is where servers that share a database tell each other; "" for a server that is
	// alone.
	NATS string
	// Drain bounds Shutdown; 0 leaves that to its context.
	Drain time.Duration
}

// minSecret is the least that a key is derived from (128 bits).
const minSecret = 16

// Server is a whole Earshot without a listener.
type Server struct {
	config Config
	// origin is the base URL's, in the form in which origins are compared.
	origin   models.Origins
	secure   bool
	log      *slog.Logger
	now      func() time.Time
	app      *fiber.App
	huma     huma.API
	metrics  *metrics.Metrics
	tracer   *trace.Tracer // nil: nothing is traced
	store    *store.Store
	hub      *realtime.Hub
	realtime *realtime.Server
	cluster  atomic.Pointer[cluster.Node] // nil for a server that is alone
	intake   *intake.Intake
	jobs     *jobs.Runner
	mails    *mail.Runner // nil where none are sent
	// downloadKey signs links to exports, attachmentsKey those to attachments.
	downloadKey, attachmentsKey linkKey
	files                       blob.Store
	backups                     *backup.Scheduler // nil: it does not back itself up
	attachments                 *attachments.Keeper
	uploads                     *uploads
	uploadLimits                struct{ session, address, project, addressKiB, projectKiB *ratelimit.Limiter }
	mailLinks                   mail.Links

	tokens    tokens
	passwords *password.Hasher
	// loginAddresses bounds wrong passwords by address; by account and address the
	// store counts. letters bounds mails about accounts.
	loginAddresses, letters, invitations, signUps *ratelimit.Limiter
	// factors keeps the secrets of second factors.
	factors seal.Box
	// provider signs people in who have an account there; nil for none.
	provider *provider
	// behind is what is done after an answer.
	behind    *behind
	scripts   *scripts
	documents documents
	pinned    pinned
	pages     pages
	// submissions and pollBodies read visitors' POSTs.
	submissions protocol.Decoder[Submission]
	pollBodies  protocol.Decoder[Poll]
	// receiptMessages reads what visitors say by way of their receipts.
	receiptMessages protocol.Decoder[ReceiptMessage]
	polls           *ratelimit.Limiter
	// waiting are the visitors' polls that wait, staffWaiting the staff's, streams
	// the staff's streams.
	waiting, staffWaiting places
	streams               *streams

	requests requestIDs
	// leaving is done once the server drains: long polls end with it.
	leaving  context.Context
	leave    context.CancelFunc
	draining atomic.Bool
	// connections is what Shutdown has to bring to an end beside sockets.
	connections connections
	entrance    entrance
}

// New is Open where nobody has seen to the schema: it is brought up to date
// first.
func New(ctx context.Context, config Config) (*Server, error) {
	s, err := newServer(config)
	if err != nil {
		return nil, err
	}
	if err := s.data().Migrate(ctx); err != nil {
		return nil, err
	}
	return s.open(ctx)
}

// Open opens the store, whose schema must be up to date, and wires everything
// that a running server has. The caller ends it with Shutdown, also if it never
// served.
func Open(ctx context.Context, config Config) (*Server, error) {
	s, err := newServer(config)
	if err != nil {
		return nil, err
	}
	return s.open(ctx)
}

func (s *Server) data() operator.Data {
	return operator.Data{Dir: s.config.DataDir, Database: s.config.Database, Configured: string(s.config.Secret), Log: s.log}
}

// DatabasePath is the file or the address of the database.
func (s *Server) DatabasePath() string { return s.data().Path() }

func (s *Server) open(ctx context.Context) (_ *Server, err error) {
	s.startTracing()
	defer func() {
		if err != nil {
			s.tracer.Close(ctx)
		}
	}()
	// The hub is told of commits before there is a store to ask for its epoch;
	// nothing is committed until Open has returned.
	s.hub = realtime.NewHub(s.log, func() models.Epoch { return s.store.Epoch() }, s.metrics.Hub, s.tracer)
	auditKey, err := models.DeriveKey(s.config.Secret, operator.AuditUse)
	if err != nil {
		s.hub.Close()
		return nil, err
	}
	s.store, err = store.Open(ctx, store.Options{
		Path: s.data().Path(), Log: s.log, Now: s.now, Publish: s.publish, Mails: s.config.Mail != nil, AuditKey: auditKey,
		Metrics: s.metrics,
	})
	if err != nil {
		s.hub.Close()
		return nil, fmt.Errorf("open store: %w", err)
	}
	s.log = s.store.Log()
	if err := s.wire(); err != nil {
		s.hub.Close()
		return nil, errors.Join(err, s.store.Close())
	}
	if err := s.joinCluster(); err != nil {
		return nil, errors.Join(err, s.Shutdown(ctx))
	}
	if s.files, err = blob.Open(s.filesLocation(), s.config.FilesCredentials); err != nil {
		return nil, errors.Join(err, s.Shutdown(ctx))
	}
	s.attachments = attachments.Start(s.store, s.files, s.config.Files == (blob.Location{}), s.log)
	s.jobs, err = jobs.Start(ctx, jobs.Options{Store: s.store, Files: s.jobFiles(), Log: s.log, Notify: s.tellJob})
	if err != nil {
		return nil, errors.Join(err, s.Shutdown(ctx))
	}
	if plan := s.config.Backups; plan != nil {
		s.backups = backup.Start(*plan)
	}
	if err := s.startMail(ctx); err != nil {
		return nil, errors.Join(err, s.Shutdown(ctx))
	}
	s.measure()
	return s, nil
}

func newServer(config Config) (*Server, error) {
	base, err := url.Parse(strings.TrimSuffix(config.BaseURL, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("the base URL must be an http or https address")
	}
	if len(config.Secret) < minSecret {
		return nil, fmt.Errorf("the secret must have at least %d bytes", minSecret)
	}
	config.BaseURL = base.String()
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	own := models.Project{Name: "Earshot", AllowedOrigins: ownOrigins(base), Settings: models.DefaultSettings()}
	if err := own.Normalize(); err != nil {
		return nil, fmt.Errorf("read the base URL: %w", err)
	}
	s := &Server{config: config, origin: own.AllowedOrigins, secure: base.Scheme == "https", log: config.Log, now: config.Now, scripts: newScripts(maxScripts)}
	s.metrics = metrics.New(config.Version, config.Commit)
	s.leaving, s.leave = context.WithCancel(context.Background())
	s.waiting.unlimited, s.staffWaiting.unlimited = config.Unlimited, config.Unlimited
	s.uploads = &uploads{unlimited: config.Unlimited, now: config.Now, open: map[*fasthttp.RequestHeader]upload{}}
	s.streams, s.behind = newStreams(config.Unlimited), newBehind(lettersBehind)
	return s, nil
}

// ownOrigins are those of our own pages: the base URL's, and on a developer's
// machine all of its names for itself.
func ownOrigins(base *url.URL) models.Origins {
	origins := models.Origins{base.Scheme + "://" + base.Host}
	loopback := []string{"localhost", "127.0.0.1", "::1"}
	if !slices.Contains(loopback, base.Hostname()) {
		return origins
	}
	for _, host := range loopback {
		origins = append(origins, base.Scheme+"://"+net.JoinHostPort(host, cmp.Or(base.Port(), "80")))
	}
	return origins
}

// wire makes the parts that stand on the store.
func (s *Server) wire() error {
	var receiptKey, mailKey, challengeKey, addressKey, identityKey []byte
	var err error
	for _, key := range []struct {
		into *[]byte
		use  string
	}{
		{&receiptKey, "earshot receipt"}, {(*[]byte)(&s.downloadKey), "earshot download"}, {&mailKey, "earshot mail"},
		{(*[]byte)(&s.attachmentsKey), "earshot attachment"}, {&challengeKey, "earshot challenge"}, {&addressKey, "earshot address"}, {&identityKey, "earshot identity"},
	} {
		if *key.into, err = models.DeriveKey(s.config.Secret, key.use); err != nil {
			return err
		}
	}
	s.mailLinks = mail.Links{BaseURL: s.config.BaseURL, Key: mailKey}
	s.intake, err = intake.New(intake.Options{
		Store: s.store, BaseURL: s.config.BaseURL, Secret: receiptKey, ChallengeKey: challengeKey, AddressKey: addressKey, IdentityKey: identityKey,
		Unlimited: s.config.Unlimited, Credulous: s.config.Credulous, Now: s.now, Metrics: s.metrics,
	})
	if err != nil {
		return err
	}
	if err := s.guard(); err != nil {
		return err
	}
	s.realtime = realtime.New(realtime.Options{
		Hub: s.hub, Store: s.store, Intake: s.intake, Log: s.log, Now: s.now,
		Authenticate: s.authenticate, Unlimited: s.config.Unlimited, Jobs: s, Metrics: s.metrics, Tracer: s.tracer,
	})
	s.app = s.newApp()
	s.app.Server().ConnState = s.connections.note
	return s.routes()
}

// guard makes what guards calls from being tried too often, or by the wrong ones.
func (s *Server) guard() (err error) {
	tokenKey, err := models.DeriveKey(s.config.Secret, "earshot access token")
	if err != nil {
		return err
	}
	s.tokens = tokens{key: tokenKey, issuer: s.config.BaseURL, now: s.now}
	s.passwords = password.New()
	factorKey, err := models.DeriveKey(s.config.Secret, "earshot second factor")
	if err != nil {
		return err
	}
	if s.factors, err = seal.New(factorKey); err != nil {
		return err
	}
	if s.config.OIDC != nil {
		if s.provider, err = newProvider(*s.config.OIDC, s.config.BaseURL, s.config.Secret); err != nil {
			return err
		}
	}
	for _, limit := range []struct {
		into   **ratelimit.Limiter
		count  int
		period time.Duration
	}{
		{&s.loginAddresses, loginsPerAddress, time.Minute}, {&s.polls, pollsPerMinute, time.Minute}, {&s.letters, lettersPerHour, time.Hour},
		{&s.invitations, invitesPerHour, time.Hour}, {&s.signUps, signUpsPerAddress, time.Hour}, {&s.uploadLimits.session, filesPerSession, time.Hour},
		{&s.uploadLimits.address, filesPerAddress, time.Hour}, {&s.uploadLimits.project, filesPerProject, time.Hour},
		{&s.uploadLimits.addressKiB, bytesPerAddress >> 10, time.Hour}, {&s.uploadLimits.projectKiB, bytesPerProject >> 10, time.Hour},
	} {
		*limit.into = ratelimit.Unlimited()
		if s.config.Unlimited {
			continue
		}
		if *limit.into, err = ratelimit.New(limit.count, limit.period, s.now); err != nil {
			return err
		}
	}
	return nil
}

// Serve answers requests on the listener, which it closes, until Shutdown.
func (s *Server) Serve(listener net.Listener) error {
	if !s.entrance.open(listener) {
		return nil
	}
	if err := s.app.Listener(listener); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Store is the open store, for commands and tests.
func (s *Server) Store() *store.Store { return s.store }

// setupLifetime is long enough for whoever installs Earshot today.
const setupLifetime = 24 * time.Hour

// SetupURL makes the link with which the first owner is created; "" once there
// is a user. The token is in the fragment, which no server log sees.
func (s *Server) SetupURL(ctx context.Context) (string, error) {
	exists, err := s.store.HasUsers(ctx)
	if err != nil || exists {
		return "", err
	}
	token := models.NewToken()
	if err := s.store.PutToken(ctx, store.PurposeSetup, models.HashToken(token), struct{}{}, setupLifetime); err != nil {
		return "", fmt.Errorf("store setup token: %w", err)
	}
	return s.config.BaseURL + "/setup#token=" + token, nil
}
