package report

import "io"

func parseJUnit(io.Reader, Limits) (Report, error)      { return Report{}, nil }
func parseTAP(io.Reader, Limits) (Report, error)        { return Report{}, nil }
func parseGoTestJSON(io.Reader, Limits) (Report, error) { return Report{}, nil }
func parseK6Summary(io.Reader, Limits) (Report, error)  { return Report{}, nil }
