package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/runner/report"
)

// config is all that run is told: flags say what to do, variables how to reach the gateway and what is secret.
type config struct {
	workspace      string
	workingDir     string
	content        string
	timeout, grace time.Duration
	format         report.Format
	reportPath     string
	terminationLog string
	command        []string

	gateway, tokenFile string
	gatewayCA          []byte
	mask               *masker
	environment        []string // for the command
}

func parse(args, environment []string) (config, error) {
	c := config{}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.workspace, "workspace", "/workspace", "folder for the content")
	flags.StringVar(&c.workingDir, "working-dir", ".", "folder the command runs in, relative to the workspace")
	flags.StringVar(&c.content, "content", "", "digest of the content; empty: none")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Minute, "time the attempt may take, the content's included")
	flags.DurationVar(&c.grace, "grace", 30*time.Second, "time between SIGTERM and SIGKILL")
	format := flags.String("report-format", "", "format of the report; empty: none")
	flags.StringVar(&c.reportPath, "report-path", "", `glob of the report's files, or "-" for the standard output`)
	flags.StringVar(&c.terminationLog, "termination-log", "/dev/termination-log", "file for the outcome's copy")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	c.command, c.format = flags.Args(), report.Format(*format)
	switch {
	case len(c.command) == 0 || c.command[0] == "":
		return c, errors.New("name a command after --")
	case c.format != "" && c.reportPath == "":
		return c, errors.New("--report-format needs --report-path")
	case c.timeout <= 0:
		return c, errors.New("--timeout is more than 0")
	}
	return c, c.take(environment)
}

// Variables with the first prefix are ours. Those with the second are the command's, under names that steer no Go
// program, such as assay-exec: ASSAY_HANDED lists them.
const (
	internalPrefix = "ASSAY_"
	handedPrefix   = "ASSAY_SUITE_"
)

// take sorts the environment into what is for assay-exec and what is for the command. The command sees none of ours.
func (c *config) take(environment []string) error {
	ours, handed := map[string]string{}, map[string]string{}
	for _, e := range environment {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, handedPrefix) {
			handed[strings.TrimPrefix(name, handedPrefix)] = value
		} else if strings.HasPrefix(name, internalPrefix) {
			ours[name] = value
		}
	}
	kept := words(ours["ASSAY_HANDED"])
	for _, e := range environment {
		if name, _, _ := strings.Cut(e, "="); !strings.HasPrefix(name, internalPrefix) && !slices.Contains(kept, name) {
			c.environment = append(c.environment, e)
		}
	}
	for _, name := range kept {
		if value, ok := handed[name]; ok {
			c.environment = append(c.environment, name+"="+value)
		}
	}
	c.gateway = strings.TrimSuffix(ours["ASSAY_GATEWAY_URL"], "/")
	c.tokenFile = ours["ASSAY_TOKEN_FILE"]
	c.gatewayCA = []byte(ours["ASSAY_GATEWAY_CA"])
	names, allBut := words(ours["ASSAY_SECRET_NAMES"]), ours["ASSAY_SECRETS"] == "all-but-named"
	c.mask = newMasker(c.environment, names, allBut)
	if c.content != "" && (c.gateway == "" || c.tokenFile == "") {
		return fmt.Errorf("--content needs ASSAY_GATEWAY_URL and ASSAY_TOKEN_FILE")
	}
	return nil
}

// words are separated by newlines, which no name of a variable holds.
func words(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }) }
