package main

import "fmt"

// idle measures idle sockets.
type idle struct{ options }

// Run measures what an idle visitor's socket costs the server.
func (i idle) Run(t *test) (err error) {
	p, err := t.start(i.Profile)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := p.stop(); err == nil {
			err = stopErr
		}
	}()
	a := &audience{}
	defer a.close()
	before, err := p.settled()
	if err != nil {
		return err
	}
	const smallBuffer = 512
	for i := range i.Sockets {
		socket, err := dialSocket(p.Addr, "/w/"+p.Key+"/socket", "", smallBuffer)
		if err != nil {
			return fmt.Errorf("socket %d: %w", i, err)
		}
		a.sockets = append(a.sockets, socket)
	}
	after, err := p.settled()
	if err != nil {
		return err
	}
	t.printf("Idle sockets: %d, server memory %.1f MiB before, %.1f MiB after: %.1f KiB a socket\n", len(a.sockets),
		float64(before.rss)/(1<<20), float64(after.rss)/(1<<20), float64(after.rss-before.rss)/1024/float64(len(a.sockets)))
	return nil
}
