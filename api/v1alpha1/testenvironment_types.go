package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestEnvironment is a place where suites run: a namespace, a service account, limits and
// policy. It belongs to the platform team and lives in the cluster, never in an
// application's repository.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=te;testenv,categories=assay
// +kubebuilder:printcolumn:name="Namespace",type=string,JSONPath=`.spec.namespace`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type TestEnvironment struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the platform team's word.
	// +required
	Spec TestEnvironmentSpec `json:"spec"`
	// +optional
	Status TestEnvironmentStatus `json:"status,omitempty"`
}

// TestEnvironmentSpec is the platform team's word on where and how suites run.
type TestEnvironmentSpec struct {
	// namespace the pods run in. It should enforce the restricted Pod Security level.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +required
	Namespace string `json:"namespace"`

	// serviceAccountName of the pods. Its token is not mounted.
	// +kubebuilder:default=default
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// repositories that may run here. An environment that names none admits none.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	Repositories []RepositoryAdmission `json:"repositories,omitempty"`

	// env is given to every suite, before the suite's own.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(e, !e.name.startsWith('ASSAY_'))",message="names that begin with ASSAY_ are reserved"
	// +listType=map
	// +listMapKey=name
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`

	// images are globs (doublestar) of the images that suites may use. Without any, or with an
	// empty list, which is the same, all may be used: "none/*" allows none.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +optional
	Images []string `json:"images,omitempty"`

	// secrets are globs of the names of Secrets that suites may read as variables, but for those
	// of pull requests. Default: none. What env names here is the platform team's own, and not
	// asked.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +optional
	Secrets []string `json:"secrets,omitempty"`

	// pullRequestSecrets are globs of the names of Secrets that suites of pull requests may read,
	// whose authors can have them shown. Default: none. Variables of env that come from
	// another Secret are left out for pull requests.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +optional
	PullRequestSecrets []string `json:"pullRequestSecrets,omitempty"`

	// limits of what runs here.
	// +optional
	Limits EnvironmentLimits `json:"limits,omitempty"`

	// defaultResources are for suites that name none.
	// +optional
	DefaultResources corev1.ResourceRequirements `json:"defaultResources,omitempty"`

	// suspend holds back new pods; runs wait, and nothing is scheduled here. Ready is Unknown
	// meanwhile, with the reason Suspended.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// RepositoryAdmission names TestRepositories that may run in an environment.
type RepositoryAdmission struct {
	// namespace of the TestRepository.
	// +kubebuilder:validation:MinLength=1
	// +required
	Namespace string `json:"namespace"`
	// name of the TestRepository; "*" means every one in the namespace.
	// +kubebuilder:default="*"
	// +optional
	Name string `json:"name,omitempty"`
}

// EnvironmentLimits bounds what runs in an environment.
type EnvironmentLimits struct {
	// pods that run at the same time.
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	Pods int32 `json:"pods,omitempty"`

	// timeout that a suite may ask for at most.
	// +kubebuilder:default="1h"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// startTimeout is how long a pod may wait for its node and its image.
	// +kubebuilder:default="5m"
	// +optional
	StartTimeout *metav1.Duration `json:"startTimeout,omitempty"`

	// resources is the most that one pod may ask for, as limits or requests. A suite without a
	// limit of cpu, memory or ephemeral-storage gets this one; without one here too, a limit of
	// memory of 2Gi.
	// +optional
	Resources corev1.ResourceList `json:"resources,omitempty"`
}

// TestEnvironmentStatus is what the controller found.
type TestEnvironmentStatus struct {
	// observedGeneration is the generation that the conditions are about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions: Ready.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// GetConditions gives the conditions.
func (e *TestEnvironment) GetConditions() []metav1.Condition { return e.Status.Conditions }

// SetConditions replaces the conditions.
func (e *TestEnvironment) SetConditions(c []metav1.Condition) { e.Status.Conditions = c }

// Admits says whether the TestRepository of the namespace and name may run here.
func (e *TestEnvironment) Admits(namespace, name string) bool {
	for _, r := range e.Spec.Repositories {
		if r.Namespace == namespace && (r.Name == name || r.Name == "*" || r.Name == "") {
			return true
		}
	}
	return false
}

// TestEnvironmentList is a list of TestEnvironments.
// +kubebuilder:object:root=true
type TestEnvironmentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TestEnvironment `json:"items"`
}
