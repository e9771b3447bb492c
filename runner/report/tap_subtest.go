package report

// announce notes the name of the subtest that follows: at its parent's indent, or at its own as Perl's Test::More does.
func (p *tapParser) announce(depth int, name string) {
	if depth == len(p.levels) {
		if p.announced == "" {
			p.announced, name = name, ""
		}
		p.enter(depth)
	} else {
		p.flush(p.top())
	}
	p.announced = name
}

// enter makes the level the innermost: it opens it, or leaves those below it, whose parent never reported.
func (p *tapParser) enter(depth int) {
	for len(p.levels)-1 > depth {
		child := p.leave()
		p.prefix(child.first, child.name)
		p.top().bad += child.bad
	}
	if depth == len(p.levels) {
		if p.top().block == nil {
			p.flush(p.top())
		}
		p.levels = append(p.levels, &tapLevel{name: p.announced, first: len(p.report.Cases), planned: -1})
		p.announced = ""
	}
}

// leave closes the innermost level.
func (p *tapParser) leave() *tapLevel {
	level := p.top()
	p.closeBlockOf(level)
	p.flush(level)
	p.checkPlan(level)
	p.levels = p.levels[:len(p.levels)-1]
	return level
}

// prefix puts the cases from first on below the name.
func (p *tapParser) prefix(first int, name string) {
	name = line(name, p.limits.Name)
	for i := first; i < len(p.report.Cases); i++ {
		c := &p.report.Cases[i]
		p.kept -= int64(len(c.Suite))
		c.Suite = joinPath(name, c.Suite, p.limits.Name)
		p.kept += int64(len(c.Suite))
	}
}

// closeBlock takes the brace that ends the subtests behind their parent.
func (p *tapParser) closeBlock(depth int) {
	if depth >= len(p.levels) || p.levels[depth].block == nil {
		p.output.write("}\n")
		return
	}
	t := p.levels[depth].block
	p.levels[depth].block = nil
	var child *tapLevel
	if depth < len(p.levels)-1 {
		p.enter(depth + 1)
		child = p.leave()
	}
	p.adopt(t, child)
	p.top().last = t
}

// adopt puts the cases of a closed level below their parent, in the level that is open now. What fails in a TODO is
// expected to.
func (p *tapParser) adopt(parent *tapTest, child *tapLevel) {
	if child == nil {
		return
	}
	p.prefix(child.first, parent.one.Name)
	if parent.one.Status == Skipped {
		for i := child.first; i < len(p.report.Cases); i++ {
			if c := &p.report.Cases[i]; c.Status.Bad() {
				c.Status, c.Message = Skipped, line(parent.one.Message, p.limits.Message)
			}
		}
		child.bad = 0
	}
	parent.one.Group = len(p.report.Cases) > child.first && (!parent.one.Status.Bad() || child.bad > 0)
	p.top().bad += child.bad
}

func (p *tapParser) closeBlockOf(level *tapLevel) {
	if level.block != nil {
		level.last, level.block = level.block, nil
	}
}
