package report

import "slices"

// Settle reads a report in the light of the exit code of the tool that wrote it. A report alone does not tell a rerun
// from a second test of the same name, nor a failure that the tool got over from one that its report lost.
//
//   - Cases of one identity that both passed and failed become one case. It is flaky when the tool exited with 0, or when
//     the last of them passed and other cases failed; otherwise it failed. Attempts add up, and the texts are those of
//     the first failure.
//   - Cases of one identity that agree stay, numbered.
//   - Unexplained becomes cases when the tool exited with anything but 0.
//
// Groups are left alone. The given report is not changed.
func Settle(r Report, exitCode int) Report {
	settled := r
	settled.Cases = make([]Case, 0, len(r.Cases)+len(r.Unexplained))
	settled.Unexplained = nil
	attempts := attemptsOf(r.Cases)
	failedOtherwise := failsForGood(r.Cases, attempts)
	for i, c := range r.Cases {
		group, mixed := attempts[i]
		switch {
		case !mixed:
			settled.Cases = append(settled.Cases, c)
		case len(group) > 0: // the first of them stands for all
			last := r.Cases[group[len(group)-1]].Status
			flaky := exitCode == 0 || last == Passed && failedOtherwise
			settled.Cases = append(settled.Cases, oneOf(r.Cases, group, flaky))
		}
	}
	if exitCode != 0 {
		settled.Cases = append(settled.Cases, r.Unexplained...)
	}
	number(settled.Cases)
	return settled
}

// Stopped gives the report of a tool that was stopped or killed: without the cases that only say that the report breaks
// off, which is no news then and no failure of a test.
func Stopped(r Report) Report {
	r.Cases = slices.DeleteFunc(slices.Clone(r.Cases), func(c Case) bool { return c.Torn })
	return r
}

// attemptsOf finds the identities that both passed and failed: the first case of each has the indices of all, the
// others an empty list. Cases of other identities are not in the map.
func attemptsOf(cases []Case) map[int][]int {
	type identity struct{ suite, class, name, file string }
	byID := map[identity][]int{}
	for i, c := range cases {
		if c.Ordinal > 0 && !c.Group {
			id := identity{c.Suite, c.ClassName, c.Name, c.File}
			byID[id] = append(byID[id], i)
		}
	}
	attempts := map[int][]int{}
	for _, group := range byID {
		passed, bad := false, false
		for _, i := range group {
			passed = passed || cases[i].Status == Passed
			bad = bad || cases[i].Status.Bad()
		}
		if !passed || !bad {
			continue
		}
		for _, i := range group[1:] {
			attempts[i] = []int{}
		}
		attempts[group[0]] = group
	}
	return attempts
}

// failsForGood tells whether a case failed and never passed, or failed in its last attempt.
func failsForGood(cases []Case, attempts map[int][]int) bool {
	for i, c := range cases {
		group, mixed := attempts[i]
		switch {
		case !mixed && c.Status.Bad() && !c.Group:
			return true
		case len(group) > 0 && cases[group[len(group)-1]].Status.Bad():
			return true
		}
	}
	return false
}

// oneOf makes one case of the attempts.
func oneOf(cases []Case, group []int, flaky bool) Case {
	var one Case
	attempts, found := 0, false
	for _, i := range group {
		attempts += cases[i].Attempts
		if cases[i].Status.Bad() && !found {
			one, found = cases[i], true
		}
	}
	one.Attempts = attempts
	one.Ordinal = 0
	if flaky {
		one.Status, one.Flaky = Passed, true
	}
	return one
}
