// Command httpc makes one HTTP request and prints the answer: what curl is for, in an image
// without a C library (the wget of a static busybox cannot look up names).
//
//	httpc [-X METHOD] [-H 'Name: value']... [-d BODY] [-i] [-f] [-t SECONDS] URL
//
// The exit code is 1 when there was no answer, and with -f also when its status is 400 or more.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	headers := http.Header{}
	method := flag.String("X", "", "method; default GET, or POST with -d")
	body := flag.String("d", "", "body of the request")
	include := flag.Bool("i", false, "print the status line and the headers first")
	fail := flag.Bool("f", false, "exit with 1 on a status of 400 or more")
	timeout := flag.Int("t", 10, "seconds to wait for the answer")
	flag.Func("H", "header, as Name: value", func(s string) error {
		name, value, found := strings.Cut(s, ":")
		if !found {
			return fmt.Errorf("want Name: value")
		}
		headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		return nil
	})
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *method == "" {
		*method = http.MethodGet
		if *body != "" {
			*method = http.MethodPost
		}
	}
	if err := do(*method, flag.Arg(0), headers, *body, time.Duration(*timeout)*time.Second, *include, *fail); err != nil {
		fmt.Fprintln(os.Stderr, "httpc:", err)
		os.Exit(1)
	}
}

func do(method, url string, headers http.Header, body string, timeout time.Duration, include, fail bool) error {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = headers
	client := http.Client{Timeout: timeout}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if include {
		fmt.Println(answer.Proto, answer.Status)
		for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
			fmt.Printf("%s: %s\n", name, strings.Join(answer.Header[name], ", "))
		}
		fmt.Println()
	}
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return err
	}
	if fail && answer.StatusCode >= 400 {
		return fmt.Errorf("%s", answer.Status)
	}
	return nil
}
