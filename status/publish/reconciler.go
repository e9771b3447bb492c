package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/runner/proof"
	"github.com/assay-dev/assay/runner/runs"
	"github.com/assay-dev/assay/status"
)

// Forges opens the forge of a TestRepository with the credential its spec names. It makes no
// request to the forge and is called often and at the same time: implementations remember
// what they opened. Faults: SecretInvalid, InvalidSpec, and what a providers.Open returns.
type Forges interface {
	Forge(ctx context.Context, repository *v1alpha1.TestRepository) (providers.Forge, error)
}

const (
	// whenBusy is when to look again at a repository that another worker is at.
	whenBusy = 500 * time.Millisecond
	// whenRefused is when to try again what only somebody can mend, such as a token. Until
	// then the repository costs the forge nothing.
	whenRefused = 5 * time.Minute
)

// Reconciler publishes subjects. It is a reconcile.TypedReconciler[Subject].
type Reconciler struct {
	// Client reads TestRepositories and TestRuns, and patches the status of TestRuns. It may
	// be cached. Required.
	Client client.Client
	// Forges opens forges. Required.
	Forges Forges
	// Key knows the runs that the controller made: no others speak. Required.
	Key *proof.Key
	// Events tells of faults at the TestRepository. Required.
	Events events.EventRecorder
	// RunsURL as in status.ComposeInput; may be empty.
	RunsURL string
	// Controller as in status.ComposeInput; may be empty.
	Controller string
	// Now is the clock of the pace of writes. Required.
	Now func() time.Time

	pace    pace
	writers writers
}

// +kubebuilder:rbac:groups=assay.dev,resources=testruns;testrepositories,verbs=get;list;watch
// +kubebuilder:rbac:groups=assay.dev,resources=testruns/status,verbs=get;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile makes the forge say of the subject what its runs say.
func (r *Reconciler) Reconcile(ctx context.Context, subject Subject) (ctrl.Result, error) {
	key := subject.Namespace + "/" + subject.Repository
	writes, leave, ok := r.pace.enter(key)
	if !ok {
		return ctrl.Result{RequeueAfter: whenBusy}, nil
	}
	gone := false
	defer func() {
		leave()
		if gone {
			r.pace.forget(key)
		}
	}()

	repository := &v1alpha1.TestRepository{}
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: subject.Namespace, Name: subject.Repository}, repository)
	if client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("get TestRepository %q: %w", key, err)
	}
	if err != nil || repository.DeletionTimestamp != nil {
		gone = true
		return ctrl.Result{}, nil
	}
	runs, err := r.gather(ctx, subject)
	if err != nil || len(runs.own) == 0 {
		return ctrl.Result{}, err
	}
	if taken(repository) {
		return ctrl.Result{RequeueAfter: whenRefused}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, repository.GetTimeout())
	defer cancel()
	forge, err := r.Forges.Forge(ctx, repository)
	if err != nil {
		return r.failed(ctx, repository, subject, err)
	}
	if forge.Statuses == nil && forge.Comments == nil {
		return ctrl.Result{}, nil
	}
	statement := r.compose(repository, subject, runs, forge.Limits)
	sum, err := digest(repository, statement)
	unread := statement.Comment != "" && (runs.claimed(subject) || r.writers.other(subject))
	if err != nil || !runs.lack(sum) && !unread {
		return ctrl.Result{}, err
	}
	if statement.Comment != "" { // before it is written, so that whoever looks meanwhile reads it
		r.writers.note(subject)
	}
	err = agree(ctx, forge, subject, statement, func() error { return take(writes, r.Now()) })
	if err != nil && fault.ReasonOf(err) != fault.RefNotFound {
		return r.failed(ctx, repository, subject, err)
	}
	if err != nil { // The commit or pull request is gone: nobody is left to tell.
		log.FromContext(ctx).Info("nothing to publish to any more", "fault", err.Error())
	}
	return ctrl.Result{}, r.remember(ctx, runs.own, sum)
}

// gathered is what is known of a subject.
type gathered struct {
	commit []v1alpha1.TestRun // of the commit
	all    []v1alpha1.TestRun // of the repository; read only
	own    []v1alpha1.TestRun // of the subject
}

func (r *Reconciler) gather(ctx context.Context, subject Subject) (gathered, error) {
	var g gathered
	var all v1alpha1.TestRunList
	if err := r.Client.List(ctx, &all, runs.OfRepository(subject.Namespace, subject.Repository)); err != nil {
		return g, fmt.Errorf("list TestRuns of %q: %w", subject.Repository, err)
	}
	for i := range all.Items {
		run := &all.Items[i]
		if !r.Key.IsRun(run) {
			continue
		}
		g.all = append(g.all, *run)
		if run.Spec.Commit == subject.Commit {
			g.commit = append(g.commit, *run.DeepCopy())
		}
	}
	for _, run := range g.commit {
		if SubjectOf(&run) == subject {
			g.own = append(g.own, run)
		}
	}
	return g, nil
}

// lack says whether a run of the subject does not remember the digest.
func (g gathered) lack(sum string) bool {
	for _, run := range g.own {
		if run.Status.Published != sum {
			return true
		}
	}
	return false
}

// claimed says whether the comment of the pull request may be that of another commit, whose
// runs remember it as theirs: then it has to be read, whatever is remembered here.
func (g gathered) claimed(subject Subject) bool {
	for i := range g.all {
		other := SubjectOf(&g.all[i])
		if other.PullRequest == subject.PullRequest && other != subject && claims(g.all[i].Status.Published) {
			return true
		}
	}
	return false
}

// taken says whether the repository was told that its contexts are another's: then nothing is
// said for it, and neither of what ran before it was told.
func taken(repository *v1alpha1.TestRepository) bool {
	ready := meta.FindStatusCondition(repository.Status.Conditions, v1alpha1.ReadyCondition)
	return ready != nil && ready.Status == metav1.ConditionFalse && ready.Reason == string(fault.ContextTaken)
}

// compose leaves the comment of a pull request to its head.
func (r *Reconciler) compose(repository *v1alpha1.TestRepository, subject Subject, runs gathered, limits providers.Limits) status.Statement {
	pullRequest := subject.PullRequest
	if pullRequest != 0 && head(repository, runs.all, pullRequest) != subject.Commit {
		pullRequest = 0
	}
	return status.Compose(status.ComposeInput{
		Repository: repository, Commit: subject.Commit, PullRequest: pullRequest, Runs: runs.commit, Limits: limits, RunsURL: r.RunsURL,
		Controller: r.Controller,
	})
}

// remember writes the digest to the runs. One that is gone needs no memory.
func (r *Reconciler) remember(ctx context.Context, runs []v1alpha1.TestRun, sum string) error {
	var errs []error
	for i := range runs {
		if runs[i].Status.Published == sum {
			continue
		}
		was := runs[i].DeepCopy()
		runs[i].Status.Published = sum
		if err := r.Client.Status().Patch(ctx, &runs[i], client.MergeFrom(was)); client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("patch status of TestRun %q: %w", was.Name, err))
		}
	}
	return errors.Join(errs...)
}

// failed decides when to try again: after the time that the forge or the pace names, after a
// while for what somebody has to mend, and with exponential back-off otherwise.
func (r *Reconciler) failed(ctx context.Context, repository *v1alpha1.TestRepository, subject Subject, err error) (ctrl.Result, error) {
	var fast tooFast
	if errors.As(err, &fast) {
		return ctrl.Result{RequeueAfter: fast.wait}, nil
	}
	err = fault.At(err, fault.Place{Repository: repository.Spec.URL, Commit: subject.Commit})
	if fault.Of(err) != fault.Internal {
		r.Events.Eventf(repository, nil, corev1.EventTypeWarning, string(fault.ReasonOf(err)), "Publish", "%s", fault.Summary(err))
	}
	after := fault.RetryAfter(err)
	if fault.Of(err) == fault.User {
		after = max(after, whenRefused)
	}
	if after == 0 {
		return ctrl.Result{}, err
	}
	log.FromContext(ctx).Info("publishing waits", "fault", fault.Summary(err), "after", after.String())
	return ctrl.Result{RequeueAfter: after}, nil
}
