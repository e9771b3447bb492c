package report

// Limits bound what is read and what is kept. A zero field means its default.
type Limits struct {
	// Bytes is the most that is read of one file, and the most text that is kept of it. Default 64 MiB. Reading on is
	// ErrTooLarge, with the cases up to there. A k6 summary may have 8 MiB at most.
	Bytes int64
	// Cases is the number of cases kept of one file; the others are only counted. Default 200,000.
	Cases int
	// Name bounds Suite, ClassName, Name and File each, in bytes. Default 512.
	Name int
	// Message bounds a message, in bytes. Default 4 KiB.
	Message int
	// Details bounds a stack trace: its head and its tail are kept. Default 32 KiB.
	Details int
	// Output bounds Stdout and Stderr each: head and tail are kept. Default 64 KiB.
	Output int
	// PassedOutput is Output for cases that passed or were skipped. Default 1 KiB.
	PassedOutput int
	// Warnings is the number of warnings kept. Default 20.
	Warnings int
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 64 << 20
	}
	for _, d := range []struct {
		field   *int
		initial int
	}{
		{&l.Cases, 200_000},
		{&l.Name, 512},
		{&l.Message, 4 << 10},
		{&l.Details, 32 << 10},
		{&l.Output, 64 << 10},
		{&l.PassedOutput, 1 << 10},
		{&l.Warnings, 20},
	} {
		if *d.field <= 0 {
			*d.field = d.initial
		}
	}
	return l
}
