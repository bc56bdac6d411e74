package overlay

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// relation is "A > B": what must hold between a number and a sum of numbers.
type relation struct {
	left  *path
	op    string
	right sum
}

// sum is paths and constants, added up.
type sum struct {
	terms []sumTerm
	fixed float64
}

type sumTerm struct {
	path *path
	sign float64
}

// remedy is what to do where a relation does not hold: give a number the value
// of a sum, or drop it.
type repairStep struct {
	path *path
	to   sum
	drop bool
}

var (
	relationForm = regexp.MustCompile(`^\s*(.+?)\s*(>=|<=|==|!=|>|<)\s*(.+?)\s*$`)
	repairForm   = regexp.MustCompile(`^\s*(?:raise|lower|set)\s+(.+?)\s+to\s+(.+?)\s*$`)
	dropForm     = regexp.MustCompile(`^\s*drop\s+(.+?)\s*$`)
	sumForm      = regexp.MustCompile(`\s([+-])\s`)
)

// buildConstraint: constraint expr [repair].
func buildConstraint(b *builder) {
	rel, err := readRelation(b.word("expr"))
	if b.err == nil && err != nil {
		b.failAt(b.v.get("expr"), "expr: %v", err)
	}
	if b.err != nil {
		return
	}
	fix, err := rel.readRepair(b.text("repair"))
	if err != nil {
		v := b.v.get("repair")
		if v == nil {
			v = b.v
		}
		b.failAt(v, "repair: %v", err)
		return
	}
	b.step.body = func(j *job) {
		left, ok := j.t.one(rel.left).number()
		right, known := rel.right.value(j.t)
		if !ok || !known || compare(left, rel.op, right) {
			return
		}
		n := j.t.one(fix.path)
		if n == nil || n.parent == nil {
			return
		}
		if fix.drop {
			j.warn(scri.WarnDropped, n, n.json(), nil)
			j.replaced(n)
			j.t.remove(n)
			j.did = true
			return
		}
		if x, ok := fix.to.value(j.t); ok {
			raw := numberJSON(x)
			j.warn(scri.WarnChanged, n, n.json(), raw)
			j.replaced(n)
			j.t.replace(n, raw)
			j.did = true
		}
	}
}

func numberJSON(x float64) []byte {
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return strconv.AppendInt(nil, int64(x), 10)
	}
	return strconv.AppendFloat(nil, x, 'g', -1, 64)
}

func compare(a float64, op string, b float64) bool {
	switch op {
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case "==":
		return a == b
	default:
		return a != b
	}
}

func readRelation(s string) (*relation, error) {
	m := relationForm.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("%q is no relation like %q", s, "a > b.c")
	}
	left, err := compilePath(m[1])
	if err != nil {
		return nil, fmt.Errorf("%q: %w", m[1], err)
	}
	right, err := readSum(m[3], nil)
	return &relation{left: left, op: m[2], right: right}, err
}

// readSum reads a sum. A name that is the end of one of the known paths means
// that path.
func readSum(s string, known []*path) (sum, error) {
	var out sum
	sign := 1.0
	for {
		at := sumForm.FindStringSubmatchIndex(s)
		word := s
		if at != nil {
			word = s[:at[0]]
		}
		if err := out.add(strings.TrimSpace(word), sign, known); err != nil {
			return out, err
		}
		if at == nil {
			return out, nil
		}
		if sign = 1; s[at[2]] == '-' {
			sign = -1
		}
		s = s[at[1]:]
	}
}

func (s *sum) add(word string, sign float64, known []*path) error {
	if x, err := strconv.ParseFloat(word, 64); err == nil {
		s.fixed += sign * x
		return nil
	}
	for _, p := range known {
		if word == p.text || word == p.last() {
			s.terms = append(s.terms, sumTerm{p, sign})
			return nil
		}
	}
	p, err := compilePath(word)
	if err != nil || strings.ContainsAny(word, " \t") {
		return fmt.Errorf("%q is neither a number nor a path", word)
	}
	s.terms = append(s.terms, sumTerm{p, sign})
	return nil
}

// value is the sum in a document; a path that leads to no number has none.
func (s *sum) value(t *tree) (float64, bool) {
	total := s.fixed
	for _, term := range s.terms {
		x, ok := t.one(term.path).number()
		if !ok {
			return 0, false
		}
		total += term.sign * x
	}
	return total, true
}

// paths are those that a relation speaks of.
func (r *relation) paths() []*path {
	list := []*path{r.left}
	for _, t := range r.right.terms {
		list = append(list, t.path)
	}
	return list
}

func (r *relation) readRepair(s string) (*repairStep, error) {
	if s == "" {
		fix := &repairStep{path: r.left, to: r.right}
		switch r.op {
		case ">":
			fix.to.fixed++
		case "<":
			fix.to.fixed--
		case "!=":
			return nil, fmt.Errorf("say what to do where both are equal")
		}
		return fix, nil
	}
	var word, rest string
	if m := repairForm.FindStringSubmatch(s); m != nil {
		word, rest = m[1], m[2]
	} else if m := dropForm.FindStringSubmatch(s); m != nil {
		word = m[1]
	} else {
		return nil, fmt.Errorf("%q is none of raise A to B, lower A to B, set A to B, drop A", s)
	}
	var one sum
	if err := one.add(word, 1, r.paths()); err != nil || len(one.terms) == 0 {
		return nil, fmt.Errorf("%q is no path", word)
	}
	fix := &repairStep{path: one.terms[0].path, drop: rest == ""}
	if fix.drop {
		return fix, nil
	}
	var err error
	fix.to, err = readSum(rest, r.paths())
	return fix, err
}
