package testrun

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/assay-dev/assay/api/v1alpha1"
)

var (
	runsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_runs_total",
		Help: "Runs that ended, by environment, cause and state.",
	}, []string{"environment", "cause", "state"})
	runSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "assay_run_duration_seconds",
		Help:    "Time from the creation of a run to its end, by environment.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 13), // 1 s to over an hour
	}, []string{"environment"})
)

func init() { metrics.Registry.MustRegister(runsTotal, runSeconds) }

func record(run *v1alpha1.TestRun) {
	runsTotal.WithLabelValues(run.Spec.Environment, string(run.Spec.Cause.Type), string(run.Status.State)).Inc()
	if done := run.Status.CompletionTime; done != nil {
		runSeconds.WithLabelValues(run.Spec.Environment).Observe(done.Sub(run.CreationTimestamp.Time).Seconds())
	}
}
