package queue

import "github.com/adauldev/octaskly/queue/state"

// What changes are made of and answered with, and what is read: the words of the
// state that a dispatcher needs.
type (
	Class   = state.Class
	ClassID = state.ClassID
	Item    = state.Item
	Lease   = state.Lease
	Started = state.Started
	Change  = state.Change
	Watcher = state.Watcher
	Gap     = state.Gap //nolint:errname // what is missing, which is also an error

	Submitted     = state.Submitted
	SubmitReply   = state.SubmitReply
	SubmitVerdict = state.SubmitVerdict
	Grant         = state.Grant
	GrantVerdict  = state.GrantVerdict
	Outcome       = state.Outcome
	RecordReply   = state.RecordReply
	RecordVerdict = state.RecordVerdict
	Release       = state.Release
	ReleaseReply  = state.ReleaseReply
	ReleaseReason = state.ReleaseReason
	CancelReply   = state.CancelReply
	CancelVerdict = state.CancelVerdict

	Member     = state.Member
	Revocation = state.Revocation
	Invite     = state.Invite
)

// The verdicts and reasons of package state.
const (
	Accepted    = state.Accepted
	Duplicate   = state.Duplicate
	KeyConflict = state.KeyConflict
	QueueFull   = state.QueueFull

	Granted     = state.Granted
	GrantNotNow = state.GrantNotNow
	GrantStale  = state.GrantStale

	Recorded        = state.Recorded
	AlreadyRecorded = state.AlreadyRecorded
	Fenced          = state.Fenced
	UnknownTask     = state.UnknownTask

	Declined     = state.Declined
	NeverStarted = state.NeverStarted
	LeaseLost    = state.LeaseLost
	Forgotten    = state.Forgotten

	CancelDone     = state.CancelDone
	CancelPending  = state.CancelPending
	CancelTooLate  = state.CancelTooLate
	CancelNotFound = state.CancelNotFound

	MaxCrashes = state.MaxCrashes
)
