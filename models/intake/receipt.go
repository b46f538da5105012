package intake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/google/uuid"

	"earshot/models"
)

// A receipt is the visitor's link to one item: the item's id and a signature
// over it, 16 bytes each, as base64url. It vouches for itself, so the store
// holds nothing that could be stolen from it, and making one costs no write.
const (
	receiptIDBytes  = 16
	receiptMACBytes = 16 // 128 bits: not to be found by trying
)

func (in *Intake) receiptMAC(id models.ID, version int) []byte {
	mac := hmac.New(sha256.New, in.secret)
	mac.Write([]byte("receipt\x00" + id))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(version))) //nolint:gosec // counts up from 1
	return mac.Sum(nil)[:receiptMACBytes]
}

// ReceiptURL is the address of an item's receipt.
func (in *Intake) ReceiptURL(id models.ID, version int) string {
	raw := uuid.MustParse(string(id))
	token := append(raw[:], in.receiptMAC(id, version)...)
	return in.baseURL + "/r/" + base64.RawURLEncoding.EncodeToString(token)
}

// ReceiptID reads which item a receipt is for. Whether it is genuine is to be
// asked of VerifyReceipt, with the item's present version.
func ReceiptID(token string) (models.ID, bool) {
	raw, ok := models.ReadBase64(token)
	if !ok || len(raw) != receiptIDBytes+receiptMACBytes {
		return "", false
	}
	id := models.ID(uuid.UUID(raw[:receiptIDBytes]).String())
	return id, id.Valid()
}

// VerifyReceipt reports whether the token is the receipt of an item at the
// version given.
func (in *Intake) VerifyReceipt(token string, id models.ID, version int) bool {
	raw, ok := models.ReadBase64(token)
	return ok && len(raw) == receiptIDBytes+receiptMACBytes && uuid.UUID(raw[:receiptIDBytes]).String() == string(id) &&
		hmac.Equal(raw[receiptIDBytes:], in.receiptMAC(id, version))
}
