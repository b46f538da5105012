package operator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
)

// readable is an error where the account that runs this may not look into the data
// folder: what is in it seems not to be there then.
func (d Data) readable() error {
	if _, err := os.Stat(filepath.Join(d.Dir, databaseFile)); errors.Is(err, fs.ErrPermission) {
		return d.mayNotRead()
	}
	return nil
}

const asItsAccount = "run this as the account that runs Earshot (sudo -u earshot earshot …)"

func (d Data) mayNotRead() error {
	who := fmt.Sprintf("the account with the number %d", os.Geteuid())
	if account, err := user.Current(); err == nil {
		who = "the account " + account.Username
	}
	return fmt.Errorf("%s may not read the data folder %s", who, d.Dir)
}
