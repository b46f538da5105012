package operator

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

const top = "../.."

// stages reads the Dockerfile as Docker does.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	file, err := os.Open(filepath.Join(top, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	parsed, err := parser.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, description, _, message string, _ []parser.Range) {
		t.Errorf("Dockerfile: %s: %s (%s)", rule, message, description)
	}})
	found, _, err := instructions.Parse(parsed.AST, lint)
	if err != nil || len(parsed.Warnings) > 0 {
		t.Fatalf("Dockerfile: %v, warnings %v", err, parsed.Warnings)
	}
	return found
}

func TestDockerfile(t *testing.T) {
	all := stages(t)
	last := all[len(all)-1]
	if len(all) != 2 || last.BaseName != "scratch" {
		t.Errorf("the image is built of %d stages on %s, want 2 on scratch", len(all), last.BaseName)
	}
	module, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	needed := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)
	if base := all[0].BaseName; !strings.HasPrefix(base, "golang:"+string(needed[1])+".") {
		t.Errorf("it is built with %s, and go.mod needs %s", base, needed[1])
	}
	var user, volume, entry string
	var checked bool
	for _, command := range last.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.VolumeCommand:
			volume = strings.Join(c.Volumes, " ")
		case *instructions.EntrypointCommand:
			entry = strings.Join(c.CmdLine, " ")
		case *instructions.HealthCheckCommand:
			checked = slices.Equal(c.Health.Test, []string{"CMD", "/earshot", "health"})
		}
	}
	if user != "65532:65532" || volume != "/data" || entry != "/earshot" || !checked {
		t.Errorf("user %q, volume %q, entry point %q, health check %t", user, volume, entry, checked)
	}
}

func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(top, "compose.yaml")},
		cli.WithEnv([]string{"EARSHOT_BASE_URL=https://feedback.example.com"}), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service, err := project.GetService("earshot")
	if err != nil {
		t.Fatal(err)
	}
	if project.Name != "earshot" || !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) || service.Privileged ||
		!slices.Equal(service.SecurityOpt, []string{"no-new-privileges:true"}) || service.Build == nil || service.Build.Context == "" {
		t.Errorf("the service is %+v", service)
	}
	if url := service.Environment["EARSHOT_BASE_URL"]; url == nil || *url != "https://feedback.example.com" {
		t.Errorf("the environment is %v", service.Environment)
	}
	if len(service.Ports) != 1 || service.Ports[0].HostIP != "127.0.0.1" || service.Ports[0].Target != 8080 {
		t.Errorf("ports %+v, want one of this machine alone", service.Ports)
	}
	data := service.Volumes[0]
	if _, known := project.Volumes[data.Source]; data.Type != types.VolumeTypeVolume || data.Target != "/data" || !known {
		t.Errorf("volumes %+v of %+v", service.Volumes, project.Volumes)
	}
	if service.StopGracePeriod == nil || time.Duration(*service.StopGracePeriod) <= 10*time.Second {
		t.Errorf("it gets %v to drain", service.StopGracePeriod)
	}
}

// The commands of the Dockerfile, run twice in folders of different names and the
// second time without anything kept, make the same program. It needs nothing of
// where it runs: it starts as nobody, in a folder with nothing but what is in the
// image, and answers.
func TestImageIsReproducible(t *testing.T) {
	if os.Getenv("EARSHOT_TEST_IMAGE") != "required" {
		t.Skip("builds the program twice; EARSHOT_TEST_IMAGE=required does it")
	}
	first, second := build(t, filepath.Join(t.TempDir(), "a"), ""), build(t, filepath.Join(t.TempDir(), "another", "name"), t.TempDir())
	if a, b := sum(t, first), sum(t, second); a != b {
		t.Errorf("two builds are %s and %s", a, b)
	}
	program, err := elf.Open(filepath.Join(first, "root/earshot"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("the program is not static: it has %v", part.Type)
		}
	}
	runs(t, first)
}

// build runs the first stage in a folder and gives what it puts into /out.
func build(t *testing.T, folder, cache string) (out string) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "out")
	list, err := exec.CommandContext(t.Context(), "git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, ".") { // as .dockerignore has it
			continue
		}
		copyFile(t, filepath.Join(top, name), filepath.Join(folder, name))
	}
	environment := append(os.Environ(), "VERSION=1.2.3", "COMMIT=abcdef0", "GOFLAGS=")
	if cache != "" {
		environment = append(environment, "GOCACHE="+cache)
	}
	for _, command := range stages(t)[0].Commands {
		run, ok := command.(*instructions.RunCommand)
		if !ok {
			continue
		}
		line := strings.ReplaceAll(strings.Join(run.CmdLine, " "), "/out/", out+"/")
		c := exec.CommandContext(t.Context(), "sh", "-c", line)
		c.Dir, c.Env = folder, environment
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, said)
		}
	}
	return out
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if os.IsNotExist(err) { // removed, and not committed yet
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func sum(t *testing.T, out string) string {
	t.Helper()
	file, err := os.Open(filepath.Join(out, "root/earshot"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// runs starts the program with the image's files for its root, as the image's user.
func runs(t *testing.T, out string) {
	t.Helper()
	const nobody = 65532
	root := filepath.Join(out, "root")
	data := filepath.Join(root, "data")
	if err := os.Rename(filepath.Join(out, "owned/data"), data); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Fatal("only root can give a program another root folder")
	}
	if err := os.Chown(data, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for folder := out; folder != filepath.Dir(folder) && folder != os.TempDir(); folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil { // the test's own folders let nobody else in
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	inside := func(said io.Writer, args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), "/earshot", args...)
		c.Err = nil // there is no such file outside
		c.Env, c.Dir, c.Stdout, c.Stderr = []string{"EARSHOT_DATA=/data", "EARSHOT_ADDR=" + addr}, "/", said, said
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return c
	}
	var said bytes.Buffer
	server := inside(&said)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var health bytes.Buffer
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		health.Reset()
		if err = inside(&health, "health").Run(); err == nil {
			break
		}
	}
	if err != nil || strings.TrimSpace(health.String()) != "ready" {
		t.Errorf("health: %v, %s", err, health.String())
	}
	var version bytes.Buffer
	if err := inside(&version, "version").Run(); err != nil || strings.TrimSpace(version.String()) != "earshot 1.2.3 abcdef0 "+runtime.Version() {
		t.Errorf("version: %v, %s", err, version.String())
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server ended with %v:\n%s", err, said.String())
	}
}
