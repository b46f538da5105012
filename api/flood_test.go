package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/challenge"
)

const (
	botSubmissions = 1330
	botAddresses   = 516
	humans         = 50
	floodWorkers   = 16
)

// sender is one who sends during the flood. People answer challenges, as the widget
// does; bots do not.
type sender struct {
	kind    string // "" for people
	address string
	body    map[string]any
}

// flood is what came of one.
type flood struct {
	mu        sync.Mutex
	outcomes  map[string]map[string]int // by kind: inbox, quarantined, refused
	latencies []time.Duration           // of people, with the work
	asked     int                       // people who were challenged
	summary   api.QuarantineSummary
}

func (f *flood) of(outcome string, bots bool) (n int) {
	for kind, outcomes := range f.outcomes {
		if (kind != "") == bots {
			n += outcomes[outcome]
		}
	}
	return n
}

// words makes a text that nobody else has.
func words(random *rand.Rand, n int) string {
	syllables := strings.Fields("ba ce di fo gu ha ke li mo nu pa re si to vu wa ye zi an el in or us")
	var text []string
	for range n {
		text = append(text, syllables[random.IntN(23)]+syllables[random.IntN(23)]+syllables[random.IntN(23)])
	}
	return strings.Join(text, " ")
}

// bots are of seven kinds. Those that write like people, each another text, are the
// ones that nothing but their number gives away.
func bots(random *rand.Rand) []sender {
	kinds := []struct {
		name string
		make func(body map[string]any)
	}{
		{"fills in every field", func(b map[string]any) { b["website"] = "https://spam.example" }},
		{"fills in every field and works", func(b map[string]any) { b["website"], b["proof"] = "https://spam.example", "" }},
		{"fast", func(b map[string]any) { b["elapsed_ms"] = random.IntN(900) }},
		{"links", func(b map[string]any) {
			b["message"] = fmt.Sprintf("%s [url=https://%s.example/]%s[/url] https://spam.example/%d", words(random, 4), words(random, 1), words(random, 2), random.IntN(1000))
		}},
		{"same text", func(b map[string]any) {
			b["message"] = fmt.Sprintf("Your site could have a thousand more visitors a day, ask for offer %d!", random.IntN(1000))
		}},
		{"plain", func(map[string]any) {}},
		{"plain, ignores challenges", func(b map[string]any) { b["proof"] = "" }},
	}
	all := make([]sender, botSubmissions)
	for i := range all {
		kind := kinds[i%len(kinds)]
		body := map[string]any{"id": models.NewID(), "page_url": "https://shop.example/", "message": words(random, 8)}
		kind.make(body)
		address := netip.AddrFrom4([4]byte{198, 51, byte(i % botAddresses >> 8), byte(i % botAddresses)})
		all[i] = sender{kind.name, address.String(), body}
	}
	return all
}

// people write on different pages, some from addresses that bots have as well.
func people(random *rand.Rand) []sender {
	all := make([]sender, humans)
	for i := range all {
		address := netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
		if i%5 == 0 {
			address = netip.AddrFrom4([4]byte{198, 51, 0, byte(i)})
		}
		all[i] = sender{"", address.String(), map[string]any{
			"id": models.NewID(), "page_url": fmt.Sprint("https://shop.example/", i), "message": "I would like to say: " + words(random, 6),
			"website": "", "proof": "", "elapsed_ms": 8000 + random.IntN(60_000), "resume_token": models.NewToken(),
		}}
	}
	return all
}

// runFlood sends all of it at once, in an order that is the same each time.
func runFlood(t *testing.T, options ...apitest.Option) *flood {
	t.Helper()
	s := apitest.Start(t, append(options, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })...)
	owner, project := s.Project(t, "https://shop.example")
	random := rand.New(rand.NewPCG(1, 2))
	senders := append(bots(random), people(random)...)
	random.Shuffle(len(senders), func(i, j int) { senders[i], senders[j] = senders[j], senders[i] })
	f := &flood{outcomes: map[string]map[string]int{}}
	status := make([]int, len(senders))
	work := make(chan int, len(senders))
	for i := range senders {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	for range floodWorkers {
		wg.Go(func() {
			for i := range work {
				var err error
				if status[i], err = f.send(s, project, senders[i]); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	wg.Wait()
	f.count(t, s, senders, status)
	owner.Get("/api/v1/projects/"+string(project.ID)+"/quarantine/summary", 200).JSON(&f.summary)
	return f
}

func (f *flood) send(s *apitest.Server, project api.Project, from sender) (int, error) {
	began := time.Now()
	status, err := postAs(s, project, from, from.body)
	if err != nil || from.kind != "" {
		return status, err
	}
	asked := status == http.StatusForbidden
	if asked {
		given := api.Challenge{}
		if err := callAs(s, http.MethodGet, "/w/"+project.Key+"/challenge", from.address, nil, &given); err != nil {
			return 0, err
		}
		from.body["proof"] = challenge.Solve(given.Challenge, given.Difficulty)
		status, err = postAs(s, project, from, from.body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latencies = append(f.latencies, time.Since(began))
	if asked {
		f.asked++
	}
	return status, err
}

func postAs(s *apitest.Server, project api.Project, from sender, body any) (int, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	status := 0
	err = callAs(s, http.MethodPost, "/w/"+project.Key+"/feedback", from.address, raw, &status)
	return status, err
}

// callAs makes a call by way of the proxy. The answer is decoded, or its status told.
func callAs(s *apitest.Server, method, path, address string, body []byte, into any) error {
	request, err := http.NewRequest(method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", address)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if status, ok := into.(*int); ok {
		*status = answer.StatusCode
		return err
	}
	return json.Unmarshal(raw, into)
}

// count looks up what became of each.
func (f *flood) count(t *testing.T, s *apitest.Server, senders []sender, status []int) {
	t.Helper()
	owner := s.Owner(t)
	for i, from := range senders {
		outcome := "refused"
		if status[i] == http.StatusCreated {
			var item api.Feedback
			owner.Get("/api/v1/feedback/"+string(from.body["id"].(models.ID)), 200).JSON(&item)
			if outcome = "inbox"; item.Quarantined {
				outcome = "quarantined"
			}
		}
		if f.outcomes[from.kind] == nil {
			f.outcomes[from.kind] = map[string]int{}
		}
		f.outcomes[from.kind][outcome]++
	}
}

// A flood hides nobody's feedback: who is a person gets through, and of the bots
// hardly any does.
func TestFlood(t *testing.T) {
	f := runFlood(t)
	slices.Sort(f.latencies)
	t.Logf("people: %v, %d of %d were asked for a proof; p50 %v, p99 %v", f.outcomes[""], f.asked, humans,
		f.latencies[humans/2], f.latencies[humans*99/100])
	for kind, outcomes := range f.outcomes {
		if kind != "" {
			t.Logf("bots, %s: %v", kind, outcomes)
		}
	}
	for _, reason := range f.summary.Day.Reasons {
		t.Logf("%4d × %s", reason.Count, reason.Reason)
	}
	if n := f.of("inbox", false); n != humans {
		t.Errorf("%d of %d people got through: %v", n, humans, f.outcomes[""])
	}
	kept := f.of("quarantined", true) + f.of("refused", true)
	t.Logf("%d of %d bots were kept out (%.1f %%)", kept, botSubmissions, 100*float64(kept)/botSubmissions)
	if 100*kept < 95*botSubmissions {
		t.Errorf("%d of %d bots were kept out, want 95 %%", kept, botSubmissions)
	}
	if f.asked < humans/2 {
		t.Errorf("%d people were asked for a proof: it was no flood", f.asked)
	}
	if f.summary.Day.Total != int64(f.of("quarantined", true)) || len(f.summary.Day.Reasons) < 5 {
		t.Errorf("the summary is %+v, %d are held back", f.summary.Day, f.of("quarantined", true))
	}
	if f.latencies[humans*99/100] > 20*time.Second {
		t.Errorf("people waited %v", f.latencies[humans*99/100])
	}
}

// The control: without suspicion the same flood gets in until the project is over
// its limit, so the test above would find out that nothing is suspected.
func TestFloodWithoutSuspicion(t *testing.T) {
	f := runFlood(t, func(c *api.Config) { c.Credulous = true })
	kept := f.of("quarantined", true) + f.of("refused", true)
	t.Logf("%d of %d bots were kept out (%.1f %%)", kept, botSubmissions, 100*float64(kept)/botSubmissions)
	if 100*kept >= 95*botSubmissions {
		t.Errorf("%d of %d bots are kept out although nothing is suspected", kept, botSubmissions)
	}
}
