package testsuite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
	"github.com/assay-dev/assay/runner"
)

// compared is an object that does not read as its suite was written. It may be as written
// nevertheless: an API server whose CRDs are of another version fills in or drops something.
type compared struct {
	uid            types.UID
	wanted, actual string
}

// keep makes the object of a suite as the policy wants it, and gives the object; nil when it
// is not there.
func (t *turn) keep(ctx context.Context, s *shown, suite *catalog.Suite) (*v1alpha1.TestSuite, error) {
	name := s.target.SuiteName(suite.Name)
	k := render.Kept{Suite: *suite, Marks: s.target.Marks(suite.Name), Branch: s.target.Branch, Object: t.objects[name], Owned: true}
	if k.Object == nil {
		k.Before = t.before(ctx, s, suite.Name)
	}
	standing := k.Standing()
	if standing.Drifted() {
		var err error
		if standing, err = t.confirm(ctx, &k, name); refused(err) {
			s.refused = append(s.refused, err)
			return k.Object, nil
		} else if err != nil {
			return nil, err
		}
	}
	drift := render.Kept{}
	if standing.Drifted() {
		drift = k
	}
	if standing.Writes(t.repo.CatalogPolicy()) {
		if !t.mayWrite() {
			return k.Object, nil
		}
		if err := t.write(ctx, s, &k); refused(err) {
			s.refused = append(s.refused, err)
			return k.Object, nil
		} else if err != nil {
			return nil, err
		}
	}
	if standing.Drifted() {
		t.tell(s, name, standing, drift)
	}
	return t.describe(ctx, s, k, standing)
}

// before gives the digest that a suite had in the catalog that was last written as a whole.
// Without one it is not known that somebody deleted the object, and it is written.
func (t *turn) before(ctx context.Context, s *shown, suite string) string {
	if s.before == nil {
		s.before = &catalog.Catalog{}
		switch s.entry.Commit {
		case "":
		case s.target.Commit:
			s.before = &s.catalog
		default:
			if c, err := t.Catalogs.At(ctx, t.repo, s.entry.Commit, s.target.Environment); err == nil {
				s.before = &c
			}
		}
	}
	known, _ := s.before.Suite(suite)
	return known.Digest
}

// confirm looks at the object itself, and asks the API server what it would make of the
// suite, before anybody is blamed.
func (t *turn) confirm(ctx context.Context, k *render.Kept, name string) (render.Standing, error) {
	if standing, known := t.known(k); known {
		return standing, nil
	}
	live := &v1alpha1.TestSuite{}
	err := t.Live.Get(ctx, types.NamespacedName{Namespace: t.repo.Namespace, Name: name}, live)
	switch {
	case apierrors.IsNotFound(err):
		k.Object, k.Before = nil, k.Suite.Digest
		return render.Deleted, nil
	case err != nil:
		return "", fmt.Errorf("reading the TestSuite %q: %w", name, err)
	}
	k.Object, k.Owned = live, metav1.IsControlledBy(live, t.repo)
	if standing := k.Standing(); standing != render.Edited {
		return standing, nil
	}
	if standing, known := t.known(k); known {
		return standing, nil
	}
	would := live.DeepCopy()
	would.Spec = *k.Suite.Spec.DeepCopy()
	if err := t.Patch(ctx, would, unlessChanged(live), client.DryRunAll, client.FieldOwner(fieldOwner)); err != nil {
		return "", fmt.Errorf("comparing the TestSuite %q: %w", name, err)
	}
	again := *k
	again.Object = would
	alike := again.Actual() == k.Actual()
	t.compared.Add(keyOf(k), alike)
	if alike && k.Owned && k.Marked() {
		return render.Alike, nil
	}
	return render.Edited, nil
}

// known says how an edited object stands if that was found out before. Where edits are mended
// only one that is as written counts: the cache may still have the edit that was mended.
func (t *turn) known(k *render.Kept) (render.Standing, bool) {
	if k.Object == nil {
		return "", false
	}
	alike, known := t.compared.Get(keyOf(k))
	switch {
	case !known:
		return "", false
	case alike.(bool) && k.Owned && k.Marked():
		return render.Alike, true
	}
	return render.Edited, t.repo.CatalogPolicy() == v1alpha1.CatalogReport
}

func keyOf(k *render.Kept) compared {
	return compared{k.Object.UID, k.Suite.Digest, k.Actual()}
}

// write applies the suite, and takes away what somebody else added to it.
func (t *turn) write(ctx context.Context, s *shown, k *render.Kept) error {
	object := runner.NewSuite(t.repo, s.target, k.Suite)
	if err := fits(object, &k.Suite); err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return fmt.Errorf("encoding the TestSuite %q: %w", object.Name, err)
	}
	delete(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	u := &unstructured.Unstructured{Object: content}
	if err := t.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(fieldOwner), client.ForceOwnership); err != nil {
		return fmt.Errorf("applying the TestSuite %q: %w", object.Name, err)
	}
	applied := &v1alpha1.TestSuite{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, applied); err != nil {
		return fmt.Errorf("decoding the TestSuite %q: %w", object.Name, err)
	}
	k.Object, k.Owned = applied, true
	if k.Standing() == render.Alike {
		return nil
	}
	bare := applied.DeepCopy()
	bare.Spec = object.Spec
	if err := t.Patch(ctx, bare, unlessChanged(applied), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("restoring the TestSuite %q: %w", object.Name, err)
	}
	k.Object = bare
	return nil
}

// fits refuses what would not fit into the API server's store, where each field takes its
// place a second time for its owner.
func fits(object *v1alpha1.TestSuite, suite *catalog.Suite) error {
	const most = 256 << 10
	data, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encoding the TestSuite %q: %w", object.Name, err)
	}
	if len(data) > most {
		return fault.New(fault.LimitExceeded, fault.Place{File: suite.File}, "keep data in files that the suite reads",
			"the suite %q is not shown in the cluster: it has %d bytes, more than %d", suite.Name, len(data), most)
	}
	return nil
}

// refused says whether an object was not taken for what it is, so that only Git can help.
func refused(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err)
}

func unlessChanged(from client.Object) client.Patch {
	return client.MergeFromWithOptions(from, client.MergeFromWithOptimisticLock{})
}

// describe writes the status of the object where it differs: where the suite last passed, and
// whether somebody edited it and nobody mended that.
func (t *turn) describe(ctx context.Context, s *shown, k render.Kept, standing render.Standing) (*v1alpha1.TestSuite, error) {
	if k.Object == nil {
		return nil, nil
	}
	object := k.Object.DeepCopy()
	status := &object.Status
	at := runner.Place{Environment: s.target.Environment, Branch: s.target.Branch, Suite: k.Suite.Name}
	meta.RemoveStatusCondition(&status.Conditions, v1alpha1.FromGitCondition) // it may have been made by hand before
	status.LastPassed = runner.LaterPass(status.LastPassed, t.passes[at], s.entry.Heads)
	if standing == render.Edited && t.repo.CatalogPolicy() == v1alpha1.CatalogReport {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: v1alpha1.DriftedCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.EditedReason,
			ObservedGeneration: object.Generation, Message: fields(k.Drift()),
		})
	} else {
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.DriftedCondition)
	}
	if status.LastPassed != nil || len(status.Conditions) > 0 {
		status.ObservedGeneration = object.Generation
	}
	if equality.Semantic.DeepEqual(k.Object.Status, *status) || !t.mayWrite() {
		return object, nil
	}
	if err := t.Status().Patch(ctx, object, client.MergeFrom(k.Object), client.FieldOwner(fieldOwner)); err != nil {
		return nil, fmt.Errorf("writing the status of the TestSuite %q: %w", object.Name, err)
	}
	return object, nil
}

// split gives what comes before the suite in the name of an object, and the suite.
func split(name string) (prefix, suite string) {
	i := strings.LastIndexByte(name, '.') + 1
	return name[:i], name[i:]
}
