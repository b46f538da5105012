package api_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"earshot/api/config"
)

// nodesOf are compose.yaml's servers with the profile nodes.
var nodesOf = []string{"node1", "node2", "node3"} //nolint:gochecknoglobals // a constant

// composed reads compose.yaml as Docker does, with an .env of these lines.
func composed(t *testing.T, env ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join("..", "compose.yaml")}, cli.WithEnv(env), cli.WithResolvedPaths(true), cli.WithDefaultProfiles())
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

// secrets are what the profile asks for.
func secrets() map[string]string {
	return map[string]string{"EARSHOT_SECRET": strings.Repeat("5ec4e7", 10), "POSTGRES_PASSWORD": "c0ffee", "FILES_PASSWORD": "f11e5"}
}

// severalNodes is compose.yaml with the profile nodes on.
func severalNodes(t *testing.T, base string) *types.Project {
	t.Helper()
	env := []string{"COMPOSE_PROFILES=nodes", "EARSHOT_BASE_URL=" + base}
	for name, value := range secrets() {
		env = append(env, name+"="+value)
	}
	project, err := composed(t, env...)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// Without the profile there is one server, and nobody is asked for a secret. With it
// each that lacks is asked for, by name and with the command that makes it.
func TestComposeAsksForWhatItNeeds(t *testing.T) {
	t.Parallel()
	alone, err := composed(t)
	if err != nil {
		t.Fatal(err)
	}
	if names := alone.ServiceNames(); !slices.Equal(names, []string{"earshot"}) {
		t.Errorf("without a profile there are %v", names)
	}
	for lacking := range secrets() {
		env := []string{"COMPOSE_PROFILES=nodes"}
		for name, value := range secrets() {
			if name != lacking {
				env = append(env, name+"="+value)
			}
		}
		if _, err := composed(t, env...); err == nil || !strings.Contains(err.Error(), lacking) || !strings.Contains(err.Error(), "openssl rand") {
			t.Errorf("without %s: %v", lacking, err)
		}
	}
}

// Each part is of one version, comes back by itself, is looked at, starts after what it
// needs and gets the time to end; what is set is known.
func TestComposeOfSeveralNodes(t *testing.T) {
	t.Parallel()
	project := severalNodes(t, "https://feedback.example.com")
	known := knownSettings(t)
	published := 0
	for name, service := range project.Services {
		if name == "earshot" {
			continue
		}
		if _, version, ok := strings.Cut(service.Image, ":"); !ok || version == "latest" || version == "" {
			t.Errorf("%s: the image is %q", name, service.Image)
		}
		if service.Restart != types.RestartPolicyUnlessStopped || service.StopGracePeriod == nil || time.Duration(*service.StopGracePeriod) < 15*time.Second {
			t.Errorf("%s: restart %q, %v to end", name, service.Restart, service.StopGracePeriod)
		}
		published += len(service.Ports)
		if !slices.Contains(nodesOf, name) {
			if check := service.HealthCheck; check == nil || len(check.Test) < 2 || check.Test[0] != "CMD" {
				t.Errorf("%s: the health check is %+v", name, check)
			}
			continue
		}
		for setting := range service.Environment {
			if !known[setting] {
				t.Errorf("%s: there is no setting %s", name, setting)
			}
		}
		for _, needed := range []string{"postgres", "nats", "files"} {
			if service.DependsOn[needed].Condition != types.ServiceConditionHealthy {
				t.Errorf("%s does not wait for %s", name, needed)
			}
		}
		if service.HealthCheck != nil { // the image's own: earshot health
			t.Errorf("%s: the health check is %+v", name, service.HealthCheck)
		}
		if project.Services["proxy"].DependsOn[name].Condition != types.ServiceConditionHealthy {
			t.Errorf("the proxy does not wait for %s", name)
		}
		if trusted, address := *service.Environment["EARSHOT_TRUSTED_PROXIES"], project.Services["proxy"].Networks["inside"].Ipv4Address; trusted != address {
			t.Errorf("%s trusts %s, and the proxy is %s", name, trusted, address)
		}
	}
	if proxy := project.Services["proxy"]; published != 2 || len(proxy.Ports) != 2 {
		t.Errorf("%d ports are published, of which the proxy has %d; want 2", published, len(proxy.Ports))
	}
	// The tests run with the NATS server of go.mod.
	if image := project.Services["nats"].Image; image != "nats:"+moduleVersion(t, "github.com/nats-io/nats-server/v2")+"-alpine" {
		t.Errorf("NATS is %s, and go.mod has another version", image)
	}
}

// knownSettings are the variables that the server reads.
func knownSettings(t *testing.T) map[string]bool {
	t.Helper()
	parser, err := kong.New(&config.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true}
	for _, flag := range parser.Model.Flags {
		known[config.EnvName(flag.Name)] = true
	}
	return known
}

// settingsOf are what compose.yaml has a server started with, but for what names
// another place there and here, and with further settings.
func settingsOf(t *testing.T, service types.ServiceConfig, here map[string]string) (env []string) {
	t.Helper()
	for name, value := range service.Environment {
		if _, other := here[name]; !other && value != nil {
			env = append(env, name+"="+*value)
		}
	}
	for name, value := range here {
		env = append(env, name+"="+value)
	}
	return env
}

// answers waits until somebody answers at a URL with 200.
func answers(ctx context.Context, url string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		if status, _ := ask(ctx, url); status == 200 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer within %v", url, within)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
