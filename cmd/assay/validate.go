package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/catalog"
	"github.com/assay-dev/assay/render"
)

// validation is what assay validate prints.
type validation struct {
	// Environments in the order in which they were given, or sorted.
	Environments []validatedEnvironment `json:"environments"`
	// Problems make the catalog invalid, by file and line.
	Problems []problem `json:"problems"`
	// Warnings do not.
	Warnings []problem `json:"warnings"`
}

type validatedEnvironment struct {
	Name     string `json:"name"`
	Overlay  string `json:"overlay"`
	Valid    bool   `json:"valid"`
	Suites   int    `json:"suites"`
	problems int
	files    []string
}

// problem is a fault in the form that a program reads.
type problem struct {
	Reason  fault.Reason `json:"reason"`
	File    string       `json:"file,omitempty"`
	Line    int          `json:"line,omitempty"`
	Field   string       `json:"field,omitempty"`
	Message string       `json:"message"`
	Remedy  string       `json:"remedy,omitempty"`
}

func newValidateCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check the suites and overlays of a working copy, offline",
		Long: `Reads every suite strictly and renders every overlay as the controller would, and
prints each problem as file:line: field: message (remedy). DIR is the root of a working copy.

Suites that no overlay reads are checked too, and named in a warning. With the manifest of an
environment, what its policy forbids is a problem too.`,
		Example: `  assay validate
  assay validate ~/src/shop --environment staging --environment prod`,
		Args: cobra.MaximumNArgs(1),
	}
	tests := addPathFlag(command)
	environments := addEnvironmentFlag(command, tests, "environment to check, or NAME=OVERLAY; repeatable (default: every folder below overlays)")
	policies := addEnvironmentFileFlag(command)
	output := addOutputFlag(command, formatTable)
	command.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWorkingCopy(args, *tests)
		if err != nil {
			return err
		}
		defer w.close()
		v, err := validate(c.Context(), w, *environments, policies)
		if err != nil && v == nil {
			return err
		}
		for _, warning := range v.Warnings {
			fmt.Fprintln(c.ErrOrStderr(), "warning:", clean(warning.String()))
		}
		return errors.Join(output.print(c.OutOrStdout(), v, v.table), err)
	}
	return command
}

// addEnvironmentFlag gives the command a repeatable flag --environment.
func addEnvironmentFlag(command *cobra.Command, tests *pathFlag, usage string) *[]string {
	values := command.Flags().StringArrayP("environment", "e", nil, usage)
	if err := command.RegisterFlagCompletionFunc("environment", completeEnvironments(tests)); err != nil {
		panic(err) // the flag was added above
	}
	return values
}

// validate checks the environments, every one when none is named. The error is what makes the
// catalog invalid; with it there is a validation too, unless there was nothing to check.
func validate(ctx context.Context, w *workingCopy, environments []string, files *environmentFiles) (*validation, error) {
	all := len(environments) == 0
	if all {
		found, err := w.environments()
		if err != nil {
			return nil, err
		}
		environments = found
	}
	refs, err := environmentRefs(environments)
	if err != nil {
		return nil, err
	}
	policies, err := files.read(refs)
	if err != nil {
		return nil, err
	}
	v := &validation{Problems: []problem{}, Warnings: []problem{}}
	var errs []error
	for _, ref := range refs {
		e, err := w.validateEnvironment(ctx, ref, policies[ref.Name])
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		v.Environments = append(v.Environments, e)
		errs = append(errs, err)
	}
	if all && !slices.ContainsFunc(v.Environments, func(e validatedEnvironment) bool { return e.files == nil }) { // else the files that were read are not known
		warnings, err := w.unread(v.Environments)
		v.Warnings = append(v.Warnings, warnings...)
		errs = append(errs, err)
	}
	err = nil
	for _, f := range problems(errs) {
		v.Problems = append(v.Problems, newProblem(f))
		err = errors.Join(err, f)
	}
	return v, err
}

// validateEnvironment renders the overlay and, when the policy is known, holds the suites to it.
func (w *workingCopy) validateEnvironment(ctx context.Context, ref v1alpha1.EnvironmentRef, policy *v1alpha1.TestEnvironment) (validatedEnvironment, error) {
	e := validatedEnvironment{Name: ref.Name, Overlay: w.overlay(ref)}
	c, err := render.Render(ctx, w.tree, e.Overlay, render.Limits{})
	if err == nil && policy != nil {
		for _, suite := range c.Suites {
			err = errors.Join(err, catalog.CheckPolicy(catalog.WithDefaultsOf(suite, policy), policy, v1alpha1.CausePush))
		}
	}
	e.Valid, e.Suites, e.files = err == nil, len(c.Suites), c.Files
	e.problems = len(problems([]error{err}))
	return e, err
}

func newProblem(f *fault.Fault) problem {
	return problem{Reason: f.Reason, File: f.Place.File, Line: f.Place.Line, Field: f.Place.Field, Message: f.Message, Remedy: f.Remedy}
}

func (p problem) String() string {
	return (&fault.Fault{Reason: p.Reason, Place: fault.Place{File: p.File, Line: p.Line, Field: p.Field}, Message: p.Message, Remedy: p.Remedy}).Error()
}

func (v *validation) table(out io.Writer) {
	row(out, "ENVIRONMENT", "SUITES", "PROBLEMS")
	for _, e := range v.Environments {
		suites := "-"
		if e.Valid {
			suites = strconv.Itoa(e.Suites)
		}
		row(out, e.Name, suites, strconv.Itoa(e.problems))
	}
}
