package testrun

import "testing/fstest"

// tree holds suites by name: unit is hermetic, and slow asks for more time than any
// environment allows unless it says so.
func tree(suites ...string) fstest.MapFS {
	files := fstest.MapFS{"tests/overlays/staging/kustomization.yaml": {Data: []byte("resources: [../..]\n")}}
	resources := "resources:\n"
	for _, name := range suites {
		resources += "- " + name + ".yaml\n"
		spec := "{image: image, command: [run]}"
		switch name {
		case "unit":
			spec = "{image: image, command: [run], hermetic: true, content: {paths: [tests/unit]}, on: {pullRequest: {}, push: {}}}"
		case "slow":
			spec = "{image: image, command: [run], timeout: 24h}"
		}
		files["tests/"+name+".yaml"] = &fstest.MapFile{Data: []byte("apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: " + name + "}\nspec: " + spec + "\n")}
		files["tests/"+name+"/test.sh"] = &fstest.MapFile{Data: []byte("true\n")}
	}
	files["tests/kustomization.yaml"] = &fstest.MapFile{Data: []byte(resources)}
	return files
}

// with adds or replaces a file.
func with(files fstest.MapFS, name, data string) fstest.MapFS {
	files[name] = &fstest.MapFile{Data: []byte(data)}
	return files
}
