package plain_test

import (
	"testing"

	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/providers/plain"
)

func TestPlainCanDoNothing(t *testing.T) {
	f, err := plain.Open(t.Context(), providers.Config{URL: "ssh://git@git.example.org/team/shop.git"})
	if err != nil || f != (providers.Forge{}) {
		t.Errorf("Open = %+v, %v; want a forge without roles", f, err)
	}
}
