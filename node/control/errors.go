package control

import "github.com/adauldev/octaskly/queue/task"

// ErrorKind is how a refusal of one kind leaves the program.
type ErrorKind struct {
	Kind task.Kind
	HTTP int // status of a REST answer
	Exit int // code of a verb that does not end with a task's own code
}

// What a kind that stands in no row means: our fault.
const (
	httpInternal = 500
	exitFailed   = 1
)

// errorKinds has one row for each kind of task.Error.
var errorKinds = []ErrorKind{
	{task.KindUsage, 400, 2},
	{task.KindTooLarge, 413, 2},
	{task.KindNotFound, 404, 3},
	{task.KindNotAllowed, 403, 4},
	{task.KindNoDispatcher, 503, 5},
	{task.KindConflict, 409, 6},
	{task.KindTimeout, 504, 7},
	{task.KindFull, 429, exitFailed},
	{task.KindDisk, 507, exitFailed},
	{task.KindUnavailable, 503, exitFailed},
	{task.KindCorrupt, httpInternal, exitFailed},
	{task.KindInternal, httpInternal, 70},
}

// ErrorKinds lists the rows. They belong to this package.
func ErrorKinds() []ErrorKind { return errorKinds }

// ErrorKindOf is the row of a kind. A kind that this version does not know, from
// a later one, counts as a failure of the node.
func ErrorKindOf(k task.Kind) ErrorKind {
	for _, row := range errorKinds {
		if row.Kind == k {
			return row
		}
	}
	return ErrorKind{Kind: k, HTTP: httpInternal, Exit: exitFailed}
}

// NoDispatcher says that nobody was found who dispatches.
func NoDispatcher() error {
	return task.Errorf(task.KindNoDispatcher, "no dispatcher found").
		WithHint("is one running?   octaskly status\nstart one here:   octaskly dispatcher\nknow its address? octaskly --dispatcher HOST run …")
}
