package gitea

import (
	"context"

	"github.com/assay-dev/assay/providers"
)

// OpenPaged is Open with pages of another size, as a real Gitea takes seconds for a pull request.
func OpenPaged(pageSize int) providers.Open {
	return func(_ context.Context, config providers.Config) (providers.Forge, error) {
		return open(config, pageSize)
	}
}
