package report

import "io"

func parseGoTestJSON(io.Reader, Limits) (Report, error) { return Report{}, nil }
func parseK6Summary(io.Reader, Limits) (Report, error)  { return Report{}, nil }
