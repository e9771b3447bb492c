package v1alpha1

import "time"

// What fields mean that are left out. The schema's defaults say the same, which a test compares; what is built without
// the API server, as suites of Git are, gets them from here.
const (
	// DefaultTool of a suite.
	DefaultTool = "container"
	// DefaultTimeout of an attempt, from the start of its container.
	DefaultTimeout = 10 * time.Minute
	// DefaultRunAsUser is nonroot of the distroless images.
	DefaultRunAsUser int64 = 65532
	// DefaultInfrastructureRetries is how often an attempt that the cluster lost is repeated.
	DefaultInfrastructureRetries int32 = 2
	// DefaultTimeZone of a schedule.
	DefaultTimeZone = "UTC"
	// DefaultMaxPods is how many pods an environment runs at the same time.
	DefaultMaxPods int32 = 10
	// DefaultMaxTimeout is what a suite may ask for at most in an environment.
	DefaultMaxTimeout = time.Hour
	// DefaultStartTimeout is how long a pod may wait for its node and image.
	DefaultStartTimeout = 5 * time.Minute
	// DefaultMemoryLimit of a test pod: browsers and load generators fit, and one pod does not take a node.
	DefaultMemoryLimit = "2Gi"
	// DefaultTestsPath is the folder of the tests in a repository.
	DefaultTestsPath = "tests"
)

// MaxPods gives how many pods the environment runs at the same time.
func (e *TestEnvironment) MaxPods() int {
	if e.Spec.Limits.Pods <= 0 {
		return int(DefaultMaxPods)
	}
	return int(e.Spec.Limits.Pods)
}

// MaxTimeout gives what a suite may ask for at most.
func (e *TestEnvironment) MaxTimeout() time.Duration {
	if t := e.Spec.Limits.Timeout; t != nil {
		return t.Duration
	}
	return DefaultMaxTimeout
}

// StartTimeout gives how long a pod may wait for its node and image.
func (e *TestEnvironment) StartTimeout() time.Duration {
	if t := e.Spec.Limits.StartTimeout; t != nil && t.Duration > 0 {
		return t.Duration
	}
	return DefaultStartTimeout
}
