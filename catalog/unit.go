package catalog

// Unit is what has attempts of its own. Today that is a suite; whatever divides a suite, such
// as cells of a matrix or shards, becomes a field here, and nothing else that tells attempts
// apart has to change. Units are comparable.
type Unit struct {
	// Suite is its name.
	Suite string
}

// String names the unit for people and for names of objects.
func (u Unit) String() string { return u.Suite }

// Units gives the units of a suite, at least one.
func Units(suite Suite) []Unit { return []Unit{{Suite: suite.Name}} }
