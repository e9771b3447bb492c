package webhook

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

const (
	// fieldOwner is the field manager of the annotation.
	fieldOwner = "assay-webhook"
	// Every is how often a repository is poked at most. What comes in between is one poke at
	// the end of that time.
	Every = 5 * time.Second
	// tries is how often an annotation is tried before the next poll is left to find it.
	tries = 3
)

// Poker asks for the reconcile of TestRepositories. It is a runnable of the manager, in every
// replica: the one that has the lease sees the annotation.
type Poker struct {
	client client.Writer
	queue  workqueue.TypedDelayingInterface[types.NamespacedName]

	mu     sync.Mutex
	last   *lru.Cache // time of the last poke, by repository
	failed map[types.NamespacedName]int
}

// NewPoker gives one that writes with the client.
func NewPoker(c client.Writer) *Poker {
	return &Poker{
		client: c, last: lru.New(4096), failed: map[types.NamespacedName]int{},
		queue: workqueue.NewTypedDelayingQueue[types.NamespacedName](),
	}
}

// Poke asks for one soon, and returns at once.
func (p *Poker) Poke(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var wait time.Duration
	if last, ok := p.last.Get(key); ok {
		wait = time.Until(last.(time.Time).Add(Every))
	}
	p.queue.AddAfter(key, wait)
}

// NeedLeaderElection says that every replica pokes.
func (*Poker) NeedLeaderElection() bool { return false }

// Start works until the context ends.
func (p *Poker) Start(ctx context.Context) error {
	stop := context.AfterFunc(ctx, p.queue.ShutDown)
	defer stop()
	for {
		key, shutdown := p.queue.Get()
		if shutdown {
			return nil
		}
		p.work(ctx, key)
		p.queue.Done(key)
	}
}

func (p *Poker) work(ctx context.Context, key types.NamespacedName) {
	now := time.Now()
	err := p.annotate(ctx, key, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last.Add(key, now)
	if client.IgnoreNotFound(err) == nil || ctx.Err() != nil {
		delete(p.failed, key)
		return
	}
	if p.failed[key]++; p.failed[key] < tries {
		p.queue.AddAfter(key, Every)
		return
	}
	delete(p.failed, key)
	ctrl.LoggerFrom(ctx).Error(err, "poking", "repository", key)
}

// annotate writes nothing but the one annotation.
func (p *Poker) annotate(ctx context.Context, key types.NamespacedName, now time.Time) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		v1alpha1.ReconcileRequestAnnotation: v1alpha1.WebhookRequestPrefix + now.UTC().Format(time.RFC3339Nano),
	}}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	repo := &v1alpha1.TestRepository{}
	repo.Namespace, repo.Name = key.Namespace, key.Name
	return p.client.Patch(ctx, repo, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldOwner))
}
