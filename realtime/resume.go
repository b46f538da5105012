package realtime

import (
	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// CannotResume says why a log cannot be read on from since, a seq of the epoch
// or of the present one where that is ""; it is "" if the log can. Sockets and
// long polls decide alike.
func CannotResume(head store.Head, epoch models.Epoch, since int64) protocol.ResumeReason {
	switch {
	case epoch != "" && epoch != head.Epoch:
		return protocol.ReasonEpochChanged
	case since > head.Last:
		return protocol.ReasonBeyondHead
	case since != 0 && since+1 < head.First:
		return protocol.ReasonTooOld
	}
	return ""
}

// CannotResumeVisitor is CannotResume for visitors, who know of no other numbers
// than their epoch's: one that was never given is of another.
func CannotResumeVisitor(head store.Head, epoch models.Epoch, since int64) protocol.ResumeReason {
	if reason := CannotResume(head, epoch, since); reason != protocol.ReasonBeyondHead {
		return reason
	}
	return protocol.ReasonEpochChanged
}

// RetryAfterMS is when one client of a server that leaves may come back, in
// milliseconds: each at a time of its own.
func RetryAfterMS() int64 { return randomRetry() }
