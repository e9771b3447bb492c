package render

import (
	"maps"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
)

// Standing is how the object of a suite stands to what Git says.
type Standing string

// The standings.
const (
	// Alike: nothing is to be done.
	Alike Standing = "Alike"
	// Missing: Git has a suite that was never written, or that changed since.
	Missing Standing = "Missing"
	// Outdated: Git changed the suite since the object was written.
	Outdated Standing = "Outdated"
	// Edited: somebody changed the object, not Git.
	Edited Standing = "Edited"
	// Deleted: somebody deleted the object, not Git.
	Deleted Standing = "Deleted"
)

// Drifted says whether somebody else than Git made the difference.
func (s Standing) Drifted() bool { return s == Edited || s == Deleted }

// Writes says whether the policy has the object written.
func (s Standing) Writes(policy v1alpha1.CatalogPolicy) bool {
	return s == Missing || s == Outdated || s.Drifted() && policy == v1alpha1.CatalogMend
}

// Kept is a suite of Git and the object that shows it in a cluster.
type Kept struct {
	// Suite as Git has it, rendered.
	Suite catalog.Suite
	// Marks are labels that the object has beside the suite's own, and instead of them where
	// both have the same key.
	Marks map[string]string
	// Object is nil when there is none. Labels that neither Suite nor Marks have are somebody
	// else's, and not looked at.
	Object *v1alpha1.TestSuite
	// Branch is the branch that the object is to name in its annotation.
	Branch string
	// Owned says whether the object belongs to the repository, so that it goes with it.
	Owned bool
	// Before is the digest that the suite had when the whole catalog was last written; empty
	// when the suite was not part of it, or no catalog was written yet.
	Before string
}

// Standing says how the object stands to Git. What the object was made of is in its
// annotations; somebody who changes these makes it Outdated.
func (k Kept) Standing() Standing {
	switch {
	case k.Object == nil && k.Before != "" && k.Before == k.Suite.Digest:
		return Deleted
	case k.Object == nil:
		return Missing
	case !k.madeOf():
		return Outdated
	case !k.Owned || !k.Marked() || k.Actual() != k.Suite.Digest:
		return Edited
	}
	return Alike
}

func (k Kept) madeOf() bool {
	said := k.Object.Annotations
	return said[v1alpha1.DigestAnnotation] == k.Suite.Digest && said[v1alpha1.FileAnnotation] == k.Suite.File &&
		said[v1alpha1.BranchAnnotation] == k.Branch
}

// Actual is the digest of the object in the way of the suite's; empty without an object.
func (k Kept) Actual() string {
	if k.Object == nil {
		return ""
	}
	seen := v1alpha1.TestSuite{Spec: k.Object.Spec}
	seen.Name, seen.Labels = k.Suite.Name, map[string]string{}
	for key, value := range k.Suite.Labels {
		if _, covered := k.Marks[key]; covered {
			seen.Labels[key] = value // the mark is looked at instead
		} else if value, has := k.Object.Labels[key]; has {
			seen.Labels[key] = value
		}
	}
	digest, err := catalog.Digest(&seen)
	if err != nil {
		return "" // such an object differs from any suite
	}
	return digest
}

// Marked says whether the object has its marks.
func (k Kept) Marked() bool {
	for key, value := range k.Marks {
		if k.Object.Labels[key] != value {
			return false
		}
	}
	return true
}

// Drift says which fields of the object differ, before as the object has them and after as Git
// does; all fields for an object that is not there.
func (k Kept) Drift() v1alpha1.SuiteDifference {
	wanted := map[string]string{}
	maps.Copy(wanted, k.Suite.Labels)
	maps.Copy(wanted, k.Marks)
	after := catalog.Suite{TestSuite: v1alpha1.TestSuite{Spec: k.Suite.Spec}}
	after.Name, after.Labels = k.Suite.Name, wanted
	before := catalog.Suite{}
	before.Name = k.Suite.Name
	if k.Object != nil {
		before.Spec, before.Labels = k.Object.Spec, map[string]string{}
		for key := range wanted {
			if value, has := k.Object.Labels[key]; has {
				before.Labels[key] = value
			}
		}
	}
	d := v1alpha1.SuiteDifference{Suite: k.Suite.Name}
	if changed := Diff(one(&before), one(&after)).Changed; len(changed) > 0 {
		d = changed[0]
	}
	if k.Object != nil && !k.Owned {
		d.Fields = append(d.Fields, v1alpha1.FieldDifference{Path: "metadata.ownerReferences"})
	}
	return d
}
