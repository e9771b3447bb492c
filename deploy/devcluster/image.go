package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/deploy/devcluster/image"
	"github.com/assay-dev/assay/deploy/devcluster/internal/binaries"
)

// imageFlags are the flags of `image` as they are written.
type imageFlags struct {
	output, tag, base, user, workdir        string
	files, folders, links, entrypoint, args []string
	env, labels                             []string
	certificates, busybox, accounts         bool
}

func imageCommand() *cobra.Command {
	var flags imageFlags
	command := &cobra.Command{
		Use:   "image -o OUT.tar --tag NAME",
		Short: "Write a container image as a docker-archive tar, without a container engine",
		Example: `  devcluster image -o web.tar --tag assay.dev/web:dev --file /web=bin/web --entrypoint /web --user 65532 --ca-certificates
  devcluster image -o shell.tar --tag assay.dev/shell:dev --busybox --entrypoint /bin/sh`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if flags.busybox {
				if err := binaries.EnsurePackages(command.Context(), os.Stderr, binaries.ForBusybox...); err != nil {
					return err
				}
			}
			if flags.certificates {
				if err := binaries.EnsurePackages(command.Context(), os.Stderr, binaries.ForCA...); err != nil {
					return err
				}
			}
			spec, err := flags.spec()
			if err != nil {
				return err
			}
			return image.Write(flags.output, spec)
		},
	}
	f := command.Flags()
	f.StringVarP(&flags.output, "output", "o", "", "tar file to write")
	f.StringVar(&flags.tag, "tag", "", "name of the image, for example assay.dev/web:dev")
	f.StringVar(&flags.base, "base", "scratch", "docker-archive tar to build on, or scratch")
	f.StringArrayVar(&flags.files, "file", nil, "/path/in/image=hostfile[:octal mode], repeatable")
	f.StringArrayVar(&flags.folders, "dir", nil, "/path/in/image=hostfolder, repeatable")
	f.StringArrayVar(&flags.links, "link", nil, "/path/in/image=target of a symbolic link, repeatable")
	f.StringArrayVar(&flags.entrypoint, "entrypoint", nil, "one word of the entrypoint, repeatable")
	f.StringArrayVar(&flags.args, "cmd", nil, "one word of the default arguments, repeatable")
	f.StringArrayVar(&flags.env, "env", nil, "KEY=VALUE, repeatable")
	f.StringArrayVar(&flags.labels, "label", nil, "KEY=VALUE, repeatable")
	f.StringVar(&flags.user, "user", "", "numeric user, or user:group")
	f.StringVar(&flags.workdir, "workdir", "", "working directory")
	f.BoolVar(&flags.certificates, "ca-certificates", false, "include Debian's CA certificates")
	f.BoolVar(&flags.busybox, "busybox", false, "include Debian's static busybox with all applets (its wget crashes; nc works)")
	f.BoolVar(&flags.accounts, "accounts", false, "include /etc/passwd with root and nonroot (65532), and /tmp")
	_ = command.MarkFlagRequired("output")
	_ = command.MarkFlagRequired("tag")
	return command
}

func (flags imageFlags) spec() (image.Spec, error) {
	spec := image.Spec{
		Tag: flags.tag, Entrypoint: flags.entrypoint, Cmd: flags.args, Env: flags.env, User: flags.user, Workdir: flags.workdir,
	}
	if flags.base != "scratch" {
		spec.Base = flags.base
	}
	var parts [][]image.File
	if flags.busybox {
		busybox, err := image.Busybox()
		if err != nil {
			return spec, err
		}
		parts = append(parts, busybox)
	}
	if flags.accounts {
		parts = append(parts, image.Accounts())
	}
	if flags.certificates {
		parts = append(parts, []image.File{image.CACertificates()})
	}
	for _, folder := range flags.folders {
		target, source, err := pair("--dir", folder)
		if err != nil {
			return spec, err
		}
		files, err := image.Directory(target, source)
		if err != nil {
			return spec, err
		}
		parts = append(parts, files)
	}
	for _, file := range flags.files {
		parsed, err := parseFile(file)
		if err != nil {
			return spec, err
		}
		parts = append(parts, []image.File{parsed})
	}
	for _, link := range flags.links {
		path, target, err := pair("--link", link)
		if err != nil {
			return spec, err
		}
		parts = append(parts, []image.File{{Path: path, Link: target}})
	}
	for _, part := range parts {
		spec.Files = append(spec.Files, part...)
	}
	var err error
	spec.Labels, err = labels(flags.labels)
	return spec, errors.Join(err, checkEnv(flags.env))
}

// parseFile reads /path=hostfile or /path=hostfile:0755.
func parseFile(text string) (image.File, error) {
	path, source, err := pair("--file", text)
	if err != nil {
		return image.File{}, err
	}
	file := image.File{Path: path, Source: source}
	if at := strings.LastIndex(source, ":"); at >= 0 {
		mode, err := strconv.ParseUint(source[at+1:], 8, 9)
		if err != nil {
			return image.File{}, fmt.Errorf("--file %q: mode %q: want octal digits such as 0755", text, source[at+1:])
		}
		file.Source, file.Mode = source[:at], fs.FileMode(mode)
	}
	return file, nil
}

func labels(texts []string) (map[string]string, error) {
	parsed := map[string]string{}
	for _, text := range texts {
		key, value, err := pair("--label", text)
		if err != nil {
			return nil, err
		}
		parsed[key] = value
	}
	return parsed, nil
}

func checkEnv(texts []string) error {
	for _, text := range texts {
		if _, _, err := pair("--env", text); err != nil {
			return err
		}
	}
	return nil
}

func pair(flag, text string) (key, value string, err error) {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" {
		return "", "", fmt.Errorf("%s %q: want two parts with = between them", flag, text)
	}
	return key, value, nil
}
