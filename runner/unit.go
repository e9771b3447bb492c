package runner

import (
	"cmp"

	"github.com/assay-dev/assay/catalog"
)

// Unit is what has attempts of its own; see [catalog.Units].
type Unit = catalog.Unit

// AttemptID tells the attempts of a run apart. IDs are comparable.
type AttemptID struct {
	Unit
	// Number of the attempt, from 1.
	Number int32
}

// AttemptOf gives the ID of an attempt of a suite that is one unit.
func AttemptOf(suite string, number int32) AttemptID {
	return AttemptID{Unit{Suite: suite}, number}
}

// Compare orders by unit, then by number.
func (id AttemptID) Compare(other AttemptID) int {
	return cmp.Or(cmp.Compare(id.Suite, other.Suite), cmp.Compare(id.Number, other.Number))
}
