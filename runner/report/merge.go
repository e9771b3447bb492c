package report

// Merge gives the reports of several files, shards or steps as one. Cases keep their order and get new ordinals;
// nothing is dropped. Without reports it is the zero report.
func Merge(reports ...Report) Report {
	var m Report
	for _, r := range reports {
		m.Cases = append(m.Cases, r.Cases...)
		m.Omitted.merge(r.Omitted)
		m.Unexplained = append(m.Unexplained, r.Unexplained...)
		m.Warnings = append(m.Warnings, r.Warnings...)
		m.Truncated = m.Truncated || r.Truncated
	}
	number(m.Cases)
	return m
}
