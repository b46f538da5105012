package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"earshot/models"
)

// scryptWork is the logarithm of scrypt's cost N, with r=8 and p=1: 128 MiB and some
// tenths of a second a try, the strongest that OWASP's password storage cheat sheet
// names. The format's own default takes twice the memory, beside a server that needs a
// tenth of it.
const scryptWork = 17

// sealWork is scryptWork, but in tests that are not about it.
var sealWork = scryptWork //nolint:gochecknoglobals // lowered by tests alone

// maxSealed bounds what is read of a sealed secret.
const maxSealed = 64 << 10

// sealed is what is under the passphrase. The manifest's hash is in it, so that who
// does not have the passphrase cannot change the backup unnoticed.
type sealed struct {
	Secret         string `json:"secret"`
	ManifestSHA256 string `json:"manifest_sha256"`
}

func sha256Hex(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// secretCheck tells a secret from others and says nothing else of it.
func secretCheck(secret []byte) (string, error) {
	key, err := models.DeriveKey(secret, "earshot backup")
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(key[:8]), nil
}

func seal(passphrase string, secret, manifest []byte) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("seal the secret: %w", err)
	}
	recipient.SetWorkFactor(sealWork)
	content, err := json.Marshal(sealed{string(secret), sha256Hex(manifest)}) //nolint:gosec // it is sealed below
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("seal the secret: %w", err)
	}
	return out.Bytes(), nil
}

var errPassphrase = errors.New("the passphrase is not the one that this backup was made with")

// unseal gives the secret back, if the manifest is the one that it was sealed with.
func unseal(passphrase string, content, manifest []byte) ([]byte, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, errPassphrase
	}
	identity.SetMaxWorkFactor(scryptWork) // who changed it must not choose our work
	r, err := age.Decrypt(bytes.NewReader(content), identity)
	if err != nil {
		if errors.As(err, new(*age.NoIdentityMatchError)) {
			return nil, errPassphrase
		}
		return nil, fmt.Errorf("its sealed secret cannot be read: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxSealed))
	if err != nil {
		return nil, errors.New("its sealed secret was changed")
	}
	var in sealed
	if err := json.Unmarshal(raw, &in); err != nil || in.Secret == "" {
		return nil, errors.New("its sealed secret cannot be read")
	}
	if in.ManifestSHA256 != sha256Hex(manifest) {
		return nil, errors.New("it was changed by somebody who does not have the passphrase")
	}
	return []byte(in.Secret), nil
}
