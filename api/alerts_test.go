package api_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// series are samples a minute apart by name and labels, in the notation of promtool's
// unit tests: 0+5x20 begins at 0 and grows by 5, twenty times.
type series map[string]string

// firing has for each alert what it is for, when that fires, a minute at which it
// does not yet, and what looks alike and is none of it.
var firing = map[string]struct {
	notYet, fires int // minutes
	what          []series
	not           []series
}{
	"EarshotDown": {1, 3, []series{{`up{job="earshot"}`: "0x10"}}, []series{{`up{job="earshot"}`: "1x10"}, {`up{job="other"}`: "0x10"}}},
	"EarshotNotReady": {1, 3, []series{{"earshot_ready": "0x10"}}, []series{
		{"earshot_ready": "1x10"}, {"earshot_ready": "0 1 0 1 0 1"}}},
	"EarshotWritesFail": {2, 4, []series{{"earshot_commits_failed_total": "0+1x10"}}, []series{{"earshot_commits_failed_total": "7x10"}}},
	"EarshotDiskAlmostFull": {4, 6, []series{{"earshot_disk_free_bytes": "536870911x10"}}, []series{
		{"earshot_disk_free_bytes": "536870912x10"}, {"earshot_disk_free_bytes": strings.Repeat("NaN ", 10)}}},
	"EarshotServerErrors": {5, 10, []series{
		{`earshot_http_requests_total{status="503"}`: "0+6x20", `earshot_http_requests_total{status="200"}`: "0+94x20"}}, []series{
		{`earshot_http_requests_total{status="503"}`: "0+4x20", `earshot_http_requests_total{status="200"}`: "0+96x20"},
		{`earshot_http_requests_total{status="429"}`: "0+50x20", `earshot_http_requests_total{status="200"}`: "0+50x20"}}},
	"EarshotDiskFillsUp": {59, 70, []series{{"earshot_disk_free_bytes": "1000000000000-500000000x100"}}, []series{
		{"earshot_disk_free_bytes": "1000000000000-100000000x100"}, {"earshot_disk_free_bytes": "1000000000x100"}}},
	"EarshotSlowCommits": {10, 15, []series{{
		`earshot_commit_duration_seconds_bucket{le="0.5"}`: "0+98x30", `earshot_commit_duration_seconds_bucket{le="1"}`: "0+100x30",
		`earshot_commit_duration_seconds_bucket{le="+Inf"}`: "0+100x30"}}, []series{{
		`earshot_commit_duration_seconds_bucket{le="0.5"}`: "0+100x30", `earshot_commit_duration_seconds_bucket{le="1"}`: "0+100x30",
		`earshot_commit_duration_seconds_bucket{le="+Inf"}`: "0+100x30"}}},
	"EarshotWritesRefused": {1, 3, []series{{"earshot_writes_refused_total": "0 0 1 1 1"}}, []series{{"earshot_writes_refused_total": "5x10"}}},
	"EarshotHubFallsBehind": {1, 5, []series{
		{"earshot_hub_queue_length": "51x10", "earshot_hub_queue_limit": "100x10"}, {"earshot_hub_events_lost_total": "0+1x10"}}, []series{
		{"earshot_hub_queue_length": "50x10", "earshot_hub_queue_limit": "100x10", "earshot_hub_events_lost_total": "9x10"}}},
	"EarshotSlowReaders": {15, 30, []series{{`earshot_sockets_closed_total{code="4002"}`: "0+13x40"}}, []series{
		{`earshot_sockets_closed_total{code="4002"}`: "0+11x40"}, {`earshot_sockets_closed_total{code="1001"}`: "0+100x40"}}},
	"EarshotMailStuck": {60, 70, []series{
		{"earshot_mails_waiting": "3x100", `earshot_mails_total{outcome="unreachable"}`: "0+1x100"}}, []series{
		{"earshot_mails_waiting": "0x100", `earshot_mails_total{outcome="unreachable"}`: "0+1x100"},
		{"earshot_mails_waiting": "3x100", `earshot_mails_total{outcome="unreachable"}`: "4x100"},
		{"earshot_mails_waiting": "3x100", `earshot_mails_total{outcome="sent"}`: "0+1x100"}}},
	"EarshotJobsStuck": {120, 130, []series{
		{"earshot_jobs_open": "1x200", `earshot_jobs_finished_total{outcome="done"}`: "5x200"}}, []series{
		{"earshot_jobs_open": "1x200", `earshot_jobs_finished_total{outcome="done"}`: "0+1x200"},
		{"earshot_jobs_open": "0x200", `earshot_jobs_finished_total{outcome="done"}`: "5x200"}}},
	"EarshotPasswordsGuessed": {15, 30, []series{
		{`earshot_logins_total{outcome="wrong"}`: "0+31x40", `earshot_logins_total{outcome="throttled"}`: "0+31x40"}}, []series{
		{`earshot_logins_total{outcome="wrong"}`: "0+59x40", `earshot_logins_total{outcome="ok"}`: "0+90x40"}}},
	"EarshotBackupOld": {125, 140, []series{ // promtool's clock begins at 0
		{"earshot_backup_interval_seconds": "3600x200", "earshot_backup_last_success_timestamp_seconds": "0x200"}}, []series{
		{"earshot_backup_interval_seconds": "3600x200", "earshot_backup_last_success_timestamp_seconds": "0+60x200"},
		{"earshot_backup_interval_seconds": "0x200", "earshot_backup_last_success_timestamp_seconds": "0x200"}}},
	"EarshotNATSAway": {9, 12, []series{{"earshot_nats_connected": "0x20"}}, []series{
		{"earshot_nats_connected": "1x20"}, {"earshot_nats_connected": strings.Repeat("NaN ", 20)},
		{"earshot_nats_connected": "0x5 1 0x5"}}},
}

// TestAlertsFire has Prometheus's own tool evaluate the printed rules.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	dir := t.TempDir()
	rules := printed(t, "alerts", example())
	write(t, filepath.Join(dir, "earshot-alerts.yml"), rules)
	var tests []any
	for alert, c := range firing {
		if !strings.Contains(rules, "- alert: "+alert+"\n") {
			t.Errorf("there is no alert %s", alert)
		}
		for _, s := range c.what {
			tests = append(tests, evaluation(alert, s, map[int]bool{c.notYet: false, c.fires: true}))
		}
		for _, s := range c.not {
			tests = append(tests, evaluation(alert, s, map[int]bool{c.fires: false}))
		}
	}
	if n := strings.Count(rules, "- alert: "); n != len(firing) {
		t.Errorf("there are %d alerts, and %d are tried", n, len(firing))
	}
	text, err := json.Marshal(map[string]any{"rule_files": []string{"earshot-alerts.yml"}, "evaluation_interval": "1m", "tests": tests})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tests.yml") // YAML, of which JSON is a part
	write(t, path, string(text))
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// evaluation is one of promtool's unit tests: which minutes see the alert fire.
func evaluation(alert string, s series, at map[int]bool) any {
	const instance = `instance="a"`
	var input, questions []any
	for name, values := range s {
		if labelled, ok := strings.CutSuffix(name, "}"); ok {
			name = labelled + "," + instance + "}"
		} else {
			name += "{" + instance + "}"
		}
		input = append(input, map[string]string{"series": name, "values": values})
	}
	for minute, fires := range at {
		samples := []any{}
		if fires {
			samples = append(samples, map[string]any{"labels": "{}", "value": 1})
		}
		questions = append(questions, map[string]any{
			"expr":      "count(ALERTS{alertstate=\"firing\",alertname=" + strconv.Quote(alert) + "})",
			"eval_time": fmt.Sprint(minute, "m"), "exp_samples": samples,
		})
	}
	return map[string]any{"interval": "1m", "input_series": input, "promql_expr_test": questions, "name": fmt.Sprint(alert, " of ", s)}
}
