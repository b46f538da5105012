package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"

	"earshot/api/apitest"
	"earshot/api/operator"
)

// example is a deployment as an operator has one.
func example() operator.Deployment {
	return operator.Deployment{
		BaseURL: "https://feedback.example.com", Addr: "127.0.0.1:8080", Data: "/var/lib/earshot", MetricsAddr: "127.0.0.1:9090", Drain: 10 * time.Second,
	}
}

func printed(t *testing.T, name string, d operator.Deployment) string {
	t.Helper()
	var text strings.Builder
	if err := (operator.Print{Name: name}).Run(d, &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// panels are those of the Grafana dashboard.
type panel struct {
	Title, Type string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ Expr string }
}

func dashboardPanels(t *testing.T) []panel {
	t.Helper()
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal([]byte(printed(t, "grafana", example())), &dashboard); err != nil {
		t.Fatal(err)
	}
	return dashboard.Panels
}

// alertExpressions are those of the rules, without what a YAML parser would need.
func alertExpressions(t *testing.T) (expressions []string) {
	t.Helper()
	lines := strings.Split(printed(t, "alerts", example()), "\n")
	for i := 0; i < len(lines); i++ {
		expression, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), "expr: ")
		if !ok {
			continue
		}
		if expression == "|" {
			expression = ""
			for ; !strings.HasPrefix(strings.TrimSpace(lines[i+1]), "for:"); i++ {
				expression += lines[i+1] + "\n"
			}
		}
		expressions = append(expressions, expression)
	}
	return expressions
}

// Each expression of the dashboard and of the alerts asks for metrics and labels that
// there are, and each metric of ours is asked for by one.
func TestPrintedExpressionsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	names := s.MetricNames()
	asked := map[string]bool{}
	check := func(where, expression string) {
		expression = strings.NewReplacer("$__rate_interval", "1m", "$job", "earshot", "$instance", ".*").Replace(expression)
		parsed, err := metricsql.Parse(expression)
		if err != nil {
			t.Errorf("%s: %q: %v", where, expression, err)
			return
		}
		metricsql.VisitAll(parsed, func(e metricsql.Expr) {
			switch e := e.(type) {
			case *metricsql.MetricExpr:
				checkSelector(t, where, e, names, asked)
			case *metricsql.AggrFuncExpr:
				for _, label := range e.Modifier.Args {
					if !anyHas(names, label) {
						t.Errorf("%s: no metric has the label %s", where, label)
					}
				}
			}
		})
	}
	for _, panel := range dashboardPanels(t) {
		for _, target := range panel.Targets {
			check("panel "+panel.Title, target.Expr)
		}
	}
	alerts := alertExpressions(t)
	for _, expression := range alerts {
		check("alert", expression)
	}
	if rules := strings.Count(printed(t, "alerts", example()), "- alert:"); rules != len(alerts) || rules < 10 {
		t.Errorf("%d expressions of %d rules were read", len(alerts), rules)
	}
	for name := range names {
		if strings.HasPrefix(name, "earshot_") && !asked[name] {
			t.Errorf("nothing asks for %s", name)
		}
	}
	if len(asked) < 30 {
		t.Errorf("only %v are asked for", slices.Sorted(maps.Keys(asked)))
	}
}

func anyHas(names map[string][]string, label string) bool {
	for _, labels := range names {
		if slices.Contains(labels, label) {
			return true
		}
	}
	return slices.Contains([]string{"le", "instance", "job"}, label)
}

func checkSelector(t *testing.T, where string, e *metricsql.MetricExpr, names map[string][]string, asked map[string]bool) {
	t.Helper()
	for _, filters := range e.LabelFilterss {
		name := ""
		for _, filter := range filters {
			if filter.Label == "__name__" {
				name = filter.Value
			}
		}
		labels, known := names[name]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && !known {
				if labels, known = names[base]; known {
					name = base
				}
			}
		}
		if !known && name != "up" { // Prometheus's own
			t.Errorf("%s: there is no metric %q", where, name)
			continue
		}
		asked[name] = true
		for _, filter := range filters {
			if !slices.Contains(append([]string{"__name__", "job", "instance"}, labels...), filter.Label) {
				t.Errorf("%s: %s has no label %s", where, name, filter.Label)
			}
		}
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	taken := map[[2]int]string{}
	for _, panel := range dashboardPanels(t) {
		at := panel.GridPos
		if at.X+at.W > 24 || at.W == 0 || at.H == 0 || panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s is at %+v", panel.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s and %s overlap", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
	}
}

func TestEachAlertSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, rule := range strings.Split(printed(t, "alerts", example()), "- alert: ")[1:] {
		name, _, _ := strings.Cut(rule, "\n")
		for _, part := range []string{"summary: ", "runbook: ", "severity: "} {
			if strings.Count(rule, part) != 1 {
				t.Errorf("%s has not one %q", name, part)
			}
		}
	}
}

// Prometheus's own tool reads what is for Prometheus.
func TestPrometheusReadsItsFiles(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "earshot-alerts.yml"), printed(t, "alerts", example()))
	var rules strings.Builder // what the dashboard asks for, as rules
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for _, panel := range dashboardPanels(t) {
		for _, target := range panel.Targets {
			expression, err := json.Marshal(strings.NewReplacer("$__rate_interval", "1m").Replace(target.Expr))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&rules, "  - record: dashboard:x\n    expr: %s\n    labels: {n: \"%d\"}\n", expression, rules.Len())
		}
	}
	write(t, filepath.Join(dir, "dashboard.yml"), rules.String())
	public := example()
	public.MetricsAddr = ""
	for name, text := range map[string]string{"private.yml": printed(t, "prometheus", example()), "public.yml": printed(t, "prometheus", public)} {
		write(t, filepath.Join(dir, name), text)
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", "--syntax-only", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, text)
		}
	}
	for _, name := range []string{"earshot-alerts.yml", "dashboard.yml"} {
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
