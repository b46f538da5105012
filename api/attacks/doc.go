// Package attacks holds what an attacker would try, a line each, against a running
// server: what is done, and what must come of it. It has tests alone.
//
// The lines are grouped by where they aim: HTTP, content, handshake, events,
// sign-in, tenancy, files, exhaustion. What takes more than a line to show (replay
// without a gap, floods, revocation under load) has tests of its own elsewhere.
package attacks
