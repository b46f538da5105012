package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"
)

// starting measures starts.
type starting struct {
	Starts int `default:"11" help:"How often the server is started."`
}

// defaultStarts is the flag's default, for who measures everything.
const defaultStarts = 11

// atRest is how long a server is left alone before its memory is read.
const atRest = time.Second

// Run measures the time from a server's start on a folder that has data to its
// first word that it takes work, and its memory a second later.
func (s starting) Run(t *test) error {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	first, err := t.launch(launch{data: folder})
	if err != nil {
		return err
	}
	if err := first.stop(); err != nil {
		return err
	}
	var times []time.Duration
	var memory []int64
	for range s.Starts {
		took, rss, err := s.once(t, folder)
		if err != nil {
			return err
		}
		times, memory = append(times, took), append(memory, rss)
	}
	slices.Sort(times)
	slices.Sort(memory)
	last := len(times) - 1
	const mib = 1 << 20
	t.printf("Start to ready: median %.1f ms (%.1f to %.1f); server memory then: median %.1f MiB (%.1f to %.1f)\n\n",
		ms(times[last/2]), ms(times[0]), ms(times[last]),
		float64(memory[last/2])/mib, float64(memory[0])/mib, float64(memory[last])/mib)
	return nil
}

func (s starting) once(t *test, folder string) (took time.Duration, rss int64, err error) {
	p, err := t.spawn(launch{data: folder})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.awaitReady(); err != nil {
		return 0, 0, err
	}
	response, err := http.Get("http://" + p.Addr + "/readyz")
	if err != nil {
		return 0, 0, err
	}
	took = time.Since(p.started)
	if err := response.Body.Close(); err != nil {
		return 0, 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("a server that listens is not ready: %s", response.Status)
	}
	time.Sleep(atRest)
	used, err := p.usage()
	return took, used.rss, err
}
