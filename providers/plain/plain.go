// Package plain is the forge that is none: a Git host without an API, or with one that
// Assay is not to use. Every role is nil, so pull requests are not seen and nothing is said.
package plain

import (
	"context"

	"github.com/assay-dev/assay/providers"
)

// Open is a providers.Open. It never fails and looks at nothing.
func Open(context.Context, providers.Config) (providers.Forge, error) {
	return providers.Forge{}, nil
}
