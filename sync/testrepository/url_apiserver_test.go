//go:build apiserver

package testrepository

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/apiservertest"
	"github.com/assay-dev/assay/api/v1alpha1"
)

func TestAPIServerRefusesWhatIsNoURL(t *testing.T) {
	server := apiservertest.Start(t)
	for url, want := range map[string]string{
		"git@github.com:me/x.git":            "write ssh://git@github.com/me/x.git",
		"ftp://git.example/x":                "url begins with https://, http:// or ssh://",
		"https://ada:hunter2@git.example/x":  "holds no password",
		"https://git.example/a b":            "url begins with",
		"https://git.example/x\n":            "url begins with",
		"":                                   "at least 1 char",
		"https://git.example/team/x.git":     "",
		"ssh://git@git.example:2222/x.git":   "",
		"http://git.git.svc:3000/team/x.git": "",
	} {
		repo := &v1alpha1.TestRepository{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "url-"},
			Spec:       v1alpha1.TestRepositorySpec{URL: url, Environments: []v1alpha1.EnvironmentRef{{Name: "staging"}}},
		}
		err := server.Create(t.Context(), repo)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", url, err, want)
		}
		if want == "write ssh://git@github.com/me/x.git" && strings.Count(err.Error(), "spec.url") != 1 {
			t.Errorf("%q: it is said more than once: %v", url, err)
		}
	}
}
