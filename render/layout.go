package render

import (
	"path"
	"strings"
)

// What kustomize gets is laid out in folders of our own, not in those of the repository. Files
// of suites are below repository, and patches below patches, as they were understood; files of
// generators below data, as they are, for a file may be all of these; and every kustomization has a folder of its
// own, none inside another. So an overlay may include the folder that it lies in, as in
// tests/overlays/staging and tests, which kustomize would take for a circle.
const (
	repositoryFolder    = "repository"
	patchFolder         = "patches"
	dataFolder          = "data"
	kustomizationFolder = "kustomizations"
	// configurationFile has what kustomize needs to know of TestSuites.
	configurationFile = "assay/testsuites.json"
)

// sourceAnnotation is on every suite while kustomize has it: the file that defines it. (The
// annotations of kustomize for that purpose cost a third more time, since it then notes every
// transformation, too.)
const sourceAnnotation = "assay.dev/source"

// flat gives the path of a folder as one name.
func flat(dir string) string {
	if dir == "." {
		return "%2E"
	}
	return strings.NewReplacer("%", "%25", "/", "%2F", "..", "%2E%2E").Replace(dir)
}

// unflat is the way back.
func unflat(text string) string {
	return strings.NewReplacer("%2F", "/", "%2E", ".", "%25", "%").Replace(text)
}

// toKustomization is the reference from one kustomization to that of a folder.
func toKustomization(dir string) string { return "../" + flat(dir) }

// toFile is the reference from a kustomization to a file below one of the folders.
func toFile(folder, file string) string { return "../../" + path.Join(folder, file) }

// inRepository gives a text of kustomize with the paths of the repository.
func inRepository(text string) string {
	for _, folder := range []string{repositoryFolder, patchFolder, dataFolder} {
		text = strings.NewReplacer("../../"+folder+"/", "", "/"+folder+"/", "").Replace(text)
	}
	for _, prefix := range []string{"../" + kustomizationFolder + "/", "/" + kustomizationFolder + "/"} {
		text = strings.ReplaceAll(text, prefix, "")
	}
	return unflat(text)
}
