package rbac

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// need is a line of our code that makes requests of a kind: what it looks like, in the files of a package.
type need struct{ pkg, code string }

// read is get, list and watch: what a cache reads may also be read live.
const read = "get list watch"

// needs are the rights of the controller by role, each as "group/resource verbs", with one line of the code that uses
// it. A right that the code has no more use for goes out here and from the role; a new one comes in with its line.
var needs = map[string]map[string]need{
	"ClusterRole assay-controller": {
		"assay.dev/testrepositories " + read:                   {"sync/testrepository", `For\(&v1alpha1\.TestRepository\{\}`},
		"assay.dev/testenvironments " + read:                   {"runner/testenvironment", `For\(&v1alpha1\.TestEnvironment\{\}`},
		"assay.dev/testruns " + read:                           {"runner/testrun", `For\(&v1alpha1\.TestRun\{\}`},
		"assay.dev/testsuites " + read:                         {"runner/testsuite", `Owns\(&v1alpha1\.TestSuite\{\}`},
		"/pods " + read:                                        {"runner/testrun", `Watches\(&corev1\.Pod\{\}`},
		"assay.dev/testruns create":                            {"runner/runs", `c\.Create\(ctx, run, `},
		"assay.dev/testruns update":                            {"runner/testrun", `r\.Update\(ctx, run, `},
		"assay.dev/testruns patch":                             {"runner/testrun", `r\.Patch\(ctx, run, `},
		"assay.dev/testruns delete":                            {"runner/testrun", `r\.Delete\(ctx, run, `},
		"assay.dev/testruns/status patch":                      {"runner/testrun", `r\.Status\(\)\.Patch\(ctx, run, `},
		"assay.dev/testsuites create":                          {"runner/testsuite", `t\.Patch\(ctx, would, `}, // applied where there is none
		"assay.dev/testsuites patch":                           {"runner/testsuite", `t\.Patch\(ctx, bare, `},
		"assay.dev/testsuites delete":                          {"runner/testsuite", `t\.Delete\(ctx, object`},
		"assay.dev/testsuites/status patch":                    {"runner/testsuite", `t\.Status\(\)\.Patch\(ctx, object, `},
		"assay.dev/testrepositories/status patch":              {"sync/testrepository", `patcher\.Patch\(ctx, repo`},
		"assay.dev/testenvironments/status patch":              {"runner/testenvironment", `r\.Status\(\)\.Patch\(ctx, env, `},
		"assay.dev/testrepositories/finalizers update":         {"runner", `metav1\.NewControllerRef\(repo, `}, // it blocks the deletion of its owner
		"/namespaces get":                                      {"runner/testenvironment", `&corev1\.Namespace\{\}`},
		"events.k8s.io/events create":                          {"runner/testrun", `r\.Events\.Eventf\(`},
		"events.k8s.io/events patch":                           {"sync/testrepository", `r\.Events\.Eventf\(`}, // the same again is counted
		"authentication.k8s.io/tokenreviews create":            {"runner/gateway", `\.Create\(ctx, &authenticationv1\.TokenReview\{`},
		"authorization.k8s.io/subjectaccessreviews create":     {"cmd/assay", `filters\.WithAuthenticationAndAuthorization`},
		"authentication.k8s.io/selfsubjectreviews create":      {"cmd/assay", `&authenticationv1\.SelfSubjectReview\{\}`},
		"authorization.k8s.io/selfsubjectaccessreviews create": {"runner/testenvironment", `&authorizationv1\.SelfSubjectAccessReview\{`},
	},
	"ClusterRole assay-environment": {
		"/pods create": {"runner/pods", `e\.client\.Create\(ctx, pod\)`},
		"/pods patch":  {"runner/gateway", `g\.client\.Patch\(ctx, pod, `},
		"/pods delete": {"runner/pods", `e\.client\.Delete\(ctx, doomed, `},
	},
	"ClusterRole assay-repository": {
		"/secrets get": {"sync/testrepository", `a\.reader\.Get\(ctx, key, &secret\)`},
	},
	"Role assay-own-secrets": {
		"/secrets[assay-controller-key,assay-gateway-tls] get":    {"cmd/assay", `c\.Get\(ctx, name, secret\)`},
		"/secrets[assay-controller-key,assay-gateway-tls] update": {"runner/certificate", `k\.client\.Update\(ctx, secret\)`},
	},
	"Role assay-leader-election": { // what client-go's LeaseLock does, and controller-runtime tells
		"coordination.k8s.io/leases create":                          {"cmd/assay", `LeaderElection: `},
		"coordination.k8s.io/leases[assay-controller-leader] get":    {"cmd/assay", `leaseName += "assay-controller-leader"`},
		"coordination.k8s.io/leases[assay-controller-leader] update": {"cmd/assay", `LeaderElectionID: +leaseName`},
		"/events create": {"cmd/assay", `LeaderElection: `},
		"/events patch":  {"cmd/assay", `LeaderElection: `},
	},
	"ClusterRole assay-webhook": {
		"assay.dev/testrepositories patch": {"sync/webhook", `p\.client\.Patch\(ctx, repo, `},
	},
}

func TestEachRightIsNeededAndEachNeedHasItsRight(t *testing.T) {
	for role, granted := range rolesOfTheController(t) {
		wanted := map[string]bool{}
		for right, need := range needs[role] {
			object, verbs, _ := strings.Cut(right, " ")
			for verb := range strings.FieldsSeq(verbs) {
				wanted[object+" "+verb] = true
			}
			if !need.stands(t) {
				t.Errorf("%s: %s is for %s in %s, which is not there: take the right away, or say what needs it", role, right, need.code, need.pkg)
			}
		}
		for right := range granted {
			if !wanted[right] {
				t.Errorf("%s grants %s, which nothing needs: take it away, or say what needs it", role, right)
			}
		}
		for right := range wanted {
			if !granted[right] {
				t.Errorf("%s does not grant %s, which is needed", role, right)
			}
		}
	}
}

// stands says whether the code is in a file of the package that is no test.
func (n need) stands(t *testing.T) bool {
	t.Helper()
	code := regexp.MustCompile(n.code)
	files, err := filepath.Glob("../../" + n.pkg + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no files: %v", n.pkg, err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		if strings.HasSuffix(file, "_test.go") {
			return false
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return code.Match(data)
	})
}

// rolesOfTheController gives what each role grants, as "group/resource verb". Those that people get are left out.
func rolesOfTheController(t *testing.T) map[string]map[string]bool {
	t.Helper()
	roles := map[string]map[string]bool{}
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../webhook/rbac.yaml") {
		if file == "users.yaml" || file == "kustomization.yaml" {
			continue
		}
		for _, role := range rolesIn(t, file) {
			granted := map[string]bool{}
			for _, rule := range role.Rules {
				maps.Copy(granted, rightsOf(rule))
			}
			roles[role.Kind+" "+role.Name] = granted
		}
	}
	for role := range needs {
		if roles[role] == nil {
			t.Errorf("there is no %s", role)
		}
	}
	return roles
}

func rightsOf(rule rbacv1.PolicyRule) map[string]bool {
	rights := map[string]bool{}
	names := ""
	if len(rule.ResourceNames) > 0 {
		names = "[" + strings.Join(rule.ResourceNames, ",") + "]"
	}
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				rights[group+"/"+resource+names+" "+verb] = true
			}
		}
	}
	for _, url := range rule.NonResourceURLs {
		rights[url] = true
	}
	return rights
}

// rolesIn reads the roles of a file; a Role and a ClusterRole look alike.
func rolesIn(t *testing.T, file string) (roles []rbacv1.ClusterRole) {
	t.Helper()
	opened, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	decoder := utilyaml.NewYAMLOrJSONDecoder(opened, 4096)
	for {
		var role rbacv1.ClusterRole
		if err := decoder.Decode(&role); errors.Is(err, io.EOF) {
			return roles
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if role.Kind == "ClusterRole" || role.Kind == "Role" {
			roles = append(roles, role)
		}
	}
}
