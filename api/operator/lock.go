package operator

import (
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"
)

// Lock claims the folder for one server, or for a change of its schema: two
// servers would each take the other's events for missing. The lock ends with the
// process, however that ends.
func (d Data) Lock() (release func() error, err error) {
	lock := flock.New(d.Dir, flock.SetFlag(os.O_RDONLY)) // the folder itself: nothing is left behind
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("another process uses the data folder %s: stop it first", d.Dir)
	}
	return lock.Unlock, nil
}

// locked runs one command while nobody else uses the folder. One that is not there is
// used by nobody, and is not needed for a database that is elsewhere.
func (d Data) locked(command func() error) error {
	if _, err := os.Stat(d.Dir); d.Database != "" && errors.Is(err, os.ErrNotExist) {
		return command()
	}
	release, err := d.Lock()
	if err != nil {
		return err
	}
	return errors.Join(command(), release())
}
