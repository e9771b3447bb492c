package pods

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner"
)

// What assay-exec is given, and where.
const (
	reservedPrefix = "ASSAY_"

	execVolume, execFolder = "assay-exec", "/assay"
	// installFolder is the same volume in the init container, whose image has a program /assay.
	installFolder            = "/assay-install"
	tokenVolume, tokenFolder = "assay-token", "/var/run/secrets/assay.dev"
	workspaceVolume          = "workspace"
	workspaceFolder          = "/workspace"
	tmpVolume                = "tmp"

	// audience of the token, as the gateway wants it.
	audience = "assay-gateway"
)

// wrap puts the container's command below assay-exec and mounts what that needs.
func wrap(pod *corev1.Pod, attempt runner.Attempt, o Options) {
	c := &pod.Spec.Containers[0]
	program := path.Join(execFolder, o.ExecPath)
	if o.Delivery == InitContainer {
		program = path.Join(execFolder, path.Base(o.ExecPath))
	}
	command := append([]string{program, "run"}, flags(attempt)...)
	c.Args = append(append([]string{"--"}, c.Command...), c.Args...)
	c.Command = command
	handOver(c)
	c.Env = append(c.Env, internals(attempt, o)...)
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: execVolume, MountPath: execFolder, ReadOnly: true},
		{Name: tokenVolume, MountPath: tokenFolder, ReadOnly: true},
		{Name: workspaceVolume, MountPath: workspaceFolder},
		{Name: tmpVolume, MountPath: "/tmp"},
	}
	pod.Spec.Volumes = []corev1.Volume{deliver(pod, o), token(attempt), scratch(workspaceVolume, "2Gi"), scratch(tmpVolume, "1Gi")}
	// assay-exec gives the command its grace, and then needs time to read the report and to tell.
	pod.Spec.TerminationGracePeriodSeconds = ptr.To(seconds(runner.StopGrace + runner.TellGrace))
	if attempt.ContentDigest != "" {
		pod.Annotations[v1alpha1.ContentAnnotation] = attempt.ContentDigest
	}
}

// flags of assay-exec run, but for the command.
func flags(attempt runner.Attempt) []string {
	tests := attempt.TestsPath
	if tests == "" {
		tests = "tests"
	}
	list := []string{
		"--workspace=" + workspaceFolder,
		"--working-dir=" + attempt.Suite.WorkingDir(tests),
		"--timeout=" + runner.Timeout(attempt.Suite).String(),
		"--grace=" + runner.StopGrace.String(),
	}
	if attempt.ContentDigest != "" {
		list = append(list, "--content="+attempt.ContentDigest)
	}
	if r := attempt.Suite.Spec.Report; r != nil && r.Format != "" && r.Format != v1alpha1.ReportNone {
		list = append(list, "--report-format="+string(r.Format), "--report-path="+r.Path)
	}
	for i := range list { // a suite's $(NAME) is for its own command, not for the flags
		list[i] = strings.ReplaceAll(list[i], "$(", "$$(")
	}
	return list
}

// internals are the variables that assay-exec reads and does not pass on. They come last, so nothing overrides them.
func internals(attempt runner.Attempt, o Options) []corev1.EnvVar {
	names, allButThese := mask(environment(given(attempt), attempt.Suite.Spec.Env), attempt.Suite.Spec.EnvFrom)
	secrets := "named"
	if allButThese {
		secrets = "all-but-named"
	}
	return []corev1.EnvVar{
		{Name: gatewayURLVariable, Value: literal(o.GatewayURL)},
		{Name: gatewayCAVariable, Value: literal(string(o.GatewayCA()))},
		{Name: tokenFileVariable, Value: path.Join(tokenFolder, "token")},
		{Name: secretsVariable, Value: secrets},
		{Name: secretNamesVariable, Value: strings.Join(names, "\n")},
	}
}

// mask says which variables hold secrets. When a whole Secret becomes variables their names are not known here, so
// everything is secret but the names given; otherwise the names given are.
func mask(env []corev1.EnvVar, from []corev1.EnvFromSource) (names []string, allButThese bool) {
	allButThese = slices.ContainsFunc(from, func(f corev1.EnvFromSource) bool { return f.SecretRef != nil })
	for _, e := range env {
		if public(e, env) == allButThese {
			names = append(names, e.Name)
		}
	}
	return names, allButThese
}

// public says whether a variable cannot hold a secret: a value that refers to another variable may hold that one's.
func public(e corev1.EnvVar, env []corev1.EnvVar) bool {
	if e.ValueFrom != nil {
		return e.ValueFrom.SecretKeyRef == nil
	}
	return !strings.Contains(e.Value, "$(")
}

// literal keeps the kubelet from expanding $(NAME).
func literal(value string) string { return strings.ReplaceAll(value, "$(", "$$(") }

// deliver gives the volume with assay-exec, and adds the init container that fills it where it takes one.
func deliver(pod *corev1.Pod, o Options) corev1.Volume {
	if o.Delivery == ImageVolume {
		return corev1.Volume{Name: execVolume, VolumeSource: corev1.VolumeSource{
			Image: &corev1.ImageVolumeSource{Reference: o.ExecImage, PullPolicy: o.ExecPullPolicy}}}
	}
	pod.Spec.InitContainers = []corev1.Container{{
		Name:            execVolume,
		Image:           o.ExecImage,
		ImagePullPolicy: o.ExecPullPolicy,
		Command:         []string{"/" + strings.TrimPrefix(o.ExecPath, "/"), "install", installFolder},
		VolumeMounts:    []corev1.VolumeMount{{Name: execVolume, MountPath: installFolder}},
		SecurityContext: restricted(),
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("16Mi")}},
	}}
	return scratch(execVolume, "64Mi")
}

// token is for the gateway only. It lives as long as the pod may; the kubelet renews it before.
func token(attempt runner.Attempt) corev1.Volume {
	return corev1.Volume{Name: tokenVolume, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
			Audience: audience, Path: "token", ExpirationSeconds: ptr.To(3600 + seconds(runner.Timeout(attempt.Suite))),
		}}},
	}}}
}

func scratch(name, size string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse(size))}}}
}
