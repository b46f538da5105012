// Command earshot runs the feedback widget's server.
//
//	earshot                 serve (the default)
//	earshot serve --demo    with a shop to try it on
//	earshot migrate up|down|status
//	earshot user create EMAIL, earshot user reset-password EMAIL
//	earshot backup FILE, earshot restore FILE
//	earshot export PROJECT FILE
//	earshot audit verify
//	earshot print grafana|alerts|prometheus|systemd|caddy|nginx
//	earshot doctor [--json]
//	earshot health, earshot version
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // members' time zones, also on machines that know none

	"github.com/alecthomas/kong"

	"earshot/api"
	"earshot/api/config"
	"earshot/api/demo"
	"earshot/api/operator"
	"earshot/models"
	"earshot/models/store"
	"earshot/models/trace"
)

// version and commit are set by release builds (-ldflags "-X main.version=…").
var version, commit = "dev", "" //nolint:gochecknoglobals // the linker writes them

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// cli is the command line: every setting is a flag, each command a field.
type cli struct {
	config.Settings `group:"Settings (each also as EARSHOT_…):"`

	Serve struct{} `cmd:"" default:"1" help:"Run the server (the default)."`

	Migrate struct {
		Up   struct{} `cmd:"" help:"Bring the schema up to date."`
		Down struct {
			Copied bool `help:"There is a copy of the database in PostgreSQL."`
		} `cmd:"" help:"Undo the newest migration."`
		Status struct{} `cmd:"" help:"List the migrations."`
	} `cmd:"" help:"Change the database's schema; serve does it by itself."`

	User struct {
		Create        operator.NewUser `cmd:"" help:"Create a user and print a password."`
		ResetPassword struct {
			Email string `arg:"" help:"Whose password."`
		} `cmd:"" help:"Set and print a new password, and end the user's sessions."`
	} `cmd:"" help:"Manage users."`

	Audit struct {
		Verify struct{} `cmd:"" help:"Check that nobody changed a line."`
	} `cmd:"" help:"Look after the record of who did what."`

	Secret struct {
		Adopt struct{} `cmd:"" help:"Go on with another secret than the database had: sessions, receipts and second factors end."`
	} `cmd:"" help:"Look after what signs and seals."`

	Backup operator.Backup `cmd:"" help:"Write all that there is into one file, also while the server runs: database, attachments, exports, and under a passphrase the secret."`

	Restore operator.Restore `cmd:"" help:"Put a backup back into an empty data folder."`

	Export operator.Export `cmd:"" help:"Write a project's feedback to a file, also while the server runs."`

	Import operator.Import `cmd:"" help:"Take a file's feedback into a project, also while the server runs."`

	Print operator.Print `cmd:"" help:"Print a file for those around the server: grafana, alerts, prometheus, systemd, caddy or nginx."`

	Doctor struct {
		JSON bool `help:"Report as JSON."`
	} `cmd:"" help:"Look at everything that the server needs, and say what to do."`

	Health struct{} `cmd:"" help:"Ask the server that runs here whether it takes work."`

	Version struct{} `cmd:"" help:"Print the version, and what it was built from."`
}

// run is the program. It reads the environment that it is given alone and
// returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	getenv := config.Getenv(environ)
	command, cfg, code := parse(args, getenv, stdout, stderr)
	if command == "" {
		return code
	}
	if command == "version" {
		_, _ = fmt.Fprintln(stdout, "earshot", version, operator.BuiltFrom(commit), runtime.Version())
		return exitOK
	}
	if getenv("GOGC") == "" {
		ctx, end := context.WithCancel(ctx)
		var pacing sync.WaitGroup
		pacing.Go(func() { config.PaceCollector(ctx) })
		defer pacing.Wait()
		defer end()
	}
	for _, name := range config.Unknown(environ, &cfg.cli.Settings) {
		_, _ = fmt.Fprintf(stderr, "earshot: %s is no setting, so nothing follows from it: earshot --help lists them\n", name)
	}
	err := store.Supported()
	if err == nil {
		err = dispatch(ctx, command, cfg, stdout, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "earshot:", oneLine(err))
		return exitFailed
	}
	return exitOK
}

// parsed is what the command line and the environment come to.
type parsed struct {
	config.Config
	cli     cli
	tracing *trace.Options // nil: nothing is traced
	// problems are what is wrong with the settings, for who looks at that.
	problems []error
	colors   bool
	stores   config.Stores
}

// parse gives the command, "" where there is nothing more to do. All bad
// settings are named together.
func parse(args []string, getenv func(string) string, stdout, stderr io.Writer) (command string, p parsed, code int) {
	exited := false
	var problems []error
	parser, err := kong.New(&p.cli, kong.Name("earshot"),
		kong.Description("A feedback widget with its server: visitors write, staff see it live and take care of it."),
		kong.Writers(stdout, stderr), kong.Exit(func(c int) { exited, code = true, c }),
		kong.Resolvers(config.Resolver(getenv, &problems)), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "earshot:", err)
		return "", p, exitFailed
	}
	result, err := parser.Parse(args)
	if exited { // --help
		return "", p, code
	}
	if err != nil {
		problems = append(problems, err)
	} else {
		checked, bad := p.cli.Check()
		tracing, untraceable := config.Tracing(getenv, version)
		stores, unusable := p.cli.Stores(getenv, checked.Database)
		problems = slices.Concat(problems, bad, untraceable, unusable)
		p.Config, p.tracing, p.stores, p.problems = checked, tracing, stores, problems
		p.colors = operator.Colors(getenv, stdout)
		command = result.Command()
	}
	if len(problems) > 0 && command != "doctor" {
		for _, problem := range problems {
			_, _ = fmt.Fprintln(stderr, "earshot:", oneLine(problem))
		}
		return "", p, exitUsage
	}
	return command, p, exitOK
}

func dispatch(ctx context.Context, command string, p parsed, stdout, stderr io.Writer) error {
	ctx = models.WithBy(ctx, models.By{Kind: models.ActorOperator})
	data := operator.Data{Dir: p.Data, Database: p.Database, Configured: p.Secret, Out: stdout, Log: logger(p.LogLevel, stderr),
		Files: p.stores.Files, FilesCredentials: p.stores.Credentials}
	switch command {
	case "migrate up":
		return data.MigrateUp(ctx)
	case "migrate down":
		return data.MigrateDown(ctx, p.cli.Migrate.Down.Copied)
	case "migrate status":
		return data.MigrateStatus(ctx)
	case "user create <email>":
		return data.CreateUser(ctx, p.cli.User.Create)
	case "user reset-password <email>":
		return data.ResetPassword(ctx, p.cli.User.ResetPassword.Email)
	case "export <project> <file>":
		return data.Export(ctx, p.cli.Export, stderr)
	case "import <project> <file>":
		return data.Import(ctx, p.cli.Import, stderr)
	case "secret adopt":
		return data.AdoptSecret(ctx)
	case "audit verify":
		return data.VerifyAudit(ctx)
	case "print <name>":
		return p.cli.Print.Run(operator.Deployed(p.Config, p.stores, config.Set(&p.cli.Settings)), stdout)
	case "doctor":
		examined := operator.Doctor{Data: data, Config: p.Config, Stores: p.stores, Problems: p.problems, Version: version, Now: time.Now}
		return examined.Run(ctx, p.cli.Doctor.JSON, p.colors)
	case "health":
		return operator.Health(ctx, p.Addr, stdout)
	case "backup <file>":
		ctx, stop := notify(ctx)
		defer stop()
		return data.Backup(ctx, p.cli.Backup, p.stores.Passphrase, version)
	case "restore <file>":
		ctx, stop := notify(ctx)
		defer stop()
		return data.Restore(ctx, p.cli.Restore, p.stores.Passphrase)
	default:
		ctx, stop := notify(ctx)
		defer stop()
		return serve(ctx, p, data)
	}
}

// notify ends the context at SIGINT or SIGTERM. The signals then have their
// usual effect again: the second one ends the process at once.
func notify(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

func logger(level string, w io.Writer) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // was checked
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// serve runs the server until the context ends, then drains it. What can go
// wrong is tried before anything on disk changes: the port first.
func serve(ctx context.Context, p parsed, data operator.Data) (err error) {
	listener, err := net.Listen("tcp", p.Addr)
	if err != nil {
		return fmt.Errorf("EARSHOT_ADDR: %w", err)
	}
	defer func() { _ = listener.Close() }() // also closed by the server
	private, err := api.ListenPrivately(p.MetricsAddr, p.DebugAddr)
	if err != nil {
		return err
	}
	defer private.Close()
	if err := data.Prepare(); err != nil {
		return err
	}
	release, err := data.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	server, welcome, err := open(ctx, p, data)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	private.Serve(server)
	welcome.metrics, welcome.debug = private.Addresses()
	welcome.print(data.Out)
	select {
	case err = <-served:
	case <-ctx.Done():
		data.Log.Info("draining", "at most", p.Drain)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.Drain)
	defer cancel()
	return errors.Join(err, server.Shutdown(end))
}

// open brings the data folder up to date and wires the server.
func open(ctx context.Context, p parsed, data operator.Data) (*api.Server, welcome, error) {
	w := welcome{base: p.BaseURL, data: p.Data, database: store.PostgresName(p.Database), unlimited: p.Unlimited}
	if err := data.Migrate(ctx); err != nil {
		return nil, w, err
	}
	secret, err := data.Secret()
	if err != nil {
		return nil, w, err
	}
	if p.Demo {
		if w.demo, err = demo.Seed(ctx, data.Path(), data.Log, secret, operator.Hash); err != nil {
			return nil, w, err
		}
	}
	var mailing *api.MailConfig
	if p.SMTP != nil {
		mailing = &api.MailConfig{Server: *p.SMTP, From: p.MailFrom}
	}
	var provider *api.OIDCConfig
	if p.OIDC != nil {
		provider = (*api.OIDCConfig)(p.OIDC)
	}
	backups, err := data.BackupPlan(p.stores, version)
	if err != nil {
		return nil, w, err
	}
	server, err := api.Open(ctx, api.Config{
		DataDir: p.Data, Database: p.Database, NATS: p.NATS, BaseURL: p.BaseURL, Secret: secret, TrustedProxies: p.TrustedProxies, SignupOpen: p.SignupOpen,
		Unlimited: p.Unlimited, Version: version, Commit: operator.BuiltFrom(commit), Log: data.Log, Drain: p.Drain, Mail: mailing, OIDC: provider, DemoKey: w.demo.ProjectKey,
		Tracing: p.tracing, Files: p.stores.Files, FilesCredentials: p.stores.Credentials, Backups: backups,
	})
	if err != nil {
		return nil, w, err
	}
	if err := data.CreateFirstOwner(ctx, server.Store(), p.AdminEmail, p.AdminPassword); err != nil {
		return nil, w, errors.Join(err, server.Shutdown(ctx))
	}
	if w.setup, err = server.SetupURL(ctx); err != nil {
		return nil, w, errors.Join(err, server.Shutdown(ctx))
	}
	return server, w, nil
}

// welcome is what the terminal shows at start.
type welcome struct {
	base, data, setup string
	database          string // its address, where it is not in the folder
	metrics, debug    string // the private addresses
	demo              demo.Demo
	unlimited         bool
}

func (w welcome) print(out io.Writer) {
	line := func(name, value string) { _, _ = fmt.Fprintf(out, "  %-11s %s\n", name, value) }
	_, _ = fmt.Fprintf(out, "\nEarshot %s\n\n", version)
	line("Dashboard", w.base+"/")
	if w.setup != "" {
		line("Set up", w.setup)
		line("", "Opens once, within 24 hours, and makes you the owner.")
	}
	if w.demo.ProjectKey != "" {
		line("Sign in", demo.Email)
		line("Password", w.demo.Password)
		line("Shop", w.base+"/demo")
		line("", "Write something there and watch it arrive on the dashboard.")
	}
	line("API", w.base+"/docs")
	line("Data", w.data)
	if w.database != "" {
		line("Database", w.database)
	}
	if w.metrics != "" {
		line("Metrics", "http://"+w.metrics+"/metrics")
	}
	if w.debug != "" {
		line("Profiles", "http://"+w.debug+"/debug/pprof/")
	}
	if w.unlimited {
		line("WARNING", "All rate, connection and log-in limits are off (EARSHOT_LIMITS=off). For load tests only.")
	}
	_, _ = fmt.Fprintln(out)
}
