package gateway

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errGone: there is no such object, or none of the UID any more.
var errGone = errors.New("it is gone")

// read gives the object of the name and the UID: the cache's, and the API server's where the cache has none or another.
// What the cache has of it may be a moment old. An object that is not there is errGone.
func read[T any, P interface {
	*T
	client.Object
}](ctx context.Context, g *gateway, key types.NamespacedName, uid types.UID) (P, error) {
	for _, reader := range []client.Reader{g.cache, g.client} {
		object := P(new(T))
		err := reader.Get(ctx, key, object)
		if err == nil && object.GetUID() == uid {
			return object, nil
		}
		if client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("reading %q: %w", key, err)
		}
	}
	return nil, errGone
}
