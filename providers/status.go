package providers

import "context"

// State is the state of a commit status.
type State string

// The states that every forge with statuses can express.
const (
	// Pending: the outcome is not known yet.
	Pending State = "pending"
	// Success lets a required check pass.
	Success State = "success"
	// Failure: something was tested and found wrong.
	Failure State = "failure"
	// Error: it could not be found out.
	Error State = "error"
	// Unknown is read from a forge that has a state which is none of the above. It is
	// never written.
	Unknown State = ""
)

// States lists the states that can be written.
func States() []State { return []State{Pending, Success, Failure, Error} }

// Status is what is said of a commit in one context.
type Status struct {
	// Context tells the statuses of a commit apart: one stands for each. Required.
	Context string
	// State of the context. Required.
	State State
	// Description is one line of plain text, within Limits.Description.
	Description string
	// TargetURL is a page with more; may be empty.
	TargetURL string
}

// Statuses reads and sets the statuses of commits.
type Statuses interface {
	// List gives the status that stands for each context of the commit, whoever set it,
	// sorted by context. A commit without any, and one that the forge does not know, has an
	// empty list. It reads only.
	List(ctx context.Context, commit string) ([]Status, error)
	// Set makes the status stand for its context. Setting it again with the same values
	// changes nothing that List shows, but may count against the forge's limits: callers
	// compare first. Sets of one context must not run at the same time, or it is open which
	// one stands. Faults beside the common ones: RefNotFound when the commit is gone,
	// InvalidSpec for a state that cannot be written or a description beyond the limit.
	Set(ctx context.Context, commit string, status Status) error
}
